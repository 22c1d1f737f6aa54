import { spawnSync } from 'node:child_process';
import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetricFamily, MetricsSnapshot } from '../../src/metrics/snapshot.ts';
import { renderPrometheus } from '../../src/prometheus/render.ts';
import { counter, escapedBy, gauge, histogram, openMetrics, point, snapshotOf, text } from './snapshots.ts';

const required = process.env.CI === 'true';
const noPromtool = !required && spawnSync('promtool', ['--version']).status !== 0;
const noPython = !required && spawnSync('python3', ['-c', 'import prometheus_client.openmetrics.parser']).status !== 0;

/** Reads pages separated by NUL bytes and prints, for each, its samples or the parser's complaint. */
const parser = `
import json, sys
from importlib import import_module
parse = import_module(sys.argv[1]).text_string_to_metric_families
for page in sys.stdin.buffer.read().decode('utf-8').split('\\0'):
    try:
        families = list(parse(page))
        print(json.dumps({'families': [[f.name, f.type, f.documentation, f.unit, [[s.name, s.labels, repr(s.value)] for s in f.samples]] for f in families]}))
    except Exception as error:
        print(json.dumps({'error': repr(error)}))
`;

type Sample = [name: string, labels: Record<string, string>, value: string];
type Family = [name: string, type: string, help: string, unit: string, samples: Sample[]];

function parseWithPython(
  module: 'prometheus_client.parser' | 'prometheus_client.openmetrics.parser',
  pages: readonly string[],
) {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', parser, module], {
    input: pages.join('\0'),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { families: Family[]; error?: string });
}

function checkWithPromtool(page: string) {
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  return { status, complaints: stderr.trim().split('\n').filter(Boolean) };
}

const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const startUnixNano = 1_700_000_000_123_000_000n;
const exemplars = [{ ...trace, value: 7, timeUnixNano: startUnixNano }];

const page: MetricsSnapshot = snapshotOf(
  [
    counter(
      'llm_requests_total',
      [
        point({ provider: 'openai', path: 'C:\\a"b\n' }, { value: 3, startUnixNano, exemplars }),
        point({ provider: 'größe 😀', path: '' }, { value: 1e21, startUnixNano }),
      ],
      { help: 'Calls, "all" of them\nand \\ more' },
    ),
    counter('foo.bar', [point({}, { value: 0.5, startUnixNano })], { unit: 'By', help: 'Bytes' }),
    gauge('queue_items', [point({}, { value: -7 }), point({ a: '1' }, { value: Number.POSITIVE_INFINITY })], {
      help: 'Waiting',
    }),
    histogram(
      'gen_ai.client.operation.duration',
      [
        point({ model: 'gpt-4o' }, { counts: [1, 0, 2, 1], sum: 27.25, count: 4, startUnixNano, exemplars }),
        point({ model: 'o1' }, { counts: [0, 0, 0, 0], sum: 0, count: 0, startUnixNano }),
      ],
      { unit: 's', help: 'Duration' },
    ),
    counter('scoped', [point({}, { value: 1 })], { scope: { name: 'lib', version: '1' }, help: 'Scoped' }),
    counter('scoped', [point({}, { value: 2 })], { scope: { name: 'lib', version: '2' }, help: 'Scoped otherwise' }),
  ],
  { 'service.name': 'shop' },
);

/** Halves of surrogate pairs too, which come over the wire as one letter. */
const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\ud800', '\udbff'));

