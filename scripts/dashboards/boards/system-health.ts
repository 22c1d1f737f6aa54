import type { Board } from '../dashboard.ts';
import { anyIsBad, bars, row, series, stat } from '../panels.ts';
import { increase, named, rate, select, sumOf } from '../query.ts';

const own = (name: string) => `edgespan_collector_${name}`;
const kept = own('spans_sampled_total');
const leftOut = own('spans_dropped_by_sampling_total');
const sender = 'service environment';
const legend = '{{service}} {{environment}}';
const queue = [
  [80, 'orange'],
  [95, 'red'],
] as const;

/** Of two counters of which a sender may have either alone. */
const orZero = (counter: string, other: string) => `(${counter} or ${other} * 0)`;
const sumOfBoth = (a: string, b: string) => `${orZero(a, b)} + ${orZero(b, a)}`;
const keptOnes = increase(kept, sender);
const leftOnes = increase(leftOut, sender);

/** Whether the collector keeps up, and what telemetry is lost on the way. */
export const systemHealth: Board = {
  name: 'system-health',
  title: 'System health',
  description: 'Whether the collector keeps up, and what is lost of what services send.',
  panels: [
    stat('Spans a second', 'Over the last minute.', sumOf(own('ingestion_rate')), { unit: 'short', decimals: 1 }),
    stat('Queue', 'Of the room for spans that wait.', `max(${select(own('queue_utilization_percent'))})`, {
      unit: 'percent',
      decimals: 1,
      steps: queue,
    }),
    stat('Traces in the store', 'Of all collectors.', sumOf(own('trace_store_size')), { unit: 'short' }),
    stat('Active traces', 'Traces that got a span within the last minute.', sumOf(own('active_traces')), {
      unit: 'short',
    }),
    stat('Memory', 'Of all collectors.', sumOf(own('memory_bytes')), { unit: 'bytes' }),
    stat('Rejected requests', 'There was no room for them.', increase(own('ingestion_rejections_total')), {
      unit: 'short',
      noValue: '0',
      steps: anyIsBad,
    }),

    row('Intake'),
    series(
      'Spans that came in',
      'A second, by who sent them, left out by sampling or not.',
      [[legend, sumOfBoth(rate(kept, sender), rate(leftOut, sender))]],
      { unit: 'suffix: spans/s', stack: true },
    ),
    series(
      'Queue',
      'Of the room for spans that wait.',
      [['used', `max(${select(own('queue_utilization_percent'))})`]],
      {
        unit: 'percent',
        max: 100,
        steps: queue,
      },
    ),
    series(
      'Spans that wait',
      'For the store, and for the end of their trace where a tail rule may keep them.',
      [
        ['in the queue', sumOf(own('queue_size'))],
        ['for a tail rule', sumOf(own('held_spans'))],
      ],
      { unit: 'short' },
    ),
    series(
      'Signs of pressure',
      'A second: requests above the soft limit, requests refused, spans that gave way.',
      [
        ['above the soft limit', rate(own('backpressure_warnings_total'))],
        ['refused', rate(own('ingestion_rejections_total'))],
        ['spans that gave way', rate(own('spans_dropped_by_backpressure_total'))],
        ['over the limit of a {{dimension}}', rate(own('rate_limited_total'), 'dimension')],
      ],
      { unit: 'ops' },
    ),
    series('Memory', 'Bytes of the processes.', [['all', sumOf(own('memory_bytes'))]], { unit: 'bytes' }),
    series(
      'Traces',
      'In the store, and active within the last minute.',
      [
        ['stored', sumOf(own('trace_store_size'))],
        ['active', sumOf(own('active_traces'))],
      ],
      { unit: 'short' },
    ),

    row('Sampling, redaction, forwarding'),
    bars(
      'Spans that are kept',
      'Of all that came in; metrics count all of them.',
      [legend, `${orZero(keptOnes, leftOnes)} / (${sumOfBoth(keptOnes, leftOnes)})`],
      { unit: 'percentunit', decimals: 1, max: 1 },
    ),
    bars('Spans that sampling left out', 'In the time shown.', [legend, increase(leftOut, sender)], { unit: 'short' }),
    series(
      'Redaction',
      'Spans a second that secrets were taken out of, and those with texts that are gone since a rule failed.',
      [
        [`redacted ${legend}`, rate(own('redaction_applied_total'), sender)],
        [`failed ${legend}`, rate(own('redaction_failures_total'), sender)],
      ],
      { unit: 'ops' },
    ),
    series(
      'Failures of the collector',
      'A second: deliveries to the endpoint of `forward`, and batches that the store did not take.',
      [
        ['forward', rate(own('export_failures_total'))],
        ['store', rate(own('store_failures_total'))],
      ],
      { unit: 'ops', steps: anyIsBad },
    ),
    series(
      'Exports of services',
      'Batches a second that services tell of, by what became of them.',
      [
        [
          '{{service}} {{signal}} {{result}}',
          rate('edgespan_exports_total', 'service signal result', { service: '!=' }),
        ],
      ],
      { unit: 'ops' },
    ),

    row('What telemetry misses'),
    bars(
      'Lost by services',
      'Spans, points and ends of calls, by reason; `(none)` is the collector itself.',
      [
        '{{service}} {{signal}} {{reason}}',
        named(increase('edgespan_dropped_total', 'service signal reason'), 'service'),
      ],
      {
        unit: 'short',
      },
    ),
    bars(
      'Replies nobody could read',
      'Such calls count without tokens.',
      ['{{provider}}', increase('edgespan_parse_errors_total', 'provider')],
      {
        unit: 'short',
      },
    ),
    bars(
      'Calls without a price',
      'Their cost is missing everywhere.',
      ['{{provider}} {{model}}', increase('llm_unpriced_requests_total', 'provider model')],
      {
        unit: 'short',
      },
    ),
    bars(
      'Series beyond the bound',
      'Points of metrics that have too many series; they count in one.',
      ['{{metric}}', increase('edgespan_series_overflow_total', 'metric')],
      {
        unit: 'short',
      },
    ),
    series(
      'Calls that are counted',
      'Model calls a second, by who made them.',
      [[legend, rate('llm_requests_total', sender)]],
      {
        unit: 'reqps',
        w: 24,
        h: 7,
      },
    ),
  ],
};
