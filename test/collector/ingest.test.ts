import { gzipSync } from 'node:zlib';
import type { Attributes } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { createCollector } from '../../src/collector/index.ts';
import { json } from '../../src/otlp/json.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { chatSpan, getJson, post, sendSpans } from './support.ts';

describe('spans that come in', () => {
  it.each([
    ['JSON', json, undefined],
    ['protobuf', protobuf, undefined],
    ['gzip', protobuf, 'gzip'],
  ])('are there again, by OTLP as %s', async (_, encoder, encoding) => {
    const collector = createCollector();
    const bytes = encoder.traces([chatSpan({ name: 'chat gpt-4o' })]);
    const response = await collector.request('/v1/traces', {
      method: 'POST',
      headers: { 'content-type': encoder.contentType, ...(encoding && { 'content-encoding': encoding }) },
      body: (encoding ? gzipSync(bytes) : bytes) as Uint8Array<ArrayBuffer>,
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(encoder.contentType);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(
      encoder === json ? new TextEncoder().encode('{}') : new Uint8Array(0),
    );
    const { traces } = await getJson(collector, '/v1/traces');
    expect(traces).toEqual([
      {
        trace_id: 'a'.repeat(32),
        name: 'chat gpt-4o',
        service: 'shop',
        start_ms: 1_700_000_000_000,
        duration_ms: 1500,
        span_count: 1,
        status: 'ok',
        models: ['gpt-4o'],
        tokens: 150,
        cost_usd: 0.00075,
      },
    ]);
    const { spans } = await getJson(collector, `/v1/traces/${'A'.repeat(32)}`);
    expect(spans).toMatchObject([
      {
        span_id: '0000000000000001',
        kind: 'client',
        status: 'unset',
        start_ms: 1_700_000_000_000,
        duration_ms: 1500,
        attributes: { 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.input_tokens': 100 },
        resource: { 'service.name': 'shop', 'deployment.environment.name': 'production' },
        events: [],
      },
    ]);
  });

  it('are none that only announce others', async () => {
    const collector = createCollector();
    const announced = { 'logfire.span_type': 'pending_span', 'gen_ai.usage.input_tokens': undefined };
    const real = '1'.padStart(16, '0');
    await sendSpans(collector, [
      chatSpan({ spanId: '2'.padStart(16, '0'), parentId: real, ms: 0, attributes: announced }),
    ]);
    await sendSpans(collector, [chatSpan({ spanId: real })]);
    expect((await getJson(collector, `/v1/traces/${'a'.repeat(32)}`)).spans).toHaveLength(1);
    const text = await (await collector.request('/metrics')).text();
    expect(text).toMatch(/llm_requests_total\{.*\} 1\n/);
    expect(text).toMatch(/llm_tokens_total\{.*token_type="input".*\} 100\n/);
  });

  it('keep values that JSON has no word for', async () => {
    const collector = createCollector();
    const attributes = { big: 2n ** 62n + 1n, no: Number.NaN, all: [Infinity, -Infinity], raw: new Uint8Array([251]) };
    await sendSpans(collector, [chatSpan({ attributes: attributes as unknown as Attributes })]);
    const { spans } = await getJson(collector, `/v1/traces/${'a'.repeat(32)}`);
    expect(spans).toMatchObject([
      { attributes: { big: '4611686018427387905', no: 'NaN', all: ['Infinity', '-Infinity'], raw: '+w==' } },
    ]);
  });

  it('keep their trace state, and what was dropped before they came', async () => {
    const collector = createCollector();
    const request = JSON.parse(new TextDecoder().decode(json.traces([chatSpan()])));
    const dropped = { droppedAttributesCount: 1, droppedEventsCount: 2, droppedLinksCount: 3 };
    Object.assign(request.resourceSpans[0].scopeSpans[0].spans[0], { traceState: 'a=1,b=2', ...dropped });
    await post(collector, '/v1/traces', request);
    const { spans } = await getJson(collector, `/v1/traces/${'a'.repeat(32)}`);
    const counts = { dropped_attributes_count: 1, dropped_events_count: 2, dropped_links_count: 3 };
    expect(spans).toMatchObject([{ trace_state: 'a=1,b=2', ...counts }]);
  });

  it('become metrics of their service, priced', async () => {
    const collector = createCollector();
    await sendSpans(collector, [chatSpan()]);
    const text = await (await collector.request('/metrics')).text();
    const labels =
      'provider="openai",model="gpt-4o",operation="chat",status="ok",agent="",service="shop",environment="production"';
    expect(text).toContain(`llm_requests_total{${labels}} 1`);
    expect(text).toMatch(/llm_tokens_total\{[^}]*token_type="input"[^}]*service="shop"[^}]*\} 100/);
    expect(text).toMatch(/llm_cost_usd_total\{[^}]*service="shop"[^}]*\} 0\.00075/);
    expect(text).toContain('edgespan_collector_spans_sampled_total{service="shop",environment="production"} 1');
  });

  it('count once however often they come', async () => {
    const collector = createCollector();
    for (let i = 0; i < 3; i++) await sendSpans(collector, [chatSpan()]);
    expect(await (await collector.request('/metrics')).text()).toMatch(/llm_requests_total\{.*\} 1\n/);
  });

  it('come as Rastir sends them, in its words', async () => {
    const collector = createCollector();
    const response = await post(collector, '/v1/telemetry', {
      service: 'agents',
      env: 'dev',
      version: '1',
      spans: [
        {
          ...{ trace_id: 'c'.repeat(32), span_id: 'd'.repeat(32), name: 'ask', span_type: 'llm', status: 'OK' },
          ...{ start_time: 1_700_000_000.5, end_time: 1_700_000_002.5, events: [] },
          attributes: { model: 'gpt-4o', provider: 'openai', agent: 'writer', tokens_input: 10, tokens_output: 5 },
        },
      ],
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ status: 'accepted', spans_received: 1 });
    expect(await (await collector.request('/metrics')).text()).toMatch(
      /llm_requests_total\{provider="openai",model="gpt-4o",operation="chat",status="ok",agent="writer",service="agents",environment="dev"\} 1/,
    );
    expect(await getJson(collector, `/v1/traces?trace_id=${'c'.repeat(32)}`)).toMatchObject({
      trace_id: 'c'.repeat(32),
      spans: [{ name: 'ask' }],
    });
  });

  it('are partly taken where some make no sense', async () => {
    const collector = createCollector();
    const [good] = JSON.parse(new TextDecoder().decode(json.traces([chatSpan()]))).resourceSpans;
    const bad = structuredClone(good);
    bad.scopeSpans[0].spans[0].traceId = 'xyz';
    const response = await post(collector, '/v1/traces', { resourceSpans: [good, bad] });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      partialSuccess: {
        rejectedSpans: '1',
        errorMessage: 'resourceSpans[1].scopeSpans[0].spans[0].traceId: is no id of 32 hex digits',
      },
    });
  });
});

describe('the dashboard', () => {
  it('is at the root, under a strict policy, unless it is off', async () => {
    const response = await createCollector({ keys: { k: 'a' } }).request('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await createCollector({ dashboard: false }).request('/')).status).toBe(404);
  });
});

describe('health', () => {
  it('says that it is there and ready', async () => {
    const collector = createCollector();
    expect(await getJson(collector, '/health')).toEqual({ status: 'ok' });
    expect(await getJson(collector, '/ready')).toEqual({ status: 'ready', queue_pct: 0, reasons: [] });
  });
});
