import { createTelemetry } from '../../dist/core.js';
import { openai } from '../../src/llm/providers/openai.ts';
import { createReplyReader } from '../../src/llm/reply-reader.ts';
import { tapBody } from '../../src/stream/tap.ts';
import type { Line } from '../compare.ts';
import { chunks, createBody, drain, outputTokens } from './openai-stream.ts';

type Body = ReadableStream<Uint8Array>;

/** The least that an observer of a body can be. */
function passThrough(body: Body, see: (bytes: Uint8Array) => void): Body {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        see(value);
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Parses every event, as most instrumentations do. */
function createParser(): (bytes: Uint8Array) => void {
  const text = new TextDecoder();
  let pending = '';
  let usage: unknown;
  return (bytes) => {
    const lines = (pending + text.decode(bytes, { stream: true })).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: {')) usage = (JSON.parse(line.slice(6)) as { usage?: unknown }).usage ?? usage;
    }
  };
}

const reply = {
  status: 200,
  headers: new Headers({ 'content-type': 'text/event-stream' }),
  request: { provider: 'openai', model: 'gpt-4o-mini', operation: 'chat', stream: true },
};

async function drainTapped(): Promise<void> {
  const reader = createReplyReader(openai, reply, {
    maxBodyBytes: 4 * 1024 * 1024,
    maxEventBytes: 1024 * 1024,
    onContent() {},
    onEnd() {},
    onParseError() {},
  });
  await drain(tapBody(createBody(), { chunk: (bytes) => reader.chunk(bytes), end() {} }));
  if (reader.finish().usage?.output !== outputTokens) throw new Error('the usage was not read');
}

const url = 'https://api.openai.com/v1/chat/completions';
const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
  body: JSON.stringify({
    model: 'gpt-4o-mini',
    stream: true,
    messages: [{ role: 'user', content: 'Hello '.repeat(50) }],
  }),
};
const responseInit = { headers: { 'content-type': 'text/event-stream' } };
/** Upstream without a network. */
const answer = async () => new Response(createBody(), responseInit);

/** `telemetry.fetch` over that upstream, all its defaults on. */
export function createObservedFetch() {
  const telemetry = createTelemetry({ fetch: answer, providers: [openai], exporters: [() => {}] });
  return { telemetry, request: () => telemetry.fetch(url, init), bareRequest: answer };
}

export function createStreamLines(): Line[] {
  const name = 'stream tap and OpenAI reader, per chunk';
  const { telemetry, request, bareRequest } = createObservedFetch();
  const operations = chunks.length;
  return [
    {
      name,
      peerName: 'bare pass-through',
      goal: 2,
      operations,
      ours: drainTapped,
      peer: () => drain(passThrough(createBody(), () => {})),
    },
    {
      name,
      peerName: 'JSON of every event',
      goal: 0.5,
      operations,
      ours: drainTapped,
      peer: () => drain(passThrough(createBody(), createParser())),
    },
    {
      name: 'streamed call through telemetry.fetch, per chunk',
      peerName: 'bare pass-through',
      goal: 3,
      operations,
      async ours() {
        await drain((await request()).body!);
        await telemetry.flush();
      },
      peer: async () => drain(passThrough((await bareRequest()).body!, () => {})),
    },
  ];
}
