import { describe, expect, it } from 'vitest';
import {
  createMetricRegistry,
  type ReadableSpan,
  type TelemetryError,
  type TelemetryOptions,
} from '../../src/index.ts';
import { patterns } from '../../src/redact/patterns.ts';
import { chatRequest, chatUrl, createAlsTelemetry } from '../support/telemetry.ts';

const canary = 'canary@example.com';

/** A telemetry whose every output is kept as text: memory, exporter, OTLP, console, `/metrics`. */
function create(options: TelemetryOptions = {}) {
  const exported: ReadableSpan[] = [];
  const posted: string[] = [];
  const errors: TelemetryError[] = [];
  const telemetry = createAlsTelemetry({
    onError: (error) => errors.push(error),
    exporters: [(spans) => void exported.push(...spans)],
    otlp: {
      endpoint: 'https://otlp.example',
      compression: 'none',
      fetch: async (_url, init) => {
        posted.push(new TextDecoder().decode(init?.body as Uint8Array));
        return new Response('{}');
      },
    },
    redact: patterns.email,
    ...options,
  });
  async function outputs(): Promise<string> {
    await telemetry.flush();
    const spans = [...telemetry.spans, ...exported].map(({ name, attributes, events, links, status, resource }) => ({
      name,
      attributes,
      events,
      links,
      status,
      resource: resource.attributes,
    }));
    const page = await telemetry.prometheus({ format: 'openmetrics' });
    return [JSON.stringify(spans), ...posted, page].join('\n');
  }
  return { telemetry, outputs, errors };
}

