import { describe, expect, it } from 'vitest';
import { bedrockPlugin } from '../../adapters/bedrock/index.ts';
import type { Telemetry } from '../../src/index.ts';
import { bedrock } from '../../src/llm/providers/bedrock.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import { createAlsTelemetry, settle } from '../support/telemetry.ts';

type Step = (args: unknown) => Promise<unknown>;

const sent = {
  method: 'POST',
  protocol: 'https:',
  hostname: 'bedrock-runtime.eu-west-1.amazonaws.com',
  path: '/model/amazon.nova-lite-v1%3A0/converse-stream',
  headers: { 'content-type': 'application/json' },
  body: '{"messages":[]}',
};
const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
const whole = { output: { message: { content: [] } }, stopReason: 'end_turn', usage, $metadata: {} };
const events = [
  { messageStart: { role: 'assistant' } },
  { contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'Hi' } } },
  { messageStop: { stopReason: 'end_turn' } },
  { metadata: { usage } },
];

/** The client's stack, as far as the plugin uses it. */
function call(telemetry: Telemetry, answer: () => unknown, request: unknown = sent): Promise<unknown> {
  const stack: ((next: Step, context: object) => Step)[] = [];
  bedrockPlugin(telemetry).applyToStack({
    add(middleware: unknown) {
      stack.push(middleware as (typeof stack)[number]);
    },
  });
  return stack[0]!(async () => answer(), {})({ request });
}

const create = (options = {}) => createTestTelemetry({ providers: [bedrock], ...options });
const answered = (output: unknown) => ({ response: { statusCode: 200, headers: {} }, output });

async function* generate(items: readonly unknown[] = events) {
  yield* items;
}

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('a call', () => {
  it('gets the very answer, whose stream is the very object', async () => {
    const telemetry = create();
    const answer = answered({ stream: generate() });
    const { stream } = answer.output as { stream: AsyncGenerator };
    expect(await call(telemetry, () => answer)).toBe(answer);
    expect((answer.output as { stream: unknown }).stream).toBe(stream);
    expect(Object.keys(stream)).toEqual([]);
    expect(await collect(stream)).toEqual(events);
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.spans[0]?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 10,
      'cloud.region': 'eu-west-1',
    });
  });

  it('fails with the very error, whatever was thrown', async () => {
    const telemetry = create();
    for (const thrown of [undefined, 'no', new TypeError('fetch failed')]) {
      const failed = call(telemetry, () => {
        throw thrown;
      });
      expect(
        await failed.then(
          () => 'returned',
          (error: unknown) => [error],
        ),
      ).toEqual([thrown]);
    }
    expect(telemetry.spans.map(({ attributes }) => attributes['error.type'])).toEqual([
      '_OTHER',
      '_OTHER',
      'TypeError',
    ]);
  });

  it('is no model’s', async () => {
    const telemetry = create();
    const others = [
      null,
      {},
      { ...sent, method: 'GET' },
      { ...sent, path: '/async-invoke' },
      { ...sent, hostname: ' ' },
    ];
    for (const request of others) expect(await call(telemetry, () => 1, request)).toBe(1);
    expect(telemetry.spans).toEqual([]);
  });

  it('passes where telemetry is off', async () => {
    const telemetry = create({ enabled: false });
    expect(await call(telemetry, () => 1)).toBe(1);
    expect(telemetry.spans).toEqual([]);
  });

  it.each([undefined, null, 1, {}, answered(undefined), answered({ stream: 1 }), { response: {}, output: {} }])(
    'may be answered %j',
    async (answer) => {
      const telemetry = create();
      expect(await call(telemetry, () => answer)).toBe(answer);
      expect(telemetry.spans.map((span) => span.ended)).toEqual([true]);
    },
  );

  it('does not read a body above the bound', async () => {
    const telemetry = create({ limits: { bodyBytes: 8 } });
    const body = new TextEncoder().encode('{"embedding":[1]}');
    await call(telemetry, () => answered({ body }), { ...sent, path: '/model/x.embed/invoke' });
    expect(telemetry.spans[0]?.status.code).not.toBe(2);
    expect(telemetry.metrics.value('edgespan_parse_errors_total') ?? 0).toBe(0);
  });

  it('counts what it can’t make out, once', async () => {
    const telemetry = create();
    const broken = [...events.slice(0, 3), { metadata: { usage: { inputTokens: 'ten', outputTokens: -1 } } }];
    const answer = answered({ stream: generate(broken) });
    await call(telemetry, () => answer);
    await collect((answer.output as { stream: AsyncGenerator }).stream);
    expect(telemetry.metrics.value('edgespan_parse_errors_total')).toBe(1);
    expect(telemetry.spans[0]?.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
  });
});

describe('a trace', () => {
  it('has the call under what was active, and tokens at the call alone', async () => {
    const telemetry = createAlsTelemetry({ providers: [bedrock] });
    const ask = telemetry.llm({ name: 'ask', provider: 'bedrock' }, () => call(telemetry, () => answered(whole)));
    await telemetry.span('work', () => ask());
    const [inner, outer, work] = telemetry.spans;
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(outer?.parentSpanContext?.spanId).toBe(work?.spanContext().spanId);
    expect(telemetry.metrics.value('llm_tokens_total', { token_type: 'input' })).toBe(10);
    expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
  });

  it('goes on in the request, where it may', async () => {
    const request = { ...sent, headers: {} as Record<string, string> };
    const hidden = create();
    await call(hidden, () => answered(whole), request);
    expect(request.headers).toEqual({});
    const telemetry = create({ propagation: { to: (url: URL) => url.hostname.endsWith('.amazonaws.com') } });
    await call(telemetry, () => answered(whole), request);
    expect(request.headers.traceparent).toContain(telemetry.spans[0]!.spanContext().spanId);
  });
});

describe('a stream', () => {
  async function open(telemetry: Telemetry, items?: readonly unknown[]) {
    const { stream } = (await call(telemetry, () => answered({ stream: generate(items) })).then(
      (answer) => (answer as { output: unknown }).output,
    )) as { stream: AsyncGenerator };
    return stream;
  }

  it('is read no further than its consumer reads', async () => {
    const telemetry = create();
    let given = 0;
    const stream = (async function* () {
      for (const event of events) {
        given++;
        yield event;
      }
    })();
    await call(telemetry, () => answered({ stream }));
    const iterator = stream[Symbol.asyncIterator]();
    await settle();
    expect(given).toBe(0);
    await iterator.next();
    await settle();
    expect(given).toBe(1);
  });

  it('ends with its last event, though its consumer may not ask for more', async () => {
    const telemetry = create();
    const iterator = (await open(telemetry))[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) await iterator.next();
    expect(telemetry.spans).toHaveLength(0);
    await iterator.next();
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.spans[0]?.status.code).not.toBe(2);
  });

  it('that its consumer leaves by an error is aborted', async () => {
    const telemetry = create();
    const stream = await open(telemetry);
    const failed = (async () => {
      for await (const _event of stream) throw new Error('mine');
    })();
    await expect(failed).rejects.toThrow('mine');
    expect(telemetry.spans[0]?.attributes).toMatchObject({ 'edgespan.aborted': true });
  });

  it('that nobody reads ends as aborted when somebody looks', async () => {
    let now = 0;
    const telemetry = create({ runtime: { monotonic: () => now } });
    await open(telemetry);
    now = 60_000;
    await telemetry.prometheus();
    expect(telemetry.spans[0]?.attributes).toMatchObject({ 'edgespan.aborted': true });
  });
});
