import { equal, ok, thrown } from './assert.ts';
import { createTelemetry, type Suite, type SuiteEnv, tick } from './suite.ts';
import { chatStream, createSource, cutUp, post, type Source, sse } from './upstream.ts';

const url = 'https://api.openai.com/v1/chat/completions';
const ask = post({ model: 'gpt-4o-mini', stream: true, messages: [] });

async function open(env: SuiteEnv, source: Source) {
  const telemetry = createTelemetry(env, { fetch: async () => new Response(source.body, { headers: sse }) });
  const response = await telemetry.fetch(url, ask);
  return { telemetry, response, reader: response.body!.getReader() };
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    chunks.push(value);
  }
}

export const stream: Suite = [
  {
    name: 'stream: bytes pass as they are, chunk by chunk, however they are cut',
    async run(env) {
      const bytes = new TextEncoder().encode(chatStream.join(''));
      for (let seed = 1; seed <= 25; seed++) {
        const chunks = cutUp(bytes, seed);
        const { telemetry, reader } = await open(env, createSource(chunks));
        equal(
          (await readAll(reader)).map((chunk) => [...chunk]),
          chunks.map((chunk) => [...chunk]),
          `seed ${seed}`,
        );
        equal(telemetry.spans[0]?.attributes['gen_ai.usage.output_tokens'], 7, `usage of seed ${seed}`);
      }
    },
  },
  {
    name: 'stream: status and headers are those of the upstream',
    async run(env) {
      const headers = { ...sse, 'x-request-id': 'r1' };
      const answer = async () => new Response(createSource(chatStream).body, { status: 203, headers });
      const response = await createTelemetry(env, { fetch: answer }).fetch(url, ask);
      equal([response.status, response.ok], [203, true], 'status');
      equal(response.headers.get('x-request-id'), 'r1', 'header');
      equal(await response.text(), chatStream.join(''), 'text');
    },
  },
  {
    name: 'stream: nothing is read ahead of its reader',
    async run(env) {
      const source = createSource(chatStream);
      const { reader } = await open(env, source);
      await tick();
      equal(source.pulls, 0, 'before the first read');
      for (const expected of [1, 2, 3]) {
        await reader.read();
        await tick();
        equal(source.pulls, expected, 'reads');
      }
    },
  },
  {
    name: 'stream: cancelling reaches the upstream with its reason, and the span ends as aborted',
    async run(env) {
      const source = createSource(chatStream);
      const { telemetry, reader } = await open(env, source);
      await reader.read();
      await reader.read();
      const reason = new Error('enough');
      await reader.cancel(reason);
      ok(source.cancelled === reason, `the upstream got ${source.cancelled}`);
      const [span] = telemetry.spans;
      equal(telemetry.spans.length, 1, 'spans');
      equal([span?.attributes['edgespan.aborted'], span?.status.code], [true, 0], 'aborted');
      equal(span?.attributes['gen_ai.response.model'], 'gpt-4o-mini-2024-07-18', 'model seen so far');
      equal(telemetry.metrics.value('llm_streams_aborted_total'), 1, 'counted');
      equal(telemetry.metrics.value('llm_requests_total', { status: 'ok' }), 1, 'requests');
    },
  },
  {
    name: 'stream: an error passes as the same object and is the span’s',
    async run(env) {
      const boom = new Error('connection reset');
      const source = createSource([chatStream[0]!, chatStream[1]!, boom]);
      const { telemetry, reader } = await open(env, source);
      await reader.read();
      await reader.read();
      ok((await thrown(() => reader.read())) === boom, 'another error came out');
      const [span] = telemetry.spans;
      equal([span?.status.code, span?.attributes['edgespan.error_class']], [2, 'provider_error'], 'error');
    },
  },
  {
    name: 'stream: one that stops without saying so is an error, after its bytes are through',
    async run(env) {
      const { telemetry, reader } = await open(env, createSource(chatStream.slice(0, 3)));
      equal((await readAll(reader)).length, 3, 'chunks');
      equal(telemetry.spans[0]?.attributes['error.type'], 'incomplete_stream', 'error.type');
    },
  },
  {
    name: 'stream: the vendor’s terminator ends the span, though nobody reads on',
    async run(env) {
      const { telemetry, reader } = await open(env, createSource(chatStream));
      for (let i = 0; i < chatStream.length; i++) await reader.read();
      equal(telemetry.spans.length, 1, 'spans');
      await reader.cancel();
      equal(telemetry.spans.length, 1, 'spans after the cancel');
      equal(telemetry.spans[0]?.attributes['edgespan.aborted'], undefined, 'aborted');
    },
  },
  {
    name: 'stream: what no model sends passes untouched, the very same response',
    async run(env) {
      const answer = new Response('plain');
      const telemetry = createTelemetry(env, { fetch: async () => answer });
      ok((await telemetry.fetch('https://example.com/')) === answer, 'another response came out');
      equal(telemetry.spans.length, 0, 'spans');
    },
  },
  {
    name: 'stream: events that are no JSON change nothing for the reader and are counted',
    async run(env) {
      const broken = [chatStream[0]!, 'data: {"choices": [\n\n', 'garbage\n\n', ...chatStream.slice(1)];
      const { telemetry, reader } = await open(env, createSource(broken));
      const text = new TextDecoder();
      equal(
        (await readAll(reader)).map((chunk) => text.decode(chunk)),
        broken,
        'chunks',
      );
      equal(telemetry.spans[0]?.attributes['gen_ai.usage.output_tokens'], 7, 'usage');
      equal(telemetry.metrics.value('edgespan_parse_errors_total', { provider: 'openai' }), 1, 'counted');
    },
  },
];
