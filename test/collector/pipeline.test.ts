import { describe, expect, it } from 'vitest';
import { createAuditLog } from '../../src/audit/index.ts';
import { createCollector } from '../../src/collector/index.ts';
import { decodeTraces } from '../../src/otlp/decode/decode.ts';
import { chatSpan, getJson, getMetrics, sendSpans, workSpan } from './support.ts';

const id = (char: string) => char.repeat(32);
const error = { code: 2, message: 'no' };

async function storedIds(collector: ReturnType<typeof createCollector>): Promise<string[]> {
  const { traces } = (await getJson(collector, '/v1/traces')) as { traces: { trace_id: string }[] };
  return traces.map(({ trace_id }) => trace_id).sort();
}

describe('sampling', () => {
  it('keeps a share by the trace id, and counts all', async () => {
    const collector = createCollector({ telemetry: { sampling: { ratio: 0.5 } } });
    // The last seven bytes decide: those that are high stay.
    await sendSpans(collector, [chatSpan({ traceId: id('1') }), chatSpan({ traceId: id('e') })]);
    expect(await storedIds(collector)).toEqual([id('e')]);
    expect(await getMetrics(collector)).toMatch(/llm_requests_total\{.*\} 2\n/);
  });

  it('keeps whole traces that failed, were slow or dear, although the share leaves them out', async () => {
    const collector = createCollector({
      telemetry: { sampling: { ratio: 0, keepErrors: true, keepSlowerThanMs: 5000, keepCostlierThanUsd: 0.5 } },
    });
    // Children come before the root that decides.
    await sendSpans(collector, [
      chatSpan({ traceId: id('1'), spanId: id('1').slice(16), parentId: id('2').slice(16) }),
      chatSpan({ traceId: id('2') }),
      workSpan({ traceId: id('3'), ms: 6000 }),
      chatSpan({ traceId: id('4'), attributes: { 'gen_ai.usage.cost': 0.3 }, spanId: id('1').slice(16) }),
    ]);
    expect(await storedIds(collector)).toEqual([id('3')]);
    await sendSpans(collector, [
      workSpan({ traceId: id('1'), spanId: id('2').slice(16), status: error }),
      chatSpan({ traceId: id('4'), attributes: { 'gen_ai.usage.cost': 0.3 }, spanId: id('2').slice(16) }),
    ]);
    expect(await storedIds(collector)).toEqual([id('1'), id('3'), id('4')]);
    expect((await getJson(collector, `/v1/traces/${id('1')}`)).spans).toHaveLength(2);
    expect((await getJson(collector, `/v1/traces/${id('4')}`)).spans).toHaveLength(2);
    // What comes late of a trace that is kept is kept.
    await sendSpans(collector, [workSpan({ traceId: id('1'), spanId: id('3').slice(16) })]);
    expect((await getJson(collector, `/v1/traces/${id('1')}`)).spans).toHaveLength(3);
  });

  it('holds no more than its bounds say, and for no longer', async () => {
    let ms = 0;
    const collector = createCollector({
      telemetry: { sampling: { ratio: 0, keepErrors: true }, runtime: { monotonic: () => ms } },
      limits: { heldTraces: 2, heldMs: 1000 },
    });
    for (const char of ['1', '2', '3']) await sendSpans(collector, [workSpan({ traceId: id(char) })]);
    const text = await getMetrics(collector);
    expect(text).toContain('edgespan_collector_held_spans 2');
    expect(text).toMatch(/spans_dropped_by_sampling_total\{.*\} 1\n/);
    const fail = (char: string) => workSpan({ traceId: id(char), spanId: id('9').slice(16), status: error });
    await sendSpans(collector, [fail('3')]);
    expect((await getJson(collector, `/v1/traces/${id('3')}`)).spans).toHaveLength(2);
    ms = 1000;
    expect(await getMetrics(collector)).toContain('edgespan_collector_held_spans 0');
    await sendSpans(collector, [fail('2')]);
    expect((await getJson(collector, `/v1/traces/${id('2')}`)).spans).toHaveLength(1);
  });
});

