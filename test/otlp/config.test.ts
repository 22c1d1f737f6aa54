import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../../src/environment.ts';
import type { TelemetryError } from '../../src/errors.ts';
import { type OtlpOptions, resolveOtlp } from '../../src/otlp/config.ts';
import { json } from '../../src/otlp/json.ts';

function resolve(options: OtlpOptions | undefined, env: Record<string, unknown> = {}) {
  const warnings: TelemetryError[] = [];
  const config = resolveOtlp(
    options,
    createEnvironment(env, (error) => warnings.push(error)),
  );
  return { ...config, warnings, codes: warnings.map(({ code, option }) => option ?? code) };
}

const prefix = 'OTEL_EXPORTER_OTLP';
const endpoint = { [`${prefix}_ENDPOINT`]: 'http://localhost:4318' };
const protobuf = { ...json, contentType: 'application/x-protobuf' };

describe('the endpoint', () => {
  it('is nowhere by default', () => {
    expect(resolve(undefined)).toEqual({ temporality: undefined, console: false, warnings: [], codes: [] });
    expect(resolve({}, { [`${prefix}_ENDPOINT`]: ' ' }).traces).toBeUndefined();
  });

  it.each([
    ['http://c:4318', 'http://c:4318/v1/traces'],
    ['http://c:4318/', 'http://c:4318/v1/traces'],
    ['http://c:4318/x', 'http://c:4318/x/v1/traces'],
    ['http://c:4318/x/', 'http://c:4318/x/v1/traces'],
    ['https://c/x?tenant=1', 'https://c/x/v1/traces?tenant=1'],
  ])('%s is a base', (base, url) => {
    expect(resolve({ endpoint: base }).traces?.url).toBe(url);
    expect(resolve(undefined, { [`${prefix}_ENDPOINT`]: base }).traces?.url).toBe(url);
    expect(resolve(undefined, { [`${prefix}_ENDPOINT`]: base }).metrics?.url).toBe(url.replace('traces', 'metrics'));
  });

  it('of a signal is taken as it is', () => {
    const one = resolve(undefined, { [`${prefix}_TRACES_ENDPOINT`]: 'http://c:4318' });
    expect([one.traces?.url, one.metrics]).toEqual(['http://c:4318/', undefined]);
    const both = resolve(undefined, {
      ...endpoint,
      [`${prefix}_METRICS_ENDPOINT`]: 'http://m:9090/api/v1/otlp/v1/metrics',
    });
    expect([both.traces?.url, both.metrics?.url]).toEqual([
      'http://localhost:4318/v1/traces',
      'http://m:9090/api/v1/otlp/v1/metrics',
    ]);
  });

  it('as an option beats all variables', () => {
    const { traces } = resolve({ endpoint: 'https://a' }, { ...endpoint, [`${prefix}_TRACES_ENDPOINT`]: 'http://b' });
    expect(traces?.url).toBe('https://a/v1/traces');
  });

  it.each(['localhost:4318', 'nonsense', 'ftp://a', '', 'https://user:secret@a', 'https://token@a'])(
    '%o is refused',
    (wrong) => {
      expect(() => resolve({ endpoint: wrong })).toThrow(
        expect.objectContaining({ code: 'invalid_option', option: 'otlp.endpoint' }),
      );
      const { traces, metrics, warnings, codes } = resolve(undefined, { [`${prefix}_ENDPOINT`]: wrong });
      expect([traces, metrics]).toEqual([undefined, undefined]);
      expect(codes).toEqual(wrong === '' ? [] : [`${prefix}_ENDPOINT`]);
      expect(warnings.map(({ message }) => message).join()).not.toContain('secret');
    },
  );

  it('that is wrong for a signal leaves the general one', () => {
    const { traces, codes } = resolve(undefined, { ...endpoint, [`${prefix}_TRACES_ENDPOINT`]: 'c:1' });
    expect(traces?.url).toBe('http://localhost:4318/v1/traces');
    expect(codes).toEqual([`${prefix}_TRACES_ENDPOINT`]);
  });
});

