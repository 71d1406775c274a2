/**
 * Pins the page's packages again: `npm run lock`. A lock carries names, versions and hashes, so the addresses that npm
 * writes for sponsors are taken out of it. npm is started by the path that it gives its scripts: the one on PATH may be
 * another, or a link that an archive without links has broken, as in the Python package that brings Node.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const npm = process.env.npm_execpath;
if (!npm) throw new Error('npm starts this: npm run lock');
const made = spawnSync(process.execPath, [npm, 'install', '--package-lock-only', '--ignore-scripts'], { stdio: 'inherit' });
if (made.status !== 0) process.exit(made.status ?? 1);

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
}
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
