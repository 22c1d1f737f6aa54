import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/errors.ts';
import { renderPrometheus } from '../../src/prometheus/render.ts';
import { counter, escapedBy, gauge, histogram, openMetrics, point, snapshotOf, text } from './snapshots.ts';

const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const start = 1_700_000_000_000_000_000n;

const everything = snapshotOf(
  [
    counter(
      'llm_requests_total',
      [
        point(
          { provider: 'openai', status: 'ok' },
          { value: 3, startUnixNano: start, exemplars: [{ ...trace, value: 1, timeUnixNano: start + 500_000_000n }] },
        ),
        point({ provider: 'groq', status: 'ok' }, { value: 0.5, startUnixNano: start }),
      ],
      { help: 'Calls, "all" of them\nand \\ more' },
    ),
    gauge('queue.size', [point({}, { value: 7 })], { help: 'Waiting' }),
    histogram(
      'gen_ai.client.operation.duration',
      [
        point(
          { model: 'gpt-4o' },
          {
            counts: [1, 0, 2, 1],
            sum: 27.25,
            count: 4,
            startUnixNano: start,
            exemplars: [{ ...trace, value: 7, timeUnixNano: start }],
          },
        ),
      ],
      { unit: 's', help: 'Duration' },
    ),
  ],
  { 'service.name': 'shop', 'process.pid': 42 },
);

describe('text 0.0.4', () => {
  it('renders a page', () => {
    expect(renderPrometheus(everything, text)).toBe(
      [
        '# HELP target_info Target metadata',
        '# TYPE target_info gauge',
        'target_info{service_name="shop",process_pid="42"} 1',
        '# HELP llm_requests_total Calls, "all" of them\\nand \\\\ more',
        '# TYPE llm_requests_total counter',
        'llm_requests_total{provider="openai",status="ok"} 3',
        'llm_requests_total{provider="groq",status="ok"} 0.5',
        '# HELP queue_size Waiting',
        '# TYPE queue_size gauge',
        'queue_size 7',
        '# HELP gen_ai_client_operation_duration_seconds Duration',
        '# TYPE gen_ai_client_operation_duration_seconds histogram',
        'gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="0.005"} 1',
        'gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="1"} 1',
        'gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="10"} 3',
        'gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="+Inf"} 4',
        'gen_ai_client_operation_duration_seconds_sum{model="gpt-4o"} 27.25',
        'gen_ai_client_operation_duration_seconds_count{model="gpt-4o"} 4',
        '',
      ].join('\n'),
    );
  });

  it('is empty for an empty snapshot', () => {
    expect(renderPrometheus(snapshotOf([]), text)).toBe('');
  });
});

