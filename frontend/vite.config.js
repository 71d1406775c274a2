import { defineConfig } from 'vite';
import { iconSprite } from './vite/icon_sprite.js';

/** Output is static and works under a policy of scripts, styles and images from this origin only. */
export default defineConfig({
  plugins: [iconSprite()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'safari17.5', 'firefox120'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
});
