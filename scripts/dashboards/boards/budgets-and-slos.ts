import type { Board } from '../dashboard.ts';
import { anyIsBad, bars, row, series, stat, table } from '../panels.ts';
import { increase, mean, quantile, rate, select, sumOf } from '../query.ts';

const usd = { unit: 'currencyUSD', decimals: 2 };
const share = { unit: 'percentunit', decimals: 1 };
const window = { window: '$window' };
const recorded = (name: string, by = '') => sumOf(`edgespan:${name}`, by, window);
const left = (part: string, whole: string, by = '') => `${recorded(part, by)} / ${recorded(whole, by)}`;
const least = (name: string) => `min(${select(`edgespan:${name}`, window)})`;
/** Steps of what runs out, the worst first. */
const shareLeft = [
  [-Infinity, 'red'],
  [0.1, 'orange'],
  [0.25, 'green'],
] as const;
const days = [
  [-Infinity, 'red'],
  [3, 'orange'],
  [7, 'green'],
] as const;
const limits = 'limit window';
const sender = 'service environment';

/** What is left of error and cost budgets, and how fast it goes. */
export const budgetsAndSlos: Board = {
  name: 'budgets-and-slos',
  title: 'Budgets and SLOs',
  description:
    'What is left of the error and cost budgets of `targets.yml`, as the recording rules see it, and of the limits that applications enforce.',
  windows: ['week', 'month'],
  panels: [
    stat('SLO', 'Whether every agent has kept within its error budget: 1 or 0.', least('sla_met'), {
      unit: 'bool_yes_no',
      steps: [
        [-Infinity, 'red'],
        [1, 'green'],
      ],
    }),
    stat('Expected calls', 'As many as in the last 7 or 30 days.', recorded('window_calls'), { unit: 'short' }),
    stat('Error budget', 'Errors that the expected calls may have.', recorded('error_budget'), {
      unit: 'short',
      decimals: 1,
    }),
    stat('Errors', 'So far in this window.', recorded('errors'), { unit: 'short' }),
    stat('Error budget left', 'Of all agents together.', left('error_budget_remaining', 'error_budget'), {
      ...share,
      steps: shareLeft,
    }),
    stat(
      'Errors run out in',
      'Days, at the pace of this window, for the agent that is closest; 9,999 is never.',
      least('error_days_to_exhaustion'),
      {
        unit: 'suffix: days',
        decimals: 1,
        steps: days,
      },
    ),
    stat('Calls', 'So far in this window.', recorded('calls'), { unit: 'short' }),
    stat('Tokens', 'So far in this window.', recorded('tokens'), { unit: 'short' }),
    stat('Cost budget', 'Of the services that are chosen.', recorded('cost_budget_usd'), usd),
    stat('Cost', 'So far in this window.', recorded('service_cost_usd'), usd),
    stat('Cost budget left', 'Of all services together.', left('cost_budget_remaining_usd', 'cost_budget_usd'), {
      ...share,
      steps: shareLeft,
    }),
    stat(
      'Money runs out in',
      'Days, at the pace of this window, for the service that is closest; 9,999 is never.',
      least('cost_days_to_exhaustion'),
      {
        unit: 'suffix: days',
        decimals: 1,
        steps: days,
      },
    ),

    row('Error budgets'),
    series(
      'Error budget left',
      'By service and agent.',
      [['{{service}} {{agent}}', left('error_budget_remaining', 'error_budget', 'service agent')]],
      { ...share, min: -1, max: 1, steps: shareLeft },
    ),
    series(
      'Burn rate of errors',
      '1 spends the budget just when the window is over; 14.4 spends a month’s in two days.',
      [['{{window}} {{service}} {{agent}}', sumOf('edgespan:error_burn_rate', `${sender} agent window`)]],
      {
        unit: 'none',
        decimals: 2,
        steps: [
          [1, 'orange'],
          [14.4, 'red'],
        ],
      },
    ),
    bars(
      'Error budget spent',
      'By agent.',
      ['{{service}} {{agent}}', `sum by (service, agent) (${select('edgespan:error_budget_consumed_ratio', window)})`],
      {
        ...share,
        steps: [
          [0.75, 'orange'],
          [1, 'red'],
        ],
        w: 8,
      },
    ),
    bars(
      'Errors by model',
      'So far in this window.',
      ['{{provider}} {{model}}', recorded('errors_by_model', 'provider model')],
      {
        unit: 'short',
        w: 8,
      },
    ),
    series('Calls', 'A second.', [['{{service}}', rate('llm_requests_total', 'service')]], { unit: 'reqps', w: 8 }),

    row('Cost budgets'),
    series(
      'Cost budget left',
      'By service and environment.',
      [['{{service}} {{environment}}', left('cost_budget_remaining_usd', 'cost_budget_usd', sender)]],
      { ...share, min: -1, max: 1, steps: shareLeft },
    ),
    series(
      'Dollars a day',
      'The mean of this window.',
      [['{{service}} {{environment}}', recorded('cost_usd_per_day', sender)]],
      usd,
    ),
    bars(
      'Cost budget spent',
      'By service.',
      ['{{service}} {{environment}}', recorded('cost_budget_consumed_ratio', sender)],
      {
        ...share,
        steps: [
          [0.75, 'orange'],
          [1, 'red'],
        ],
        w: 12,
      },
    ),
    bars('Cost by agent', 'So far in this window.', ['{{service}} {{agent}}', recorded('cost_usd', 'service agent')], {
      ...usd,
      w: 12,
    }),

    row('Services'),
    table(
      'Services',
      'In the time shown.',
      [
        { name: 'Calls', expr: increase('llm_requests_total', sender), unit: 'short' },
        { name: 'Mean latency', expr: mean('llm_request_duration_seconds', sender), unit: 's', decimals: 2 },
        { name: 'Tokens', expr: increase('llm_tokens_total', sender), unit: 'short' },
        { name: 'Cost', expr: increase('llm_cost_usd_total', sender), unit: 'currencyUSD' },
      ],
      { w: 12, h: 8 },
    ),
    series(
      'Latency by service',
      'From call to last byte.',
      [0.95, 0.99].map(
        (q) => [`p${q * 100} {{service}}`, quantile(q, 'llm_request_duration_seconds', 'service')] as const,
      ),
      { unit: 's' },
    ),
    series('Tokens by service', 'A second.', [['{{service}}', rate('llm_tokens_total', 'service')]], {
      unit: 'suffix: tok/s',
    }),
    series('Cost by service', 'Dollars a second.', [['{{service}}', rate('llm_cost_usd_total', 'service')]], {
      unit: 'currencyUSD',
    }),

    row('Limits that applications enforce'),
    bars(
      'Spent of a limit',
      'Limits of the option `budget` that have no key, in their present window.',
      ['{{limit}} ({{window}})', `${sumOf('llm_budget_spent_usd', limits)} / ${sumOf('llm_budget_limit_usd', limits)}`],
      {
        ...share,
        steps: [
          [0.8, 'orange'],
          [1, 'red'],
        ],
      },
    ),
    table(
      'Limits',
      'Those with a key (a user, a tenant) have no sum.',
      [
        { name: 'Limit', expr: sumOf('llm_budget_limit_usd', `${sender} ${limits}`), unit: 'currencyUSD' },
        { name: 'Spent', expr: sumOf('llm_budget_spent_usd', `${sender} ${limits}`), unit: 'currencyUSD' },
      ],
      { w: 10, h: 8 },
    ),
    stat(
      'Refused calls',
      'Calls that a limit stopped before they were made.',
      increase('llm_budget_rejections_total'),
      {
        unit: 'short',
        noValue: '0',
        steps: anyIsBad,
        h: 8,
      },
    ),
    bars(
      'Warnings',
      'Shares of a limit that were reached.',
      ['{{limit}} {{threshold}}', increase('llm_budget_alerts_total', 'limit threshold')],
      {
        unit: 'short',
        w: 4,
      },
    ),
    series(
      'Refusals',
      'Calls a second.',
      [['{{limit}} {{reason}}', rate('llm_budget_rejections_total', 'limit reason')]],
      {
        unit: 'reqps',
        w: 24,
        h: 6,
      },
    ),
  ],
};
