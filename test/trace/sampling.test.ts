import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTelemetry, type TelemetryError, type TelemetryOptions } from '../../src/index.ts';
import { b3 } from '../../src/propagation/b3.ts';
import { ratioSampler } from '../../src/trace/sampler.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry, createManualClock } from '../support/telemetry.ts';

const traceId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''));

function isSampled(env: Record<string, string>, parentFlags?: number, options: TelemetryOptions = {}): boolean {
  const telemetry = createTelemetry({ ...options, runtime: { env } });
  const parent = {
    traceId: `${'0'.repeat(18)}${'8'.repeat(14)}`,
    spanId: 'b'.repeat(16),
    traceFlags: parentFlags ?? 0,
  };
  const context = parentFlags === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  return (telemetry.tracer.startSpan('x', {}, context).spanContext().traceFlags & 1) === 1;
}

describe('a ratio', () => {
  it('decides alike for the same id, and keeps with a higher ratio what a lower one kept', () => {
    fc.assert(
      fc.property(
        traceId,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (id, a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          expect(ratioSampler(low)(id, undefined)).toBe(ratioSampler(low)(id, undefined));
          if (ratioSampler(low)(id, undefined)) expect(ratioSampler(high)(id, undefined)).toBe(true);
          expect(ratioSampler(0)(id, undefined)).toBe(false);
          expect(ratioSampler(1)(id, undefined)).toBe(true);
        },
      ),
    );
  });

  it('keeps its share', () => {
    const telemetry = createTelemetry({ inMemory: { maxSpans: 5000 }, sampling: { ratio: 0.25 } });
    for (let i = 0; i < 4000; i++) telemetry.span('x', () => {});
    // 4,000 draws of 0.25: eight standard deviations either side.
    expect(Math.abs(telemetry.spans.length - 1000)).toBeLessThan(220);
  });
});

describe('OTEL_TRACES_SAMPLER', () => {
  it.each<[Record<string, string>, number | undefined, boolean]>([
    [{}, undefined, true],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, undefined, false],
    [{ OTEL_TRACES_SAMPLER: 'ALWAYS_OFF' }, undefined, false],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, 1, false],
    [{ OTEL_TRACES_SAMPLER: 'always_on' }, 0, true],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_on' }, 0, false],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, 1, true],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, undefined, false],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, 1, false],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' }, 0, true],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.4' }, 1, false],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, 1, true],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, undefined, false],
    [{ OTEL_TRACES_SAMPLER: '' }, undefined, true],
  ])('%j with parent flags %j', (env, flags, sampled) => {
    expect(isSampled(env, flags)).toBe(sampled);
  });

  it.each(['sometimes', 'parentbased_sometimes', 'jaeger_remote'])('%s is ignored, and reported', (name) => {
    const errors: TelemetryError[] = [];
    expect(isSampled({ OTEL_TRACES_SAMPLER: name }, undefined, { onError: (e) => errors.push(e) })).toBe(true);
    expect(errors.map(({ code }) => code)).toEqual(['invalid_environment']);
  });

  it.each(['-1', '1.5', 'half', 'NaN'])('with the argument %s keeps all, and is reported', (argument) => {
    const errors: TelemetryError[] = [];
    const env = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: argument };
    expect(isSampled(env, undefined, { onError: (e) => errors.push(e) })).toBe(true);
    expect(errors[0]?.message).toContain('OTEL_TRACES_SAMPLER_ARG');
  });

  it('yields to sampling.ratio', () => {
    expect(isSampled({ OTEL_TRACES_SAMPLER: 'always_off' }, undefined, { sampling: { ratio: 1 } })).toBe(true);
  });
});

