import type { Board } from '../dashboard.ts';
import { anyIsBad, bars, pie, row, series, shareIsBad, stat, table } from '../panels.ts';
import { increase, mean, quantile, quantileOfRange, rate } from '../query.ts';

const calls = 'llm_requests_total';
const duration = 'llm_request_duration_seconds';
const tokens = 'llm_tokens_total';
const errors = 'llm_errors_total';
const ofCalls = { span_type: 'llm' };
const failed = { status: 'error' };
const by = 'provider model';
const legend = '{{provider}} {{model}}';

/** Calls, how long they take, their tokens and their errors. */
export const llmPerformance: Board = {
  name: 'llm-performance',
  title: 'LLM performance',
  description: 'Model calls: how many, how fast, with how many tokens, and what fails.',
  panels: [
    stat('Calls', 'Model calls in the time shown; attempts of one call count once.', increase(calls), {
      unit: 'short',
    }),
    stat('Errors', 'Model calls that failed. Those that a caller left count as fine.', increase(errors, '', ofCalls), {
      unit: 'short',
      noValue: '0',
      steps: anyIsBad,
    }),
    stat('Share of errors', 'Failed calls of all calls.', `${increase(calls, '', failed)} / ${increase(calls)}`, {
      unit: 'percentunit',
      decimals: 2,
      noValue: '0 %',
      steps: shareIsBad,
    }),
    stat('Latency, p95', 'From call to last byte, over the time shown.', quantileOfRange(0.95, duration), {
      unit: 's',
      decimals: 2,
    }),
    stat('Input tokens', 'Cache reads and writes included.', increase(tokens, '', { token_type: 'input' }), {
      unit: 'short',
    }),
    stat('Output tokens', 'Reasoning included.', increase(tokens, '', { token_type: 'output' }), { unit: 'short' }),

    row('Calls'),
    series('Calls by model', 'Model calls a second.', [[legend, rate(calls, by)]], { unit: 'reqps', stack: true }),
    pie('Share of models', 'Model calls in the time shown.', [legend, increase(calls, by)], { unit: 'short' }),
    bars('Operations', '`stream` is a chat that was streamed.', ['{{operation}}', increase(calls, 'operation')], {
      unit: 'short',
    }),
    table('Models', 'Each model in the time shown.', [
      { name: 'Calls', expr: increase(calls, by), unit: 'short' },
      { name: 'Share of errors', expr: `${increase(calls, by, failed)} / ${increase(calls, by)}`, unit: 'percentunit' },
      { name: 'Mean latency', expr: mean(duration, by), unit: 's', decimals: 2 },
      { name: 'Latency, p95', expr: quantileOfRange(0.95, duration, by), unit: 's', decimals: 2 },
      { name: 'Tokens', expr: increase(tokens, by), unit: 'short' },
      { name: 'Cost', expr: increase('llm_cost_usd_total', by), unit: 'currencyUSD' },
    ]),

    row('Latency'),
    series(
      'Latency',
      'From call to last byte, of all models. A dot is a trace where exemplars are stored.',
      [0.5, 0.95, 0.99].map((q) => [`p${q * 100}`, quantile(q, duration)] as const),
      { unit: 's', exemplar: true },
    ),
    series(
      'Latency by model',
      'From call to last byte.',
      [0.5, 0.95, 0.99].map((q) => [`p${q * 100} ${legend}`, quantile(q, duration, by)] as const),
      { unit: 's' },
    ),
    series(
      'Seconds per output token, p95',
      'After the first token of a stream.',
      [[legend, quantile(0.95, 'llm_time_per_output_token_seconds', by)]],
      { unit: 's' },
    ),
    series(
      'Streams that callers left',
      'A second. They count as fine, with the tokens seen until then.',
      [[legend, rate('llm_streams_aborted_total', by)]],
      { unit: 'reqps' },
    ),

    row('Tokens'),
    series(
      'Input tokens by model',
      'A second, cache reads and writes included.',
      [[legend, rate(tokens, by, { token_type: 'input' })]],
      { unit: 'suffix: tok/s', stack: true },
    ),
    series(
      'Output tokens by model',
      'A second, reasoning included.',
      [[legend, rate(tokens, by, { token_type: 'output' })]],
      { unit: 'suffix: tok/s', stack: true },
    ),
    series(
      'Cached and reasoning tokens',
      'A second; they are part of the input and output tokens.',
      [['{{token_type}}', rate('llm_token_details_total', 'token_type')]],
      { unit: 'suffix: tok/s' },
    ),
    series('Tokens of a call, p95', 'Input and output.', [[legend, quantile(0.95, 'llm_tokens_per_request', by)]], {
      unit: 'short',
    }),

    row('Errors'),
    series(
      'Errors by class',
      'Failed model calls a second.',
      [['{{error_type}}', rate(errors, 'error_type', ofCalls)]],
      {
        unit: 'reqps',
        stack: true,
      },
    ),
    pie(
      'Classes of errors',
      'Failed model calls in the time shown.',
      ['{{error_type}}', increase(errors, 'error_type', ofCalls)],
      {
        unit: 'short',
      },
    ),
    bars('Models that fail', 'Failed model calls in the time shown.', [legend, increase(errors, by, ofCalls)], {
      unit: 'short',
    }),
  ],
};
