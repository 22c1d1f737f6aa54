import { open } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { parseArgs, styleText } from 'node:util';
import { createReceiver } from './receiver.ts';
import { renderTraces } from './tree.ts';
import { createUpstream } from './upstream.ts';
import { buildWorker, startWorker } from './worker.ts';

/** The end, with a word on which option is wrong. */
function refuse(problem: string): never {
  console.error(`${problem}; npm run demo -- --help lists the options`);
  process.exit(2);
}

function readOptions() {
  const options = {
    serve: { type: 'boolean', default: false },
    tokens: { type: 'string', default: '42' },
    prices: { type: 'string' },
    error: { type: 'string', default: '429' },
    dump: { type: 'string' },
    upstream: { type: 'string' },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const values = readOptions();

if (values.help) {
  console.log(`npm run demo -- [options]

  --serve           keep running and print the addresses
  --tokens N        output tokens of the chat completion (42)
  --prices IN,OUT   US dollars per million tokens (the built-in table)
  --error STATUS    what the failing request is answered (429)
  --dump FILE       write what the OTLP receiver got, as JSON
  --upstream URL    a real provider, with OPENAI_API_KEY set`);
  process.exit(0);
}

/** A whole number from an option. */
function readNumber(option: 'tokens' | 'error', min: number, max: number): number {
  const value = Number(values[option]);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  return refuse(`--${option} is "${values[option]}": it must be a whole number from ${min} to ${max}`);
}

if (values.prices !== undefined && !/^\d+(\.\d+)?,\d+(\.\d+)?$/.test(values.prices)) {
  refuse(`--prices is "${values.prices}": it must be two numbers, as 3,9`);
}
if (values.upstream !== undefined && !/^https?:/.test(URL.parse(values.upstream)?.protocol ?? '')) {
  refuse(`--upstream is "${values.upstream}": it must be an http: or https: URL`);
}
// Before the work, so that a file that can't be written is known at once.
const dump = values.dump === undefined ? undefined : await open(values.dump, 'w').catch(refuse);

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function heading(text: string): void {
  console.log(`\n${styleText(['bold', 'cyan'], text)}`);
}

const receiver = createReceiver();
const model = createUpstream({ tokens: readNumber('tokens', 0, 1_000_000), error: readNumber('error', 400, 599) });
const [receiverUrl, modelUrl] = await Promise.all([listen(receiver.server), listen(model)]);
const real = values.upstream?.replace(/\/$/, '');
const worker = await startWorker(await buildWorker(), {
  OTEL_SERVICE_NAME: 'edgespan-example',
  OTEL_EXPORTER_OTLP_ENDPOINT: receiverUrl,
  OPENAI_URL: real ?? modelUrl,
  ANTHROPIC_URL: modelUrl,
  LOCAL_METRICS: 'true',
  ...(values.prices && { PRICES: values.prices }),
  ...(process.env.OPENAI_API_KEY && { OPENAI_API_KEY: process.env.OPENAI_API_KEY }),
});

async function post(path: string, message: string): Promise<string> {
  const response = await fetch(new URL(path, worker.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  });
  return response.text();
}

/** SERVER and model spans of each request; the forecast has an agent and a tool besides. */
await post('/chat', 'Where do things happen?');
await post('/forecast', 'What is the weather in Lisbon?');
let expected = 6;
if (!real) {
  await post('/chat', 'Please fail.');
  expected += 2;
}
await receiver.waitFor(expected, 15_000);

heading(`What the OTLP receiver decoded: ${receiver.spans.length} spans of workerd`);
console.log(renderTraces(receiver.spans));

const metrics = await fetch(new URL('/metrics', worker.url));
heading(`GET /metrics → ${metrics.status} ${metrics.headers.get('content-type')}`);
const families = [
  'llm_requests_total',
  'llm_request_duration_seconds',
  'llm_time_to_first_token_seconds',
  'llm_tokens_total',
  'llm_cost_usd_total',
  'llm_tool_calls_total',
  'llm_tool_executions_total',
  'llm_errors_total',
  'edgespan_spans_total',
];
const shown = new RegExp(`^(# TYPE )?(${families.join('|')})(_sum|_count)?[ {]`);
const lines = (await metrics.text()).split('\n');
console.log(lines.filter((line) => shown.test(line)).join('\n'));
const hidden = lines.filter((line) => line !== '' && !line.startsWith('#')).length;
console.log(styleText('dim', `… of ${hidden} samples in all`));

if (dump) {
  await dump.writeFile(`${JSON.stringify(receiver.requests, undefined, 2)}\n`);
  await dump.close();
  console.log(`\nwrote ${values.dump}`);
}

if (values.serve) {
  heading('Running; Ctrl+C ends it');
  console.log(`worker    ${worker.url}  (POST /chat, POST /forecast, GET /metrics)
model     ${modelUrl}
receiver  ${receiverUrl}

curl -N -d '{"message":"hello"}' ${new URL('/chat', worker.url)}`);
} else {
  await worker.stop();
  receiver.server.close();
  model.close();
}