describe('OpenMetrics', () => {
  it('renders a page', () => {
    expect(renderPrometheus(everything, openMetrics)).toBe(
      [
        '# TYPE target info',
        '# HELP target Target metadata',
        'target_info{service_name="shop",process_pid="42"} 1',
        '# TYPE llm_requests counter',
        '# HELP llm_requests Calls, \\"all\\" of them\\nand \\\\ more',
        `llm_requests_total{provider="openai",status="ok"} 3 # {trace_id="${trace.traceId}",span_id="${trace.spanId}"} 1 1700000000.5`,
        'llm_requests_created{provider="openai",status="ok"} 1700000000',
        'llm_requests_total{provider="groq",status="ok"} 0.5',
        'llm_requests_created{provider="groq",status="ok"} 1700000000',
        '# TYPE queue_size gauge',
        '# HELP queue_size Waiting',
        'queue_size 7',
        '# TYPE gen_ai_client_operation_duration_seconds histogram',
        '# UNIT gen_ai_client_operation_duration_seconds seconds',
        '# HELP gen_ai_client_operation_duration_seconds Duration',
        'gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="0.005"} 1',
        'gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="1.0"} 1',
        `gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="10.0"} 3 # {trace_id="${trace.traceId}",span_id="${trace.spanId}"} 7 1700000000`,
        'gen_ai_client_operation_duration_seconds_bucket{model="gpt-4o",le="+Inf"} 4',
        'gen_ai_client_operation_duration_seconds_sum{model="gpt-4o"} 27.25',
        'gen_ai_client_operation_duration_seconds_count{model="gpt-4o"} 4',
        'gen_ai_client_operation_duration_seconds_created{model="gpt-4o"} 1700000000',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('ends an empty page too', () => {
    expect(renderPrometheus(snapshotOf([]), openMetrics)).toBe('# EOF\n');
  });

  it('names a counter without the suffix of its sample', () => {
    const snapshot = snapshotOf([counter('foo.bar', [point({}, { value: 1 })], { unit: 'By' })]);
    expect(renderPrometheus(snapshot, openMetrics)).toBe(
      '# TYPE foo_bar_bytes counter\n# UNIT foo_bar_bytes bytes\nfoo_bar_bytes_total 1\n# EOF\n',
    );
  });

  it.each(['{token}', '1', ''])('writes no UNIT line for unit %j', (unit) => {
    expect(
      renderPrometheus(snapshotOf([counter('a', [point({}, { value: 1 })], { unit })]), openMetrics),
    ).not.toContain('UNIT');
  });

  it('keeps the newest exemplar of a bucket', () => {
    const exemplars = [3, 5, 4].map((value) => ({ ...trace, value, timeUnixNano: BigInt(value) * 1_000_000_000n }));
    const page = renderPrometheus(
      snapshotOf([histogram('h', [point({}, { counts: [0, 0, 3, 0], sum: 12, exemplars })])]),
      openMetrics,
    );
    expect(page.match(/ # \{.*/g)).toEqual([expect.stringMatching(/} 5 5$/)]);
  });

  it('writes an exemplar of 128 code points and none of 129', () => {
    const page = (traceId: string) =>
      renderPrometheus(
        snapshotOf([
          counter('a', [point({}, { value: 1, exemplars: [{ ...trace, traceId, value: 1, timeUnixNano: start }] })]),
        ]),
        openMetrics,
      );
    const room = 128 - 'trace_idspan_id'.length - trace.spanId.length;
    expect(page('😀'.repeat(room))).toContain('trace_id="😀');
    expect(page('😀'.repeat(room + 1))).not.toContain(' # {');
  });

  it('writes no exemplar to a gauge, nor to anything in text', () => {
    const exemplars = [{ ...trace, value: 1, timeUnixNano: start }];
    expect(renderPrometheus(snapshotOf([gauge('g', [point({}, { value: 1, exemplars })])]), openMetrics)).not.toContain(
      'trace_id',
    );
    expect(renderPrometheus(snapshotOf([counter('c', [point({}, { value: 1, exemplars })])]), text)).not.toContain(
      'trace_id',
    );
  });

  it('leaves out a counter that a parser would refuse', () => {
    const points = [Number.NaN, -1, 2].map((value, i) => point({ i: `${i}` }, { value }));
    expect(renderPrometheus(snapshotOf([counter('c', points)]), openMetrics)).toBe(
      '# TYPE c counter\nc_total{i="2"} 2\n# EOF\n',
    );
  });
});

describe('histograms', () => {
  const negative = snapshotOf([histogram('h', [point({}, { counts: [1, 0, 0, 0], count: 1 })])]);

  it('omit an undefined sum, in OpenMetrics the count too', () => {
    expect(renderPrometheus(negative, text)).toMatch(/h_bucket\{le="\+Inf"} 1\nh_count 1\n$/);
    expect(renderPrometheus(negative, openMetrics)).not.toMatch(/h_(sum|count)/);
  });

  it('with points that do not fit the bounds are left out', () => {
    const page = renderPrometheus(
      snapshotOf([histogram('h', [point({}, { counts: [1], sum: 1 }), point({ a: '1' }, { sum: 1 })])]),
      text,
    );
    expect(page).toBe('# TYPE h histogram\n');
  });

  it('without bounds have one bucket', () => {
    const { bounds: _, ...family } = histogram('h', [point({}, { counts: [2], sum: 3 })]);
    expect(renderPrometheus(snapshotOf([family]), text)).toContain('h_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n');
  });

  it('keep the label le to themselves', () => {
    const page = renderPrometheus(
      snapshotOf([histogram('h', [point({ le: 'x', a: '1' }, { counts: [0, 0, 0, 1], sum: 20 })])]),
      text,
    );
    expect(page).toContain('h_bucket{a="1",le="0.005"} 0\n');
    expect(page).toContain('h_sum{a="1"} 20\n');
  });
});

describe('label values', () => {
  it('are escaped into one line', () => {
    const page = renderPrometheus(snapshotOf([gauge('g', [point({ path: 'C:\\a"b\n' }, { value: 1 })])]), text);
    expect(page).toBe('# TYPE g gauge\ng{path="C:\\\\a\\"b\\n"} 1\n');
  });

  it('of names that become one are joined in the order of the names', () => {
    const labels = { a_b: 'y', 'a.b': 'x' };
    expect(renderPrometheus(snapshotOf([gauge('g', [point(labels, { value: 1 })])]), text)).toContain(
      'g{a_b="x;y"} 1\n',
    );
  });

  it('of a resource are written as JSON', () => {
    const resource = {
      yes: true,
      real: 3.14,
      nan: Number.NaN,
      list: [1, 'a'],
      map: { a: 1 },
      bytes: new Uint8Array([255, 254]),
      nothing: null,
    };
    expect(renderPrometheus(snapshotOf([], resource as never), text)).toContain(
      'target_info{yes="true",real="3.14",nan="NaN",list="[1,\\"a\\"]",map="{\\"a\\":1}",bytes="//4=",nothing=""} 1\n',
    );
  });
});

describe('scopes', () => {
  const scope = { name: 'my-lib', version: '1.2', schemaUrl: 'https://x/1' };
  const scopeLabels = 'otel_scope_name="my-lib",otel_scope_version="1.2",otel_scope_schema_url="https://x/1"';

  it('become labels of their points only', () => {
    const page = renderPrometheus(
      snapshotOf([
        counter('a', [point({}, { value: 1 }), point({ b: '1' }, { value: 2 })], { scope }),
        counter('c', [point({}, { value: 3 })]),
      ]),
      text,
    );
    expect(page).toContain(`a_total{${scopeLabels}} 1\na_total{${scopeLabels},b="1"} 2\n`);
    expect(page).toContain('c_total 3\n');
  });

  it('win over labels of the same name', () => {
    const page = renderPrometheus(
      snapshotOf([
        gauge('a', [point({ 'otel.scope.name': 'fake', b: '1' }, { value: 1 })], { scope: { name: 'real' } }),
      ]),
      text,
    );
    expect(page).toContain('a{otel_scope_name="real",b="1"} 1\n');
  });

  it('keep apart two families that share a labels object', () => {
    const labels = { a: '1' };
    const page = renderPrometheus(
      snapshotOf([
        gauge('g', [point(labels, { value: 1 })], { scope: { name: 'x' } }),
        gauge('g', [point(labels, { value: 2 })], { scope: { name: 'y' } }),
        gauge('other', [point(labels, { value: 3 })]),
        histogram('h', [point(labels, { counts: [0, 1, 0, 0], sum: 0.5 })]),
      ]),
      text,
    );
    expect(page).toContain('g{otel_scope_name="x",a="1"} 1\ng{otel_scope_name="y",a="1"} 2\n');
    expect(page).toContain('other{a="1"} 3\n');
    expect(page).toContain('h_bucket{a="1",le="1"} 1\n');
  });
});

describe('names that meet', () => {
  const value = (n: number, labels: Record<string, string> = {}) => [point(labels, { value: n })];

  it('of two types: the later family is left out', () => {
    const page = renderPrometheus(snapshotOf([counter('a.b', value(1)), gauge('a_b_total', value(2))]), text);
    expect(page).toBe('# TYPE a_b_total counter\na_b_total 1\n');
  });

  it('of one type: one family, the first HELP, all series together', () => {
    const page = renderPrometheus(
      snapshotOf([
        counter('a.b', value(1, { x: '1' }), { help: 'first' }),
        gauge('g', value(5)),
        counter('a_b', value(2, { x: '2' }), { help: 'second' }),
      ]),
      text,
    );
    expect(page).toBe(
      '# HELP a_b_total first\n# TYPE a_b_total counter\na_b_total{x="1"} 1\na_b_total{x="2"} 2\n# TYPE g gauge\ng 5\n',
    );
  });

  it('never write a series twice', () => {
    const families = [counter('a.b', value(1, { x: '1' })), counter('a_b', value(2, { x: '1' }))];
    expect(renderPrometheus(snapshotOf(families), text).match(/^a_b_total\{/gm)).toHaveLength(1);
    const points = [...value(1, { 'a.b': '1' }), ...value(2, { a_b: '1' })];
    expect(renderPrometheus(snapshotOf([gauge('g', points)]), text).match(/^g\{/gm)).toHaveLength(1);
    const counts = { counts: [0, 0, 0, 1], sum: 20 };
    const buckets = histogram('h', [point({ le: 'x' }, counts), point({}, counts)]);
    expect(renderPrometheus(snapshotOf([buckets]), text).match(/^h_sum/gm)).toHaveLength(1);
  });

  it.each(['text', 'openmetrics'] as const)(
    'never write a series twice that only the wire makes one, in %s',
    (type) => {
      const points: Record<string, string>[] = [
        { '': '1' },
        {},
        { a: '\ud800' },
        { a: '\udbff' },
        { '\ud800': '1' },
        { '\udbff': '1' },
      ];
      const families = ['g\ud800', 'g\udbff'].map((name) =>
        gauge(
          name,
          points.map((labels) => point(labels, { value: 1 })),
        ),
      );
      const page = renderPrometheus(snapshotOf(families), escapedBy('allow-utf-8', type));
      const sent = new TextDecoder().decode(new TextEncoder().encode(page));
      expect(sent.match(/^\{.*/gm)).toEqual([
        '{"g\ufffd"} 1',
        '{"g\ufffd",a="\ufffd"} 1',
        '{"g\ufffd","\ufffd"="1"} 1',
      ]);
    },
  );

  it.each([
    ['a_created', 'counter'],
    ['a', 'counter'],
    ['a_bucket', 'histogram'],
    ['a_sum', 'histogram'],
  ] as const)('in OpenMetrics by suffix: gauge %s beside %s a', (name, type) => {
    const first =
      type === 'counter' ? counter('a', value(1)) : histogram('a', [point({}, { counts: [0, 0, 0, 1], sum: 20 })]);
    expect(renderPrometheus(snapshotOf([first, gauge(name, value(99))]), openMetrics)).not.toContain(' 99\n');
  });

  it('leave target_info to the resource', () => {
    const page = renderPrometheus(snapshotOf([gauge('target_info', value(5))], { a: '1' }), text);
    expect(page.match(/^target_info/gm)).toHaveLength(1);
  });
});

describe('escaping', () => {
  const snapshot = snapshotOf([
    gauge('foo.bar', [point({ 'my.label': 'v', plain: 'w' }, { value: 1 })], { help: 'Help' }),
    counter('c.d', [point({}, { value: 2 })]),
    histogram('h.i', [point({}, { counts: [0, 1, 0, 0], sum: 0.5 })]),
  ]);

  it('quotes names where the scraper allows UTF-8', () => {
    expect(renderPrometheus(snapshot, escapedBy('allow-utf-8', 'openmetrics'))).toBe(
      [
        '# TYPE "foo.bar" gauge',
        '# HELP "foo.bar" Help',
        '{"foo.bar","my.label"="v",plain="w"} 1',
        '# TYPE "c.d" counter',
        '{"c.d_total"} 2',
        '# TYPE "h.i" histogram',
        '{"h.i_bucket",le="0.005"} 0',
        '{"h.i_bucket",le="1.0"} 1',
        '{"h.i_bucket",le="10.0"} 1',
        '{"h.i_bucket",le="+Inf"} 1',
        '{"h.i_sum"} 0.5',
        '{"h.i_count"} 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('escapes what stands in the quotes', () => {
    const page = renderPrometheus(snapshotOf([gauge('a"\\\n', [point({}, { value: 1 })])]), escapedBy('allow-utf-8'));
    expect(page).toBe('# TYPE "a\\"\\\\\\n" gauge\n{"a\\"\\\\\\n"} 1\n');
  });

  it('gives the same series its own text for each scheme', () => {
    expect(renderPrometheus(snapshot, text)).toContain('foo_bar{my_label="v",plain="w"} 1\n');
    expect(renderPrometheus(snapshot, escapedBy('dots'))).toContain('foo_dot_bar{my_dot_label="v",plain="w"} 1\n');
    expect(renderPrometheus(snapshot, escapedBy('values'))).toContain(
      'U__foo_2e_bar{U__my_2e_label="v",plain="w"} 1\n',
    );
    expect(renderPrometheus(snapshot, text)).toContain('foo_bar{my_label="v",plain="w"} 1\n');
  });
});

describe('options', () => {
  it('filter by the classic name whatever is negotiated', () => {
    const names: string[] = [];
    const page = renderPrometheus(everything, escapedBy('allow-utf-8', 'openmetrics'), {
      filter: (name) => names.push(name) > 0 && name === 'queue_size',
    });
    expect(page).toBe('# TYPE "queue.size" gauge\n# HELP "queue.size" Waiting\n{"queue.size"} 7\n# EOF\n');
    expect(names).toEqual([
      'target_info',
      'llm_requests_total',
      'queue_size',
      'gen_ai_client_operation_duration_seconds',
    ]);
  });

  it('add a note that people read', () => {
    expect(renderPrometheus(snapshotOf([]), text, { note: 'One isolate\nof many' })).toBe(
      '# HELP edgespan_local_metrics One isolate\\nof many\n# TYPE edgespan_local_metrics gauge\nedgespan_local_metrics 1\n',
    );
  });
});

it('refuses deltas', () => {
  expect(() => renderPrometheus({ temporality: 'delta', resource: {}, metrics: [] }, text)).toThrow(TelemetryError);
});

it('shows new values of a series it rendered before', () => {
  const labels = { a: '1' };
  const page = (value: number) => renderPrometheus(snapshotOf([gauge('g', [point(labels, { value })])]), text);
  expect(page(1)).toContain('g{a="1"} 1\n');
  expect(page(2)).toContain('g{a="1"} 2\n');
});
