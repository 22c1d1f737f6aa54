import { describe, expect, it, vi } from 'vitest';
import { TelemetryError } from '../../src/errors.ts';
import { createMetricsHandler } from '../../src/prometheus/handler.ts';
import { gauge, point, snapshotOf } from './snapshots.ts';

const collect = async () => snapshotOf([gauge('g', [point({}, { value: 1 })]), gauge('h', [point({}, { value: 2 })])]);
const page = '# TYPE g gauge\ng 1\n# TYPE h gauge\nh 2\n';

function request(headers: Record<string, string> = {}, method = 'GET') {
  return new Request('https://x.test/metrics', { method, headers });
}

describe('createMetricsHandler', () => {
  it('answers a scrape', async () => {
    const response = await createMetricsHandler({ collect })(request());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      vary: 'Accept, Accept-Encoding',
      'cache-control': 'no-store',
    });
    expect(await response.text()).toBe(page);
  });

  it('negotiates the format', async () => {
    const response = await createMetricsHandler({ collect })(request({ accept: 'application/openmetrics-text' }));
    expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
    expect(await response.text()).toMatch(/# EOF\n$/);
  });

  it('passes filter and note on', async () => {
    const response = await createMetricsHandler({ collect, filter: (name) => name === 'h', note: 'local' })(request());
    expect(await response.text()).toMatch(/^# HELP edgespan_local_metrics local\n.*\n.*\n# TYPE h gauge\nh 2\n$/);
  });

  it.each(['gzip', 'br, GZIP;q=0.5', '*', 'gzip, *;q=0'])('compresses for accept-encoding: %s', async (encoding) => {
    const response = await createMetricsHandler({ collect })(request({ 'accept-encoding': encoding }));
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await new Response(response.body!.pipeThrough(new DecompressionStream('gzip'))).text()).toBe(page);
  });

  it.each(['identity', 'gzip;q=0', 'gzip;q=0, *', 'br', '*;q=0', ''])('does not for %j', async (encoding) => {
    const response = await createMetricsHandler({ collect })(request({ 'accept-encoding': encoding }));
    expect(response.headers.has('content-encoding')).toBe(false);
    expect(await response.text()).toBe(page);
  });

  it.each([
    ['', 'gzip', null],
    ['gzip', 'identity', 'gzip'],
    [7, 'gzip', 'gzip'],
  ])('asks a host that writes the header itself what its client accepts: %j', async (client, header, encoding) => {
    const given = Object.assign(request({ 'accept-encoding': header }), { cf: { clientAcceptEncoding: client } });
    const response = await createMetricsHandler({ collect })(given);
    expect(response.headers.get('content-encoding')).toBe(encoding);
    await response.body!.cancel();
  });

  it('does not where the runtime cannot', async () => {
    vi.stubGlobal('CompressionStream', undefined);
    const response = await createMetricsHandler({ collect })(request({ 'accept-encoding': 'gzip' }));
    vi.unstubAllGlobals();
    expect(response.headers.has('content-encoding')).toBe(false);
    expect(await response.text()).toBe(page);
  });

  it('answers HEAD without a body', async () => {
    const response = await createMetricsHandler({ collect })(request({}, 'HEAD'));
    expect([response.status, response.body]).toEqual([200, null]);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it.each(['POST', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const response = await createMetricsHandler({ collect })(request({}, method));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('a token', () => {
  const handler = createMetricsHandler({ collect, token: 'secret' });

  it('opens the page', async () => {
    expect((await handler(request({ authorization: 'Bearer secret' }))).status).toBe(200);
    expect((await handler(request({ authorization: 'bearer secret' }))).status).toBe(200);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer secre',
    'Bearer secrets',
    'Bearer SECRET',
    'Basic secret',
    'secret',
  ])('does not match %j', async (authorization) => {
    const response = await handler(request(authorization === undefined ? {} : { authorization }));
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await response.text()).not.toContain('g 1');
  });

  it('is compared to the last bit: no guess of 2,000 opens the page', async () => {
    const guesses = Array.from({ length: 2000 }, (_, i) => handler(request({ authorization: `Bearer ${i}` })));
    expect(new Set((await Promise.all(guesses)).map(({ status }) => status))).toEqual(new Set([401]));
  });

  it('may come from a function, asked at each request', async () => {
    const tokens = ['one', 'two'];
    const changing = createMetricsHandler({ collect, token: async () => tokens.shift() });
    expect((await changing(request({ authorization: 'Bearer one' }))).status).toBe(200);
    expect((await changing(request({ authorization: 'Bearer one' }))).status).toBe(401);
  });

  it.each([
    ['an empty string', ''],
    ['undefined', undefined],
    ['a function that finds nothing', () => undefined],
    ['a function that finds an empty string', async () => ''],
    ['a function that fails', () => Promise.reject(new Error('vault'))],
  ])('that is %s publishes nothing', async (_, token) => {
    let collected = false;
    const forgetful = createMetricsHandler({
      collect: () => {
        collected = true;
        return collect();
      },
      token: token as string,
    });
    for (const authorization of ['Bearer ', 'Bearer undefined']) {
      const response = await forgetful(request({ authorization }));
      expect([response.status, await response.text()]).toEqual([503, 'Service Unavailable\n']);
    }
    expect(collected).toBe(false);
  });
});

describe('a snapshot that cannot be had', () => {
  it('answers 501 with the remedy of a TelemetryError', async () => {
    const remedy = new TelemetryError('invalid_option', 'Give metrics.store');
    const response = await createMetricsHandler({ collect: () => Promise.reject(remedy) })(request());
    expect([response.status, await response.text()]).toEqual([501, 'Give metrics.store\n']);
  });

  it('knows the error of another copy of the library', async () => {
    const error = Object.assign(new Error('elsewhere'), { name: 'TelemetryError' });
    expect((await createMetricsHandler({ collect: () => Promise.reject(error) })(request())).status).toBe(501);
  });

  it.each([new Error('password=1'), 'password=1', null])('answers 500 without details for %j', async (error) => {
    const failing = createMetricsHandler({
      collect: () => {
        throw error;
      },
    });
    const response = await failing(request());
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error\n']);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });
});
