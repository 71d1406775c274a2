/**
 * A request as a program: for a shell, Python or JavaScript. The key is the reader's own, from the environment.
 *
 * @typedef {{ url: string, body: string }} Call
 */

/** @param {Call} call */
export const curl = ({ url, body }) => `curl ${shell(url)} \\
  -H 'Content-Type: application/json' \\
  -H "Authorization: Bearer $LLAMERO_API_KEY" \\
  -d ${shell(body)}`;

/** @param {Call} call */
export const python = ({ url, body }) => `import os

import requests  # pip install requests

# The environment variable $LLAMERO_API_KEY holds the key, where one is required.
reply = requests.post(
    ${JSON.stringify(url)},
    headers={"Authorization": f"Bearer {os.environ.get('LLAMERO_API_KEY', 'none')}"},
    json=${pythonLiteral(JSON.parse(body), 4)},
    stream=True,
)
for line in reply.iter_lines():
    print(line.decode())
`;

/** @param {Call} call */
export const javascript = ({ url, body }) => `// The environment variable $LLAMERO_API_KEY holds the key, where one is required.
const reply = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: {
    'Content-Type': 'application/json',
    Authorization: \`Bearer \${process.env.LLAMERO_API_KEY ?? 'none'}\`,
  },
  body: JSON.stringify(${indented(JSON.stringify(JSON.parse(body), null, 2), 2)}),
});
for await (const piece of reply.body.pipeThrough(new TextDecoderStream())) process.stdout.write(piece);
`;

/** Quote for a POSIX shell. @param {string} text */
const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** @param {string} text @param {number} spaces */
const indented = (text, spaces) => text.replaceAll('\n', `\n${' '.repeat(spaces)}`);

/** @param {unknown} value @param {number} spaces @returns {string} */
function pythonLiteral(value, spaces) {
  const inner = ' '.repeat(spaces + 4);
  const end = ' '.repeat(spaces);
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) {
    return value.length ? `[\n${value.map((one) => `${inner}${pythonLiteral(one, spaces + 4)},\n`).join('')}${end}]` : '[]';
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    const lines = entries.map(([name, one]) => `${inner}${JSON.stringify(name)}: ${pythonLiteral(one, spaces + 4)},\n`);
    return entries.length ? `{\n${lines.join('')}${end}}` : '{}';
  }
  return JSON.stringify(value);
}