describe('redaction', () => {
  it('reaches every string of every signal, on every way out', async () => {
    const { telemetry, outputs } = create({
      resource: { owner: canary },
      fetch: async () => Response.json({ error: { message: canary, code: canary, type: canary } }, { status: 400 }),
    });
    telemetry.span(`mail ${canary}`, { attributes: { to: canary, list: ['a', canary] } }, (span) => {
      span.setAttribute(canary, 1);
      span.setAttribute('nested', { deep: [{ mail: canary }] } as never);
      span.addEvent(`event ${canary}`, { to: canary });
      span.recordException(new Error(canary));
      span.addLink({ context: span.spanContext(), attributes: { to: canary } });
      span.setStatus({ code: 2, message: canary });
    });
    await (await telemetry.fetch(chatUrl, chatRequest({ model: canary, stop: canary }))).text();
    telemetry.metrics.counter('mails_total', { labels: ['to'] }).inc({ to: canary });
    telemetry.meter.createHistogram('sizes').record(1, { to: canary });
    telemetry.tool({ name: canary, description: canary }, () => {})();
    const text = await outputs();
    expect(text).toContain('[REDACTED]');
    expect(text).not.toContain(canary);
    expect(telemetry.metrics.value('edgespan_redacted_total', { signal: 'span' })).toBeGreaterThan(10);
    expect(telemetry.metrics.value('edgespan_redacted_total', { signal: 'metric' })).toBeGreaterThan(0);
  });

  it('keeps what is no secret as it is', async () => {
    const { telemetry } = create();
    telemetry.span('work', { attributes: { a: 1, b: true, c: 'text', d: [1, 2], e: ['x'] } }, () => {});
    expect(telemetry.spans[0]).toMatchObject({
      name: 'work',
      attributes: { a: 1, b: true, c: 'text', d: [1, 2], e: ['x'] },
    });
    expect(telemetry.metrics.value('edgespan_redacted_total')).toBeUndefined();
  });

  it('by key takes the value, nested and in JSON too, in any case', async () => {
    const { telemetry } = create({ redact: [{ key: 'password' }, { key: /^secret-/ }] });
    const json = JSON.stringify({ user: 'a', Password: { any: 'thing' }, list: [{ password: 1 }] });
    const attributes = { 'db.password': 'p', PASSWORD: 'p', 'secret-x': 5, json, passwordless: 'kept' };
    telemetry.span('work', { attributes }, (span) => span.setAttribute('map', { password: 'p', b: 1 } as never));
    expect(telemetry.spans[0]!.attributes).toEqual({
      'db.password': '[REDACTED]',
      PASSWORD: '[REDACTED]',
      'secret-x': '[REDACTED]',
      json: '{"user":"a","Password":"[REDACTED]","list":[{"password":"[REDACTED]"}]}',
      passwordless: 'kept',
      map: { password: '[REDACTED]', b: 1 },
    });
  });

  it('by key takes the value in JSON inside of JSON, as the arguments of a tool', () => {
    const { telemetry } = create({ redact: [{ key: 'password' }] });
    const call = { name: 'login', arguments: JSON.stringify({ user: 'a', password: 'hunter22' }) };
    telemetry.span('work', { attributes: { call: JSON.stringify(call) } }, () => {});
    expect(JSON.parse(String(telemetry.spans[0]!.attributes.call))).toEqual({
      name: 'login',
      arguments: '{"user":"a","password":"[REDACTED]"}',
    });
  });

  it('by key takes the value in a query, a form or a line', () => {
    const { telemetry } = create({ redact: [{ key: 'api_key' }, { key: 'pin' }] });
    const attributes = {
      'url.query': '?a=1&api%5Fkey=hunter2&b=2#pin=4',
      form: 'pin=1234&PIN=99',
      line: 'user=jane pin=1234; spin=3 = x',
    };
    telemetry.span('work', { attributes }, () => {});
    expect(telemetry.spans[0]!.attributes).toEqual({
      'url.query': '?a=1&api%5Fkey=[REDACTED]&b=2#pin=[REDACTED]',
      form: 'pin=[REDACTED]&PIN=[REDACTED]',
      line: 'user=jane pin=[REDACTED]; spin=3 = x',
    });
  });

  it('sees what URLs and forms encode, and leaves the rest of them as it is', () => {
    const { telemetry } = create();
    const attributes = {
      'url.path': '/users/canary%40example.com/a%2Fb',
      'url.query': '?mail=canary%40ex%61mple.com&name=J%C3%BCrgen+M',
      whole: '100%25 of caf%C3%A9s, %zz and %ff, a+b',
      json: JSON.stringify({ a: 'https://a.example/?to=canary%40example.com%22', b: '%41' }),
    };
    telemetry.span('work', { attributes }, () => {});
    const left = telemetry.spans[0]!.attributes;
    expect(JSON.stringify(left)).not.toMatch(/canary/);
    expect(left['url.path']).toBe('/users/[REDACTED]/a/b');
    expect(left.whole).toBe(attributes.whole);
    expect(JSON.parse(String(left.json))).toEqual({ a: 'https://a.example/?to=[REDACTED]%22', b: '%41' });
  });

  it('by expression takes all matches, whatever its flags', () => {
    const { telemetry } = create({ redact: [/order-\d+/, /x/y] });
    telemetry.span('work', { attributes: { a: 'order-1 and order-22' } }, () => {});
    telemetry.span('work', { attributes: { a: 'order-1 and order-22' } }, () => {});
    for (const { attributes } of telemetry.spans) expect(attributes.a).toBe('[REDACTED] and [REDACTED]');
  });

  it('by function sees where a text stands', async () => {
    const seen = new Set<string>();
    const { telemetry } = create({
      redact: (text, { signal, key }) => {
        seen.add(`${signal} ${key}`);
        return key === 'user' ? text.slice(0, 1) : text;
      },
    });
    telemetry.span('work', { attributes: { user: 'jane' } }, () => {});
    telemetry.metrics.counter('c_total', { labels: ['user'] }).inc({ user: 'jane' });
    expect(telemetry.spans[0]!.attributes.user).toBe('j');
    expect(telemetry.metrics.value('c_total', { user: 'j' })).toBe(1);
    expect([...seen]).toEqual(expect.arrayContaining(['span name', 'span user', 'metric user']));
  });

  it.each([
    () => {
      throw new Error('no');
    },
    () => undefined as never,
  ])('that fails leaves nothing, and is counted', async (rule) => {
    const { telemetry, outputs, errors } = create({ redact: rule });
    telemetry.span(canary, { attributes: { to: canary } }, () => {});
    expect(await outputs()).not.toContain(canary);
    expect(telemetry.spans[0]!.attributes).toEqual({ '[REDACTED]': '[REDACTED]' });
    expect(telemetry.metrics.value('edgespan_redaction_failures_total')).toBeGreaterThan(1);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['redaction_failed']));
  });

  it('covers a registry that is shared', async () => {
    const registry = createMetricRegistry();
    const { telemetry, outputs } = create({ metrics: { registry } });
    telemetry.metrics.counter('mails_total', { labels: ['to'] }).inc({ to: canary });
    expect(await outputs()).not.toContain(canary);
  });

  it('adds up series that are the same without their secrets', () => {
    const { telemetry } = create();
    const mails = telemetry.metrics.counter('mails_total', { labels: ['to'] });
    mails.inc({ to: canary });
    mails.inc({ to: 'other@example.com' }, 2);
    expect(telemetry.metrics.value('mails_total', { to: '[REDACTED]' })).toBe(3);
  });

  it('refuses what is no rule', () => {
    expect(() => create({ redact: [{}] as never })).toThrow(/redact.*must be a pattern of edgespan\/redact/);
  });
});