describe('a signal', () => {
  it.each([
    [{ OTEL_TRACES_EXPORTER: 'none' }, false, true],
    [{ OTEL_METRICS_EXPORTER: 'None' }, true, false],
    [{ OTEL_METRICS_EXPORTER: 'prometheus' }, true, false],
    [{ OTEL_TRACES_EXPORTER: 'console, otlp' }, true, true],
    [{ OTEL_TRACES_EXPORTER: '' }, true, true],
  ])('%o', (env, traces, metrics) => {
    const config = resolve({ endpoint: 'https://a' }, env);
    expect([!!config.traces, !!config.metrics, config.codes]).toEqual([traces, metrics, []]);
  });

  it.each([
    ['console', true, false, []],
    ['logging,none', true, false, []],
    ['console, otlp, zipkin', true, true, ['OTEL_TRACES_EXPORTER']],
    ['none', false, false, []],
  ])('OTEL_TRACES_EXPORTER=%s prints: %s', (list, prints, sends, warned) => {
    const config = resolve({ endpoint: 'https://a' }, { OTEL_TRACES_EXPORTER: list });
    expect([config.console, !!config.traces, config.codes]).toEqual([prints, sends, warned]);
  });

  it('stays on for an exporter that nobody knows, with a warning', () => {
    const { traces, codes } = resolve(undefined, { ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' });
    expect([!!traces, codes]).toEqual([true, ['OTEL_TRACES_EXPORTER']]);
  });
});

describe('headers', () => {
  it('are read as baggage, percent-decoded, with = in values', async () => {
    const env = { ...endpoint, [`${prefix}_HEADERS`]: 'Api-Key = a%2Cb%3D , authorization=Basic%20dXNlcg==,,x-y=1;2' };
    const { traces, codes } = resolve(undefined, env);
    expect(await traces?.headers()).toEqual({ 'api-key': 'a,b=', authorization: 'Basic dXNlcg==', 'x-y': '1;2' });
    expect(codes).toEqual([]);
  });

  it('of a signal replace the general ones, options replace both', async () => {
    const env = { ...endpoint, [`${prefix}_HEADERS`]: 'a=1,b=2', [`${prefix}_TRACES_HEADERS`]: 'c=3' };
    const { traces, metrics } = resolve(undefined, env);
    expect([await traces?.headers(), await metrics?.headers()]).toEqual([{ c: '3' }, { a: '1', b: '2' }]);
    expect(await resolve({ headers: { d: '4' } }, env).traces?.headers()).toEqual({ d: '4' });
    expect(await resolve({ headers: async () => ({ e: '5' }) }, env).traces?.headers()).toEqual({ e: '5' });
  });

  it('that are malformed are left out with one warning that does not show them', async () => {
    const { traces, warnings, codes } = resolve(undefined, {
      ...endpoint,
      [`${prefix}_HEADERS`]: 'ok=1,s3cret,b=%ZZs3cret,c d=s3cret,e=s3cret%0A',
    });
    expect(await traces?.headers()).toEqual({ ok: '1' });
    expect(codes).toEqual([`${prefix}_HEADERS`]);
    expect(warnings[0]?.message).not.toContain('s3cret');
  });

  it('that HTTP forbids are refused as an option, without showing them', () => {
    const wrong = () => resolve({ endpoint: 'https://a', headers: { authorization: 'Bearer\ns3cret' } });
    expect(wrong).toThrow(
      expect.objectContaining({ option: 'otlp.headers', message: expect.not.stringContaining('s3cret') }),
    );
  });
});

describe('credentials over plain http', () => {
  it.each(['authorization', 'API-Key', 'x-api-key', 'Cookie', 'x-honeycomb-team-token', 'client-secret'])(
    '%s warns once',
    (name) => {
      expect(resolve({ endpoint: 'http://otlp.example.com/p', headers: { [name]: 's3cret' } }).codes).toEqual([
        'insecure_endpoint',
      ]);
    },
  );

  it.each([
    ['https://otlp.example.com', {}],
    ['http://localhost:4318', {}],
    ['http://127.0.0.1:4318', {}],
    ['http://[::1]:4318', {}],
    ['http://otlp.example.com', { insecure: true }],
    ['http://otlp.example.com', { headers: { 'x-scope-orgid': '1' } }],
  ])('%s %o does not', (url, options) => {
    expect(resolve({ endpoint: url, headers: { authorization: 'x' }, ...options }).codes).toEqual([]);
  });

  it('warns once where a function gives them', async () => {
    const { traces, metrics, codes, warnings } = resolve({
      endpoint: 'http://otlp.example.com',
      headers: () => ({ authorization: 's3cret' }),
    });
    expect(codes).toEqual([]);
    for (const target of [traces, metrics, traces]) await target?.headers();
    expect(warnings.map(({ code }) => code)).toEqual(['insecure_endpoint']);
    expect(warnings[0]?.message).not.toContain('s3cret');
  });
});

describe('the protocol', () => {
  it.each([
    ['grpc', '@opentelemetry/exporter-trace-otlp-grpc'],
    ['http/protobuf', 'edgespan/protobuf'],
  ])('%s, which is not there, is one warning', (protocol, remedy) => {
    const { traces, metrics, warnings } = resolve(undefined, { ...endpoint, [`${prefix}_PROTOCOL`]: protocol });
    expect([traces?.encoder, metrics?.encoder]).toEqual([json, json]);
    expect(warnings.map(({ code, message }) => [code, message.includes(remedy)])).toEqual([
      ['protocol_unavailable', true],
    ]);
  });

  it('that is there is silent', () => {
    expect(resolve(undefined, { ...endpoint, [`${prefix}_PROTOCOL`]: 'HTTP/JSON' }).codes).toEqual([]);
    const { traces, codes } = resolve({ encoder: protobuf }, { ...endpoint, [`${prefix}_PROTOCOL`]: 'http/protobuf' });
    expect([traces?.encoder, codes]).toEqual([protobuf, []]);
  });

  it('of one signal concerns that signal, and an unknown one is ignored', () => {
    const { codes } = resolve(undefined, {
      ...endpoint,
      [`${prefix}_TRACES_PROTOCOL`]: 'http/json',
      [`${prefix}_PROTOCOL`]: 'carrier-pigeon',
    });
    expect(codes).toEqual([`${prefix}_PROTOCOL`]);
  });
});

describe('timeout and compression', () => {
  it('have defaults', () => {
    expect(resolve(undefined, endpoint).traces).toMatchObject({ timeoutMs: 10_000, compression: 'none' });
  });

  it('are read for a signal, then for all, after the options', () => {
    const env = {
      ...endpoint,
      [`${prefix}_TIMEOUT`]: '500',
      [`${prefix}_TRACES_TIMEOUT`]: 0,
      [`${prefix}_COMPRESSION`]: 'GZIP',
      [`${prefix}_METRICS_COMPRESSION`]: 'none',
    };
    const { traces, metrics } = resolve(undefined, env);
    expect([traces?.timeoutMs, metrics?.timeoutMs]).toEqual([0, 500]);
    expect([traces?.compression, metrics?.compression]).toEqual(['gzip', 'none']);
    expect(resolve({ timeoutMs: 7, compression: 'none' }, env).traces).toMatchObject({
      timeoutMs: 7,
      compression: 'none',
    });
  });

  it.each(['abc', '-1', '1.5s', '1e400'])('%o is no timeout', (wrong) => {
    const { traces, codes } = resolve(undefined, { ...endpoint, [`${prefix}_TIMEOUT`]: wrong });
    expect([traces?.timeoutMs, codes]).toEqual([10_000, [`${prefix}_TIMEOUT`]]);
  });

  it('brotli is no compression', () => {
    const { traces, codes } = resolve(undefined, { ...endpoint, [`${prefix}_COMPRESSION`]: 'br' });
    expect([traces?.compression, codes]).toEqual(['none', [`${prefix}_COMPRESSION`]]);
  });

  it.each([-1, Number.NaN])('%o as an option throws', (timeoutMs) => {
    expect(() => resolve({ endpoint: 'https://a', timeoutMs })).toThrow(
      expect.objectContaining({ option: 'otlp.timeoutMs' }),
    );
  });
});

describe('temporality', () => {
  const name = `${prefix}_METRICS_TEMPORALITY_PREFERENCE`;
  it.each([
    [undefined, undefined],
    ['Delta', 'delta'],
    ['cumulative', 'cumulative'],
    ['lowmemory', 'delta'],
  ])('%o', (preference, expected) => {
    expect(resolve(undefined, { ...endpoint, [name]: preference }).temporality).toBe(expected);
    expect(resolve({ temporality: 'cumulative' }, { ...endpoint, [name]: preference }).temporality).toBe('cumulative');
  });
});

it('ignores what is no text: a Worker binds objects to its environment', () => {
  expect(resolve(undefined, { ...endpoint, [`${prefix}_HEADERS`]: { get: () => 'x' } }).codes).toEqual([]);
});
