import type { Board } from '../dashboard.ts';
import { anyIsBad, bars, heatmap, pie, row, series, stat } from '../panels.ts';
import { increase, named, quantile, quantileOfRange, range, rate, rateInterval } from '../query.ts';

const cost = 'llm_cost_usd_total';
const perCall = 'llm_cost_per_request_usd';
const first = 'llm_time_to_first_token_seconds';
const unpriced = 'llm_unpriced_requests_total';
const usd = { unit: 'currencyUSD' };
const by = 'provider model';
const legend = '{{provider}} {{model}}';
const hits = increase('llm_cache_hits_total');
const looks = `(${hits} + ${increase('llm_cache_misses_total')})`;

/** What calls cost, and how long their users wait for the first word. */
export const costAndFirstToken: Board = {
  name: 'cost-and-first-token',
  title: 'Cost and time to first token',
  description: 'US dollars by model, agent and service, and seconds until the first token of a stream.',
  panels: [
    stat('Cost', 'In the time shown, of calls with a known price.', increase(cost), { ...usd, decimals: 2 }),
    stat('In 30 days', 'If it goes on as in the time shown.', `${rate(cost, '', {}, range)} * 86400 * 30`, {
      ...usd,
      decimals: 2,
    }),
    stat('Cost of a call, p95', 'Over the time shown.', quantileOfRange(0.95, perCall), { ...usd, decimals: 4 }),
    stat(
      'Without a price',
      'Calls with usage whose model has no price: their cost is missing here.',
      increase(unpriced),
      {
        unit: 'short',
        noValue: '0',
        steps: anyIsBad,
      },
    ),
    stat('Dear calls', 'Calls that cost more than the option `costAlert` allows.', increase('llm_cost_alerts_total'), {
      unit: 'short',
      noValue: '0',
      steps: anyIsBad,
    }),
    stat('First token, p95', 'Of streams, over the time shown.', quantileOfRange(0.95, first), {
      unit: 's',
      decimals: 2,
    }),

    row('Cost'),
    series('Dollars a minute by model', 'Of calls with a known price.', [[legend, `${rate(cost, by)} * 60`]], {
      ...usd,
      stack: true,
    }),
    pie('Cost by model', 'In the time shown.', [legend, increase(cost, by)], usd),
    pie('Cost by agent', 'In the time shown.', ['{{agent}}', named(increase(cost, 'agent'), 'agent')], usd),
    series(
      'Dollars a minute',
      'All models, and all services.',
      [
        ['all', `${rate(cost)} * 60`],
        ['{{service}}', `${rate(cost, 'service')} * 60`],
      ],
      usd,
    ),
    series(
      'Cost of a call by model',
      'Half of the calls cost less than p50.',
      [0.5, 0.95].map((q) => [`p${q * 100} {{model}}`, quantile(q, perCall, 'model')] as const),
      { ...usd, decimals: 4 },
    ),
    bars(
      'Cost by service',
      'In the time shown.',
      ['{{service}} {{environment}}', increase(cost, 'service environment')],
      usd,
    ),
    bars(
      'Dollars per million tokens',
      'Input and output, as they were mixed.',
      [legend, `${increase(cost, by)} / ${increase('llm_tokens_total', by)} * 1e6`],
      usd,
    ),
    bars(
      'Cost by list of prices',
      'Lists that the option `pricingProfile` names.',
      ['{{pricing_profile}}', named(increase(cost, 'pricing_profile'), 'pricing_profile')],
      usd,
    ),
    bars(
      'Calls without a price',
      'Models to give a price to, with the option `prices`.',
      [legend, increase(unpriced, by)],
      {
        unit: 'short',
      },
    ),

    row('Time to first token'),
    series(
      'First token by model',
      'Seconds from the call to the first content of a stream.',
      [0.5, 0.75, 0.95].map((q) => [`p${q * 100} {{model}}`, quantile(q, first, 'model')] as const),
      { unit: 's', h: 9 },
    ),
    heatmap(
      'First tokens',
      'Streams by the time that they took to begin.',
      increase(`${first}_bucket`, 'le', {}, rateInterval),
      's',
    ),

    row('Answers from caches'),
    stat('Answered by a cache', 'Looks into response caches that found an answer.', `${hits} / ${looks}`, {
      unit: 'percentunit',
      decimals: 1,
      w: 6,
      h: 8,
    }),
    series(
      'Looks into caches',
      'A second, by type of cache.',
      [
        ['hit {{cache_type}}', rate('llm_cache_hits_total', 'cache_type')],
        ['miss {{cache_type}}', rate('llm_cache_misses_total', 'cache_type')],
      ],
      { unit: 'ops', w: 18 },
    ),
  ],
};
