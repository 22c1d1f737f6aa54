import { describe, expect, it } from 'vitest';
import { createCollector, type LiveOptions } from '../../src/collector/index.ts';
import { chatSpan, getJson, getMetrics, sendSpans } from './support.ts';

const keys = { 'key-a': 'a', 'key-b': 'b' };

describe('keys', () => {
  it.each([
    ['none', {}],
    ['a wrong one', { 'x-api-key': 'key-c' }],
    ['the beginning of one', { authorization: 'Bearer key-' }],
    ['one too long', { 'x-api-key': 'k'.repeat(100_000) }],
  ])('refuse who has %s', async (_, headers) => {
    const collector = createCollector({ keys });
    for (const path of ['/v1/traces', '/metrics', '/v1/live', '/v1/stats', `/v1/traces/${'a'.repeat(32)}`]) {
      const response = await collector.request(path, { headers });
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.json()).toMatchObject({ error: { code: 'unauthorized' } });
    }
    expect((await sendSpans(collector, [chatSpan()], headers)).status).toBe(401);
  });

  it('keep tenants apart, in traces, lists, charts and metrics', async () => {
    const collector = createCollector({ keys, tenantLabel: true });
    const a = { 'x-api-key': 'key-a' };
    const b = { authorization: 'Bearer key-b' };
    await sendSpans(collector, [chatSpan({ service: 'of-a' })], a);
    await sendSpans(collector, [chatSpan({ service: 'of-b', ms: 10 })], b);
    const lists = await Promise.all([a, b].map((headers) => getJson(collector, '/v1/traces', headers)));
    expect(lists).toMatchObject([{ traces: [{ service: 'of-a' }] }, { traces: [{ service: 'of-b' }] }]);
    // Both sent the same trace id.
    expect(await getJson(collector, `/v1/traces/${'a'.repeat(32)}`, b)).toMatchObject({ spans: [{ service: 'of-b' }] });
    const stats = await getJson(collector, '/v1/stats?by=service', b);
    expect(Object.keys(stats.groups as object)).toEqual(['of-b']);
    const [ofA, ofB] = await Promise.all([a, b].map((headers) => getMetrics(collector, headers)));
    expect(ofA).toMatch(/llm_requests_total\{[^}]*service="of-a",environment="production",tenant="a"\} 1/);
    expect(ofA).not.toContain('of-b');
    // A span id that another tenant has used counts here all the same.
    expect(ofB).toMatch(/llm_requests_total\{[^}]*service="of-b",environment="production",tenant="b"\} 1/);
    expect(ofB).not.toContain('of-a');
  });

  it('show the metrics of all tenants to the admin alone, where no label tells them apart', async () => {
    const collector = createCollector({ keys, adminKey: 'root' });
    await sendSpans(collector, [chatSpan()], { 'x-api-key': 'key-a' });
    expect((await collector.request('/metrics', { headers: { 'x-api-key': 'key-a' } })).status).toBe(403);
    expect(await getMetrics(collector, { authorization: 'Bearer root' })).toContain('llm_requests_total');
  });

  it('are in either header, and an empty one is none', async () => {
    const collector = createCollector({ keys: { k: 'a' } });
    const ask = async (headers: Record<string, string>) => (await collector.request('/v1/traces', { headers })).status;
    expect(await ask({ 'x-api-key': '', authorization: 'bearer k' })).toBe(200);
    expect(await ask({ 'x-api-key': 'k', authorization: 'Basic eDp5' })).toBe(200);
    expect(await ask({ 'x-api-key': 'wrong', authorization: 'Bearer k' })).toBe(401);
    expect(await ask({ 'x-api-key': '' })).toBe(401);
  });

  it('believe no X-Tenant-ID but by option', async () => {
    const as = { 'x-tenant-id': 'b' };
    const closed = createCollector({ keys });
    await sendSpans(closed, [chatSpan()], { 'x-api-key': 'key-a', ...as });
    expect(await getJson(closed, '/v1/traces', { 'x-api-key': 'key-b' })).toEqual({ traces: [] });
    const open = createCollector();
    await sendSpans(open, [chatSpan()], as);
    expect((await getJson(open, '/v1/traces')).traces).toHaveLength(1);
    const behindProxy = createCollector({ trustTenantHeader: true });
    await sendSpans(behindProxy, [chatSpan()], as);
    expect(await getJson(behindProxy, '/v1/traces')).toEqual({ traces: [] });
    expect((await getJson(behindProxy, '/v1/traces', as)).traces).toHaveLength(1);
    const wrong = await behindProxy.request('/v1/traces', { headers: { 'x-tenant-id': '../b' } });
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ error: { field: 'x-tenant-id' } });
  });
});

