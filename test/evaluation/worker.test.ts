import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chatCompletion } from '../support/telemetry.ts';
import { type StartedWorker, startWorker } from '../support/worker.ts';

const program = `
import { createTelemetry, instrument } from 'edgespan/workers';
import { relevance } from 'edgespan/judges';

const telemetry = createTelemetry((env) => ({
  otlp: { endpoint: env.UPSTREAM },
  evaluation: { evaluators: [relevance({ url: env.UPSTREAM + '/v1', model: 'judge' })] },
}));

export default instrument({
  async fetch(request, env) {
    const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] });
    const headers = { 'content-type': 'application/json' };
    return telemetry.fetch(env.UPSTREAM + '/v1/chat/completions', { method: 'POST', headers, body });
  },
}, telemetry);
`;

/** A model, a judge that waits to be told, and a receiver of spans. */
const judging: ServerResponse[] = [];
const names: string[] = [];
const upstream = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const body = JSON.parse(text);
  response.setHeader('content-type', 'application/json');
  if (request.url === '/v1/traces') {
    const { spans } = body.resourceSpans[0].scopeSpans[0] as { spans: { name: string }[] };
    names.push(...spans.map(({ name }) => name));
    response.end('{}');
  } else if (body.model === 'judge') judging.push(response);
  else response.end(JSON.stringify(request.url === '/v1/metrics' ? {} : chatCompletion()));
});

let worker: StartedWorker;

beforeAll(async () => {
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const UPSTREAM = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  worker = await startWorker(program, { bindings: { UPSTREAM } });
});
afterAll(async () => {
  await worker.stop();
  upstream.closeAllConnections();
  upstream.close();
});

it('answers before its judge does, and keeps each judgement with its own request', { timeout: 60_000 }, async () => {
  for (let i = 0; i < 2; i++) expect(await (await fetch(worker.url)).text()).toContain('Hello');
  await expect.poll(() => judging.length, { timeout: 20_000 }).toBe(2);
  expect(names).not.toContain('evaluate relevance');
  const verdict = chatCompletion({ choices: [{ message: { content: '{"score": 1}' } }] });
  for (const response of judging) response.end(JSON.stringify(verdict));
  const evaluations = () => names.filter((name) => name === 'evaluate relevance').length;
  await expect.poll(evaluations, { timeout: 20_000 }).toBe(2);
  expect(worker.stderr.join('')).not.toMatch(/hung|different request|never generate/i);
});
