import { describe, expect, it } from 'vitest';
import { type StartedWorker, startWorker } from '../support/worker.ts';
import { isInstalled, remedy } from './installed.ts';

const installed = isInstalled('ai');

/** The vendor is the telemetry's own stand-in for the network. */
const program = `
import { createTelemetry, instrument } from 'edgespan/workers';
import { aiSdkTelemetry } from 'edgespan/ai-sdk';
import { generateText, stepCountIs, streamText, tool } from './test/clients/node_modules/ai/dist/index.js';
import { createOpenAI } from './test/clients/node_modules/@ai-sdk/openai/dist/index.js';
import { z } from './test/clients/node_modules/zod/index.js';

const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
const common = { created: 1, model: 'gpt-4o-mini-2024-07-18' };
let id = 0;
const vendor = async (url, init) => {
  const { messages, stream } = JSON.parse(init.body);
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{}' } };
  const isLast = messages.some(({ role }) => role === 'tool');
  const message = isLast ? { role: 'assistant', content: 'Sun.' } : { role: 'assistant', content: null, tool_calls: [call] };
  const end = isLast ? 'stop' : 'tool_calls';
  const base = { ...common, id: 'chatcmpl-' + ++id };
  if (!stream) return Response.json({ ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: end }], usage });
  const chunk = (rest) => 'data: ' + JSON.stringify({ ...base, object: 'chat.completion.chunk', ...rest }) + '\\n\\n';
  const text = chunk({ choices: [{ index: 0, delta: message, finish_reason: null }] })
    + chunk({ choices: [{ index: 0, delta: {}, finish_reason: end }], usage }) + 'data: [DONE]\\n\\n';
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
};

const telemetry = createTelemetry({ inMemory: true, fetch: vendor, metrics: { local: true } });
const openai = createOpenAI({ apiKey: 'k', fetch: telemetry.fetch });
const integrations = aiSdkTelemetry(telemetry);
const tools = { get_weather: tool({ inputSchema: z.object({}), execute: async () => 'Sun' }) };

export default instrument({
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const asked = { model: openai.chat('gpt-4o-mini'), tools, stopWhen: stepCountIs(3), prompt: 'Weather?', telemetry: { integrations } };
    if (pathname === '/generate') return new Response((await generateText(asked)).text);
    if (pathname === '/stream') return streamText(asked).toTextStreamResponse();
    const spans = telemetry.spans.map((span) => [span.name, span.spanContext().spanId, span.parentSpanContext?.spanId]);
    const value = (name) => telemetry.metrics.value(name);
    return Response.json({ spans, requests: value('llm_requests_total'), tokens: value('llm_tokens_total') });
  },
}, telemetry);
`;

type Seen = { spans: [name: string, id: string, parent?: string][]; requests: number; tokens: number };

describe.skipIf(!installed)(`the AI SDK on Workers (${remedy})`, () => {
  it('is seen whole: one span a call, once counted, under its request', async () => {
    const worker: StartedWorker = await startWorker(program);
    try {
      const ask = async (path: string) => (await fetch(new URL(path, worker.url))).text();
      expect(await Promise.all([ask('/generate'), ask('/stream')])).toEqual(['Sun.', 'Sun.']);
      let seen: Seen = { spans: [], requests: 0, tokens: 0 };
      // The span of a request ends after its body.
      await expect
        .poll(async () => {
          seen = JSON.parse(await ask('/seen'));
          return seen.spans.filter(([name]) => name.startsWith('ai.')).length;
        })
        .toBe(2);
      expect(seen).toMatchObject({ requests: 4, tokens: 6000 });
      const parentOf = (given: string | undefined) => seen.spans.find(([, id]) => id === given)?.[0];
      const children = seen.spans.filter(([name]) => /^(chat|execute_tool)/.test(name));
      expect(children.map(([name, , parent]) => `${parentOf(parent)} > ${name}`).toSorted()).toEqual([
        'ai.generateText > chat gpt-4o-mini',
        'ai.generateText > chat gpt-4o-mini',
        'ai.generateText > execute_tool get_weather',
        'ai.streamText > chat gpt-4o-mini',
        'ai.streamText > chat gpt-4o-mini',
        'ai.streamText > execute_tool get_weather',
      ]);
      expect(worker.stderr).toEqual([]);
    } finally {
      await worker.stop();
    }
  });
});