describe('/config', () => {
  const admin = { authorization: 'Bearer root' };
  const put = (collector: ReturnType<typeof createCollector>, body: unknown, headers: Record<string, string> = admin) =>
    collector.request('/config', { method: 'PUT', headers, body: JSON.stringify(body) });

  it('is there for the admin alone', async () => {
    expect((await createCollector().request('/config')).status).toBe(404);
    const collector = createCollector({ keys, adminKey: 'root' });
    expect((await collector.request('/config')).status).toBe(401);
    expect((await collector.request('/config', { headers: { 'x-api-key': 'key-a' } })).status).toBe(403);
    expect((await put(collector, { sampling: { ratio: 0 } }, { 'x-api-key': 'key-a' })).status).toBe(403);
    const text = await (await collector.request('/config', { headers: admin })).text();
    expect(JSON.parse(text)).toEqual({
      sampling: { ratio: 1, keepErrors: false },
      queue: { max: 50_000, softLimit: 0.8, hardLimit: 0.95, whenFull: 'reject' },
      rateLimit: {},
    });
    expect(text).not.toMatch(/key-a|root/);
  });

  it('takes effect at once: with sampling at 0 the next trace counts and is not stored', async () => {
    const collector = createCollector({ adminKey: 'root' });
    await sendSpans(collector, [chatSpan()]);
    expect((await put(collector, { sampling: { ratio: 0 } })).status).toBe(200);
    await sendSpans(collector, [chatSpan({ traceId: 'b'.repeat(32) })]);
    expect(await getJson(collector, '/v1/traces')).toMatchObject({ traces: [{ trace_id: 'a'.repeat(32) }] });
    expect((await collector.request(`/v1/traces/${'b'.repeat(32)}`)).status).toBe(404);
    const text = await getMetrics(collector);
    expect(text).toMatch(/llm_requests_total\{.*\} 2\n/);
    expect(text).toMatch(/edgespan_collector_spans_dropped_by_sampling_total\{.*\} 1\n/);
  });

  it('is reloaded by the admin alone: as it began, or as it is read by then', async () => {
    const reload = (collector: ReturnType<typeof createCollector>, headers: Record<string, string> = admin) =>
      collector.request('/config/reload', { method: 'POST', headers });
    const plain = createCollector({
      adminKey: 'root',
      telemetry: { sampling: { ratio: 0.5 } },
      rateLimit: { perIp: 9 },
    });
    expect((await reload(plain, {})).status).toBe(401);
    const before = await getJson(plain, '/config', admin);
    await put(plain, { sampling: { ratio: 0, keepErrors: true }, rateLimit: { perIp: null }, queue: { max: 7 } });
    expect(await (await reload(plain)).json()).toEqual(before);
    expect(await getJson(plain, '/config', admin)).toEqual(before);

    let file: LiveOptions = {};
    const other = createCollector({ adminKey: 'root', rateLimit: { perIp: 9 }, reload: () => file });
    file = { sampling: { ratio: 0 } };
    expect(await (await reload(other)).json()).toMatchObject({ sampling: { ratio: 0 }, rateLimit: {} });
    await sendSpans(other, [chatSpan()]);
    expect(await getJson(other, '/v1/traces')).toEqual({ traces: [] });
    file = { sampling: { ratio: 2 } };
    const refused = await reload(other);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { field: 'sampling.ratio' } });
    expect(await getJson(other, '/config', admin)).toMatchObject({ sampling: { ratio: 0 } });
  });

  it.each([
    [{ sampling: { ratio: 2 } }, 'sampling.ratio'],
    [{ sampling: { ratoi: 1 } }, 'sampling.ratoi'],
    [{ keys: {} }, 'keys'],
    [{ queue: { softLimit: 0.99 } }, 'queue.softLimit'],
    [[], undefined],
  ])('refuses %j and changes nothing', async (change, field) => {
    const collector = createCollector({ adminKey: 'root' });
    const before = await getJson(collector, '/config', admin);
    const response = await put(collector, change);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: { field?: string } }).error.field).toBe(field);
    expect(await getJson(collector, '/config', admin)).toEqual(before);
  });
});
