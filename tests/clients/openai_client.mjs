// OpenAI's own JavaScript client against the gateway at argv[2]. Prints what it got as JSON.
// Its package is the page's development dependency, so it is looked for from there.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../frontend/package.json', import.meta.url));
const OpenAI = require('openai').default;

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: 'not-needed' });
const messages = [{ role: 'user', content: 'What is a llama?' }];
const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }];

const models = [];
for await (const model of client.models.list()) models.push(model.id);

const whole = await client.chat.completions.create({ model: 'demo', messages, temperature: 0 });

let streamed = '';
const stream = await client.chat.completions.create({ model: 'demo', messages, temperature: 0, stream: true });
for await (const chunk of stream) streamed += chunk.choices[0]?.delta?.content ?? '';

const called = await client.chat.completions.stream({ model: 'tools', messages, tools, temperature: 0 }).finalChatCompletion();

const embedded = await client.embeddings.create({ model: 'embed', input: 'wool' });

const refused = await client.chat.completions.create({ model: 'none', messages }).catch((error) => error);

console.log(JSON.stringify({
  models,
  whole: whole.choices[0].message.content,
  streamed,
  tool: called.choices[0].message.tool_calls?.[0]?.function?.name,
  dimensions: embedded.data[0].embedding.length,
  refused: { kind: refused.constructor.name, status: refused.status, code: refused.code, param: refused.param },
}));