describe('redaction', () => {
  it('takes secrets out before anything keeps, forwards or counts them', async () => {
    const bodies: Uint8Array[] = [];
    const collector = createCollector({
      telemetry: {
        redact: /sk-\w+/g,
        otlp: {
          fetch: async (input, init) => {
            bodies.push(new Uint8Array(await new Request(input, init).arrayBuffer()));
            return new Response('{}');
          },
        },
      },
      forward: { endpoint: 'http://backend.test' },
    });
    const secret = 'sk-abc123';
    await sendSpans(collector, [
      chatSpan({
        service: `shop ${secret}`,
        name: `chat ${secret}`,
        attributes: { prompt: `my ${secret}`, [secret]: 1 },
        status: { code: 2, message: secret },
        events: [{ name: secret, time: [1_700_000_000, 0], attributes: { said: secret } }],
      }),
    ]);
    await collector.shutdown();
    const everything = [
      await (await collector.request('/v1/traces')).text(),
      await (await collector.request(`/v1/traces/${id('a')}`)).text(),
      await getMetrics(collector),
      ...bodies.map((body) => new TextDecoder().decode(body)),
    ];
    expect(bodies).toHaveLength(1);
    for (const text of everything) {
      expect(text).not.toContain(secret);
      expect(text).toMatch(/REDACTED/);
    }
    expect(everything[2]).toMatch(/edgespan_collector_redaction_applied_total\{.*\} 1\n/);
  });

  it('leaves nothing of a text whose rule fails', async () => {
    const collector = createCollector({
      telemetry: {
        redact: (text, { key }) => {
          if (key === 'prompt') throw new Error('broken');
          return text;
        },
        onError: () => {},
      },
    });
    await sendSpans(collector, [chatSpan({ attributes: { prompt: 'my secret' } })]);
    expect(await (await collector.request(`/v1/traces/${id('a')}`)).text()).not.toContain('my secret');
    expect(await getMetrics(collector)).toMatch(/edgespan_collector_redaction_failures_total\{.*\} 1\n/);
  });
});

describe('forwarding', () => {
  it('sends on what is stored, tries again what failed, and says so', async () => {
    const requests: { url: string; key: string | null; ids: string[] }[] = [];
    let status = 503;
    const collector = createCollector({
      telemetry: {
        flush: { maxRetries: 0, intervalMs: 1 },
        onError: () => {},
        otlp: {
          fetch: async (input, init) => {
            const request = new Request(input, init);
            const { spans } = decodeTraces(new Uint8Array(await request.arrayBuffer()), 'json');
            const ids = spans.map((span) => span.spanContext().traceId);
            requests.push({ url: request.url, key: request.headers.get('x-key'), ids });
            return new Response('{}', { status });
          },
        },
      },
      forward: { endpoint: 'http://backend.test/otlp', headers: { 'x-key': 'k' } },
    });
    expect((await sendSpans(collector, [chatSpan()])).status).toBe(200);
    while ((await collector.request('/ready')).status !== 503) await new Promise((resolve) => setTimeout(resolve, 0));
    expect(await getJson(collector, '/ready')).toMatchObject({
      reasons: ['the endpoint of forward does not take spans'],
    });
    expect(await getMetrics(collector)).toMatch(/edgespan_collector_export_failures_total\{.*\} [1-9]\d*\n/);
    status = 200;
    await collector.shutdown();
    expect(requests.at(-1)).toEqual({ url: 'http://backend.test/otlp/v1/traces', key: 'k', ids: [id('a')] });
    expect((await getJson(collector, '/ready')).status).toBe('ready');
  });

  it('leaves out what sampling does', async () => {
    let sent = 0;
    const collector = createCollector({
      telemetry: { sampling: { ratio: 0 }, otlp: { fetch: async () => new Response('{}', { status: ++sent && 200 }) } },
      forward: { endpoint: 'http://backend.test' },
    });
    await sendSpans(collector, [chatSpan()]);
    await collector.shutdown();
    expect(sent).toBe(0);
  });
});