const anyPage: fc.Arbitrary<MetricsSnapshot> = fc
  .array(
    fc.record({
      name: fc.oneof(
        fc.constantFrom('a', 'a.b', 'a_b', 'a_total', '_total', 'a_created', 'a_bucket', 'x.seconds'),
        fc.string({ minLength: 1 }),
      ),
      type: fc.constantFrom<MetricFamily['type']>('counter', 'gauge', 'histogram'),
      unit: fc.constantFrom(undefined, 's', 'By', '1', '{token}', 'm/s', 'USD'),
      help: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      bounds: fc.constantFrom([], [1], [-1, 0, 1e-7, 0.5, 1e6]),
      labelSets: fc.uniqueArray(
        fc.dictionary(fc.constantFrom('a', 'a.b', 'a_b', 'le', '1x', 'µ', ''), anyText, {
          maxKeys: 3,
          noNullPrototype: true,
        }),
        { maxLength: 4, selector: (labels) => JSON.stringify(Object.entries(labels).sort()) },
      ),
      value: fc.double(),
      count: fc.nat({ max: 9 }),
    }),
    { maxLength: 8 },
  )
  .map((families) =>
    snapshotOf(
      families.map(({ labelSets, value, count, help, unit, ...family }) => ({
        ...family,
        ...(help !== undefined && { help }),
        ...(unit !== undefined && { unit }),
        points: labelSets.map((labels) =>
          family.type === 'histogram'
            ? point(labels, {
                counts: Array.from(family.bounds, () => count).concat(1),
                ...(family.bounds[0] !== -1 && { sum: 1.5 }),
                startUnixNano,
                exemplars,
              })
            : point(labels, { value, startUnixNano, exemplars }),
        ),
      })),
      { 'service.name': 'shop' },
    ),
  );

describe.skipIf(noPromtool)('promtool (skipped where it is not installed)', () => {
  it('finds nothing to say about a page', () => {
    expect(checkWithPromtool(renderPrometheus(page, text))).toEqual({ status: 0, complaints: [] });
  });

  it('reads whatever a snapshot contains', () => {
    for (const snapshot of fc.sample(anyPage, { numRuns: 60, seed: 7 })) {
      const { status, complaints } = checkWithPromtool(renderPrometheus(snapshot, text));
      // 3 stands for advice on style, 1 for a page that does not parse.
      expect([0, 3], complaints.join('\n')).toContain(status);
    }
  });
});

describe.skipIf(noPython)('prometheus_client of Python (skipped where it is not installed)', () => {
  it('reads OpenMetrics', () => {
    const [result] = parseWithPython('prometheus_client.openmetrics.parser', [renderPrometheus(page, openMetrics)]);
    expect(result!.error).toBeUndefined();
    const families = result!.families;
    expect(families.map(([name, type, , unit]) => [name, type, unit])).toEqual([
      ['target', 'info', ''],
      ['llm_requests', 'counter', ''],
      ['foo_bar_bytes', 'counter', 'bytes'],
      ['queue_items', 'gauge', ''],
      ['gen_ai_client_operation_duration_seconds', 'histogram', 'seconds'],
      ['scoped', 'counter', ''],
    ]);
    const [, , help, , [sample]] = families[1]!;
    expect(help).toBe('Calls, "all" of them\nand \\ more');
    expect(sample).toEqual(['llm_requests_total', { provider: 'openai', path: 'C:\\a"b\n' }, '3']);
  });

  it('reads quoted names', () => {
    const quoted = renderPrometheus(page, escapedBy('allow-utf-8', 'openmetrics'));
    const [result] = parseWithPython('prometheus_client.openmetrics.parser', [quoted]);
    expect(result!.error).toBeUndefined();
    expect(result!.families.map(([name]) => name)).toContain('gen_ai.client.operation.duration_seconds');
    expect(result!.families[0]![4][0]![1]).toEqual({ 'service.name': 'shop' });
  });

  it('reads text', () => {
    const [result] = parseWithPython('prometheus_client.parser', [renderPrometheus(page, text)]);
    expect(result!.error).toBeUndefined();
    expect(result!.families.map(([name, type]) => [name, type])).toEqual([
      ['target_info', 'gauge'],
      ['llm_requests', 'counter'],
      ['foo_bar_bytes', 'counter'],
      ['queue_items', 'gauge'],
      ['gen_ai_client_operation_duration_seconds', 'histogram'],
      ['scoped', 'counter'],
    ]);
  });

  it('reads whatever a snapshot contains', () => {
    const pages = fc
      .sample(anyPage, { numRuns: 500, seed: 7 })
      .map((snapshot) => renderPrometheus(snapshot, openMetrics));
    const results = parseWithPython('prometheus_client.openmetrics.parser', pages);
    expect(results).toHaveLength(pages.length);
    for (const [index, { error }] of results.entries()) expect(error, pages[index]).toBeUndefined();
  });
});
