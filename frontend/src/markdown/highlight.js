/**
 * Colours code by classes. Only named languages, never guessed ones: guessing costs tens of milliseconds and is often
 * wrong. What was coloured last is kept, since the last block of a growing answer is rendered again and again.
 */
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import cpp from 'highlight.js/lib/languages/cpp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import go from 'highlight.js/lib/languages/go';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

const LANGUAGES = { bash, cpp, css, diff, go, java, javascript, json, python, rust, sql, typescript, xml, yaml };
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);
hljs.registerAliases(['shell', 'console'], { languageName: 'bash' });
hljs.registerAliases(['c', 'cs'], { languageName: 'cpp' });

const LONGEST = 50_000;
const KEPT = 8;

/** @type {Map<string, string>} */
const recent = new Map();

/** HTML of the coloured code, or null where there is nothing to colour. @param {string} code @param {string} language */
export function highlight(code, language) {
  if (!language || code.length > LONGEST || !hljs.getLanguage(language)) return null;
  const key = `${language}\n${code}`;
  const known = recent.get(key);
  if (known !== undefined) return known;
  const html = hljs.highlight(code, { language, ignoreIllegals: true }).value;
  recent.set(key, html);
  if (recent.size > KEPT) recent.delete(/** @type {string} */ (recent.keys().next().value));
  return html;
}