describe('the live feed', () => {
  async function readEvents(response: Response, count: number): Promise<Record<string, unknown>[]> {
    const events: Record<string, unknown>[] = [];
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; events.length < count; ) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
      const parts = text.split('\n\n');
      text = parts.pop()!;
      for (const part of parts) {
        const data = /^event: trace\ndata: (.*)$/.exec(part)?.[1];
        if (data) events.push(JSON.parse(data));
      }
    }
    await reader.cancel();
    return events;
  }

  it('tells each tenant of its traces as they come', async () => {
    const collector = createCollector({ keys: { 'key-a': 'a', 'key-b': 'b' } });
    const response = await collector.request('/v1/live', { headers: { 'x-api-key': 'key-a' } });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await sendSpans(collector, [chatSpan({ traceId: id('b') })], { 'x-api-key': 'key-b' });
    await sendSpans(collector, [chatSpan()], { 'x-api-key': 'key-a' });
    expect(await readEvents(response, 1)).toMatchObject([{ trace_id: id('a'), name: 'chat gpt-4o', span_count: 1 }]);
  });

  it('has as many listeners as its bound says, and ends with the collector', async () => {
    const collector = createCollector({ limits: { listeners: 1 } });
    const first = await collector.request('/v1/live');
    expect((await collector.request('/v1/live')).status).toBe(429);
    await first.body!.cancel();
    const second = await collector.request('/v1/live');
    expect(second.status).toBe(200);
    await collector.shutdown();
    expect(await readEvents(second, 1)).toEqual([]);
  });

  it('takes nobody for a listener who asks for the head alone', async () => {
    const collector = createCollector({ limits: { listeners: 1 } });
    for (let i = 0; i < 2; i++) {
      const head = await collector.request('/v1/live', { method: 'HEAD' });
      expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    }
    const { status, body } = await collector.request('/v1/live');
    expect(status).toBe(200);
    await body?.cancel();
  });

  it('asks the store where no request may hear of another one', async () => {
    const collector = createCollector({
      telemetry: { runtime: { ephemeral: true, now: () => 1_700_000_010_000 } },
    });
    await sendSpans(collector, [chatSpan()]);
    expect(await readEvents(await collector.request('/v1/live'), 1)).toMatchObject([{ trace_id: id('a') }]);
  });
});

describe('charts', () => {
  it('have requests, errors, tokens, cost and percentiles by the minute', async () => {
    let now = 1_700_000_040_000;
    const collector = createCollector({ telemetry: { runtime: { now: () => now } } });
    await sendSpans(collector, [
      chatSpan({ ms: 100 }),
      chatSpan({ spanId: id('2').slice(16), ms: 100, status: error }),
    ]);
    now += 60_000;
    await sendSpans(collector, [
      chatSpan({ spanId: id('3').slice(16), ms: 4000, attributes: { 'gen_ai.response.time_to_first_chunk': 0.5 } }),
    ]);
    const page = await getJson(collector, '/v1/stats?window=2&by=service');
    expect(page).toMatchObject({ start_ms: 1_700_000_040_000, step_ms: 60_000 });
    const { shop } = page.groups as Record<string, Record<string, number[]>>;
    expect(shop).toMatchObject({ requests: [2, 1], errors: [1, 0], tokens: [300, 150], cost_usd: [0.0015, 0.00075] });
    expect(shop!.p95_ms![0]).toBeGreaterThan(80);
    expect(shop!.p95_ms![0]).toBeLessThan(125);
    expect(shop!.p50_ms![1]).toBeGreaterThan(3200);
    expect(shop!.p50_ms![1]).toBeLessThan(5000);
    expect(shop!.ttft_p95_ms![0]).toBe(null);
    expect(shop!.ttft_p95_ms![1]).toBeGreaterThan(400);
  });
});

describe('the audit log', () => {
  it('gets an entry for each model call', async () => {
    const audit = createAuditLog();
    const collector = createCollector({ audit });
    await sendSpans(collector, [chatSpan(), workSpan({ spanId: id('2').slice(16) })]);
    expect((await audit.query()).records).toMatchObject([{ model: 'gpt-4o', provider: 'openai', traceId: id('a') }]);
  });
});
