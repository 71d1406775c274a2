// The languages of highlight.js are plain scripts; their shared type is declared by the package itself.
import type { LanguageFn } from 'highlight.js';
declare const language: LanguageFn;
export default language;