describe('tail rules', () => {
  const clock = createManualClock();
  const sample = (sampling: TelemetryOptions['sampling'], options: TelemetryOptions = {}) =>
    createAlsTelemetry({ sampling: { ratio: 0, ...sampling }, runtime: clock, ...options });

  it('keep errors, with all that belongs to them', () => {
    const telemetry = sample({ keepErrors: true });
    telemetry.span('fine', () => telemetry.span('inner', () => {}));
    const failing = () => telemetry.span('inner', () => telemetry.span('deep', () => Promise.reject(new Error('x'))));
    return telemetry
      .span('bad', failing)
      .catch(() => {})
      .then(() => expect(telemetry.spans.map(({ name }) => name)).toEqual(['deep', 'inner', 'bad']));
  });

  it('keep what is slow', () => {
    const telemetry = sample({ keepSlowerThanMs: 100 });
    for (const ms of [99, 100, 101]) telemetry.span(`${ms}`, () => clock.advance(ms));
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['101']);
  });

  it('keep what is costly, all calls of the trace together', async () => {
    const telemetry = sample(
      { keepCostlierThanUsd: 0.00015 },
      { fetch: async () => Response.json(chatCompletion()), prices: { 'gpt-4o-2024-08-06': { input: 5, output: 10 } } },
    );
    const call = () => telemetry.fetch(chatUrl, chatRequest()).then((response) => response.text());
    await telemetry.span('cheap', call);
    await telemetry.span('dear', () => call().then(call));
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['chat gpt-4o', 'chat gpt-4o', 'dear']);
  });

  it('leave alone what the sampler kept', () => {
    const telemetry = sample({ ratio: 1, keepErrors: true });
    telemetry.span('outer', () => {
      telemetry.span('inner', () => {});
      expect(telemetry.spans).toHaveLength(1);
    });
  });

  it('keep what ends after its root', () => {
    const telemetry = sample({ keepErrors: true });
    const root = telemetry.tracer.startSpan('root');
    const child = (name: string) => telemetry.tracer.startSpan(name, {}, trace.setSpan(ROOT_CONTEXT, root));
    const [dull, late, later] = [child('dull'), child('late'), child('later')];
    root.end();
    dull.end();
    expect(telemetry.spans).toEqual([]);
    late.setStatus({ code: 2 }).end();
    later.end();
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['late', 'later']);
  });

  it('hold no more than limits.spans and the root', () => {
    const telemetry = sample({ keepErrors: true }, { limits: { spans: 3 } });
    telemetry.span('root', (span) => {
      for (let i = 0; i < 10; i++) telemetry.span(`${i}`, () => {});
      span.setStatus({ code: 2 });
    });
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['0', '1', '2', 'root']);
    expect(telemetry.metrics.value('edgespan_spans_total', { result: 'sampled_out' })).toBe(7);
  });
});

describe('metrics', () => {
  it('do not depend on sampling', async () => {
    const telemetry = createAlsTelemetry({
      sampling: { ratio: 0 },
      fetch: async () => Response.json(chatCompletion()),
    });
    await telemetry.span('request', () => telemetry.fetch(chatUrl, chatRequest()).then((response) => response.text()));
    expect(telemetry.spans).toEqual([]);
    expect(telemetry.metrics.value('llm_requests_total', { model: 'gpt-4o-2024-08-06' })).toBe(1);
    expect(telemetry.metrics.value('llm_tokens_total')).toBe(15);
    expect(telemetry.metrics.value('llm_cost_usd_total')).toBeGreaterThan(0);
  });

  it('carry exemplars of sampled spans only', async () => {
    for (const ratio of [0, 1]) {
      const telemetry = createAlsTelemetry({ sampling: { ratio }, fetch: async () => Response.json(chatCompletion()) });
      const own = telemetry.metrics.counter('own_total');
      await telemetry.span('request', async () => {
        own.inc();
        await (await telemetry.fetch(chatUrl, chatRequest())).text();
      });
      const page = await telemetry.prometheus({ format: 'openmetrics' });
      const exemplars = page.split('\n').filter((line) => line.includes('trace_id='));
      if (ratio === 0) expect(exemplars).toEqual([]);
      else expect(exemplars.join()).toMatch(/own_total.*llm_requests_total|llm_requests_total.*own_total/);
    }
  });
});

describe("a caller's wish in B3", () => {
  const ids = `${'a'.repeat(32)}-${'b'.repeat(16)}`;
  const isKept = (header: string, env: Record<string, string> = {}) => {
    const telemetry = createTelemetry({ propagation: { formats: [b3] }, runtime: { env } });
    const span = telemetry.tracer.startSpan('x', {}, telemetry.extract({ b3: header }));
    return (span.spanContext().traceFlags & 1) === 1;
  };

  it.each<[string, Record<string, string>, boolean]>([
    ['0', {}, false],
    ['1', { OTEL_TRACES_SAMPLER: 'always_off' }, true],
    ['d', { OTEL_TRACES_SAMPLER: 'always_off' }, true],
    [`${ids}-0`, {}, false],
    [`${ids}-d`, {}, true],
    [ids, {}, true],
    [ids, { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, false],
  ])('%s with %j', (header, env, kept) => {
    expect(isKept(header, env)).toBe(kept);
  });
});
