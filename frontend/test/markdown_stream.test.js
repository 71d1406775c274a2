import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBlocks } from '../src/markdown/parser.js';
import { MarkdownStream } from '../src/markdown/stream.js';

/** Everything that has ever confused an incremental parser, in one document. */
const DOCUMENT = `# A title

Setext heading
===

para\n- not an item? yes, one
- **two** with [a link](https://example.com) and [late][ref]

  still two

3. three
1. one

para before a table
| a | b |
|---|---:|
| 1 | 2 |
after

> quote
lazy
> - nested

\`\`\`python
def f(x: int) -> str:
    return "$x$"

# not a heading
\`\`\`
~~~
open \`\`\` inside
~~~

    indented code

    more of it

Prices are $5 and $10, math is $a^2+b^2$ and \\(c\\).

$$
x
- y
$$

$$
never closed

\\[ E = mc^2 \\]

1. \`\`\`js
   let a = 1
   \`\`\`
2. last

<script>alert(1)</script> ![picture](https://example.com/a.png) <b>no</b>

[ref]: https://example.com/late "a title"

---
The end with [ref] and https://example.com/auto.
`;

/** @param {string} text @param {number} size */
function streamed(text, size) {
  /** @type {string[]} */
  const frozen = [];
  let tail = '';
  const stream = new MarkdownStream({
    show(settled, open) {
      frozen.push(...settled);
      tail = open.join('');
    },
    mend: (index, html) => (frozen[index] = html),
  });
  for (let at = 0; at < text.length; at += size) {
    stream.push(text.slice(at, at + size));
    stream.write();
  }
  stream.finish();
  return frozen.join('') + tail;
}

const whole = (/** @type {string} */ text) => renderBlocks(text, {}).map((block) => block.html).join('');

for (const size of [1, 3, 17, 1000]) {
  test(`markdown in pieces of ${size} characters is the whole text's`, () => {
    assert.equal(streamed(DOCUMENT, size), whole(DOCUMENT));
  });
}

test('markdown cut off anywhere is the text so far', () => {
  for (let end = 0; end < DOCUMENT.length; end += 7) {
    const text = DOCUMENT.slice(0, end);
    assert.equal(streamed(text, 5), whole(text));
  }
});

test('markdown of a long answer renders again only what is open', () => {
  const text = 'A paragraph of some words.\n\n'.repeat(2000);
  const stream = new MarkdownStream({ show: () => {}, mend: () => {} });
  for (let at = 0; at < text.length; at += 40) {
    stream.push(text.slice(at, at + 40));
    stream.write();
    assert.ok(stream.open < 200);
  }
});

test('markdown with raw HTML shows it as text', () => {
  assert.match(whole('<img src=x onerror=alert(1)>'), /&lt;img/);
});

for (const url of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'smb://host/x', 'ms-msdt:/id', '//host/x', '/bridge/x', 'JaVaScRiPt:alert(1)', '&#106;avascript:alert(1)']) {
  test(`markdown link to ${url} is no link`, () => {
    assert.doesNotMatch(whole(`[x](${url}) <${url}> ![x](${url}) ${url}`), /href|src=/);
  });
}

test('markdown image becomes a link, so that nothing is fetched', () => {
  const html = whole('![a picture](https://example.com/a.png?secret)');
  assert.doesNotMatch(html, /<img/);
  assert.match(html, /<a href="https:\/\/example.com\/a.png\?secret" class="image-link">a picture<\/a>/);
});

test('markdown table aligns by classes, not by style attributes', () => {
  const html = whole('| a |\n|--:|\n| 1 |');
  assert.match(html, /<td class="align-right">/);
  assert.doesNotMatch(html, /style=/);
});

test('fence is coloured when it is closed, and not before', () => {
  assert.doesNotMatch(whole('```python\nreturn 1\n'), /hljs/);
  assert.match(whole('```python\nreturn 1\n```'), /hljs-keyword/);
});

test('prices are not math', () => {
  assert.doesNotMatch(whole('It costs $5 and $10.'), /math/);
  assert.match(whole('Where $a+b$ holds.'), /math-inline/);
});
