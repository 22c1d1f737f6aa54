import { type BoardFigures, rangeSeconds, rateSeconds, runsWithin } from './figures.ts';
import type { Rows } from './rows.ts';
import { type Figures, map, named, over, quantileBy, scale, sumBy } from './sums.ts';

/** What `targets.yml` says, and what a user has added to it. */
export const targets = {
  errors: 0.01,
  errorsOf: { research: 0.5 },
  usd: { week: 250, month: 1000 },
  /** `desk` has spent it, `shop` will have within three days. */
  usdOf: [
    { service: 'desk', window: 'month', usd: 0.008 },
    { service: 'shop', window: 'week', usd: 0.03 },
  ],
} as const;

/** The day of the month on which all queries are asked, at noon. */
export const today = 10;
const days = { week: 7, month: 30 } as const;
type Window = keyof typeof days;
const windows: readonly Window[] = ['week', 'month'];
const share = (window: Window) => Math.min(today / days[window], 1);
const never = 9999;

const agents = 'service environment agent';
const senders = 'service environment';

/** By name of the record, and by window: its series. */
export type Recorded = Readonly<Record<string, Readonly<Record<string, Figures>>>>;

/** What every rule of `targets.yml` and `rules.yml` comes to. */
export function recordedFigures({ calls, callErrors, tokens, priced }: Rows): Recorded {
  const each = (fn: (window: Window) => Figures) => Object.fromEntries(windows.map((window) => [window, fn(window)]));
  const times = <T extends object>(rows: readonly T[], by: string, value?: (row: T) => number | undefined) =>
    each((window) => scale(sumBy(rows, by, value), runsWithin[window]));
  const sofar = (sums: Readonly<Record<string, Figures>>) => each((window) => scale(sums[window]!, share(window)));
  const minus = (a: Figures, b: Figures) => map(a, (value, key) => value - (b[key] ?? 0));

  const window_calls = times(named(calls, 'agent'), agents);
  const window_errors = times(named(callErrors, 'agent'), agents);
  const window_errors_by_model = times(callErrors, 'service environment provider model');
  const window_tokens = times(named(tokens, 'agent'), `${agents} token_type`, ({ count }) => count);
  const window_cost_usd = times(named(priced, 'agent'), agents, ({ cost }) => cost);
  const zero = each((window) => scale(window_calls[window]!, 0));
  const errors = sofar(each((window) => ({ ...zero[window], ...window_errors[window] })));
  const error_budget = each((window) =>
    map(
      window_calls[window]!,
      (value, key) => value * (key.includes('agent=research') ? targets.errorsOf.research : targets.errors),
    ),
  );
  const error_budget_remaining = each((window) => minus(error_budget[window]!, errors[window]!));
  const effective = (window: Window) => days[window] * share(window);
  const lasts = (remaining: Figures, used: Figures, window: Window) =>
    map(remaining, (value, key) =>
      used[key] === 0 ? never : Math.min(Math.max(value, 0) / (used[key]! / effective(window)), never),
    );
  const service_cost_usd = sofar(times(priced, senders, ({ cost }) => cost));
  const cost_budget_usd = each((window) =>
    map(service_cost_usd[window]!, (_, key) => {
      const own = targets.usdOf.find((one) => one.window === window && key.includes(`service=${one.service}`));
      return own?.usd ?? targets.usd[window];
    }),
  );
  const cost_budget_remaining_usd = each((window) => minus(cost_budget_usd[window]!, service_cost_usd[window]!));
  const error_ratio = Object.fromEntries(
    ['1h', '6h'].map((window) => [
      window,
      over({ ...zero.week, ...sumBy(named(callErrors, 'agent'), agents) }, sumBy(named(calls, 'agent'), agents)),
    ]),
  );
  const targetOf = (key: string) => (key.includes('agent=research') ? targets.errorsOf.research : targets.errors);
  return {
    slo_error_ratio: { '': { '': targets.errors } },
    cost_target_usd: each((window) => ({ '': targets.usd[window] })),
    window_days: each((window) => ({ '': days[window] })),
    month_share: each((window) => ({ '': share(window) })),
    effective_days: each((window) => ({ '': effective(window) })),
    window_calls,
    window_errors,
    window_errors_by_model,
    window_tokens,
    window_cost_usd,
    calls: sofar(window_calls),
    errors,
    errors_by_model: sofar(window_errors_by_model),
    tokens: sofar(window_tokens),
    cost_usd: sofar(window_cost_usd),
    service_cost_usd,
    error_budget,
    error_budget_remaining,
    error_budget_consumed_ratio: each((window) => over(errors[window]!, error_budget[window]!)),
    sla_met: each((window) => map(error_budget_remaining[window]!, (value) => (value >= 0 ? 1 : 0))),
    error_days_to_exhaustion: each((window) => lasts(error_budget_remaining[window]!, errors[window]!, window)),
    cost_budget_usd,
    cost_budget_remaining_usd,
    cost_budget_consumed_ratio: each((window) => over(service_cost_usd[window]!, cost_budget_usd[window]!)),
    cost_usd_per_day: each((window) => scale(service_cost_usd[window]!, 1 / effective(window))),
    cost_days_to_exhaustion: each((window) =>
      lasts(cost_budget_remaining_usd[window]!, service_cost_usd[window]!, window),
    ),
    error_ratio,
    error_burn_rate: Object.fromEntries(
      Object.entries(error_ratio).map(([window, ratios]) => [
        window,
        map(ratios, (value, key) => value / targetOf(key)),
      ]),
    ),
  };
}

/** The sums of a record, apart by fewer labels. */
function regroup(figures: Figures, by = ''): Figures {
  const rows = Object.entries(figures).map(([key, value]) => ({ ...parseKey(key), value }));
  return sumBy(rows, by, ({ value }) => value);
}

function parseKey(key: string): Record<string, string> {
  return Object.fromEntries(key.split(',').flatMap((pair) => (pair ? [pair.split('=') as [string, string]] : [])));
}

const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

export function budgetsAndSlos(rows: Rows, recorded: Recorded, window: Window): BoardFigures {
  const { calls, tokens, priced, limits, refusals, warnings } = rows;
  const record = (name: string, by = '') => regroup(recorded[name]![window]!, by);
  const left = (part: string, whole: string, by = '') => over(record(part, by), record(whole, by));
  const least = (name: string): Figures => {
    const values = Object.values(recorded[name]![window]!);
    return values.length > 0 ? { '': Math.min(...values) } : {};
  };
  const inRange = <T extends object>(of: readonly T[], by = '', value?: (row: T) => number | undefined) =>
    scale(sumBy(of, by, value), runsWithin.range);
  const pace = <T extends object>(of: readonly T[], by = '', value?: (row: T) => number | undefined) =>
    scale(sumBy(of, by, value), runsWithin.rate / rateSeconds);
  const took = (call: { seconds: number }) => call.seconds;
  const cost = (call: { cost?: number | undefined }) => call.cost;
  const count = (row: { count: number }) => row.count;
  const burn = Object.entries(recorded.error_burn_rate!).flatMap(([of, figures]) =>
    Object.entries(figures).map(([key, value]) => ({ ...parseKey(key), window: of, value })),
  );
  const usd = (row: { usd: number }) => row.usd;
  // A gauge has no runs: what was spent is of all of them.
  const spent = (row: { spent: number | undefined }) => row.spent && row.spent * (runsWithin.month + 2);
  return {
    SLO: [least('sla_met')],
    'Expected calls': [record('window_calls')],
    'Error budget': [record('error_budget')],
    Errors: [record('errors')],
    'Error budget left': [
      left('error_budget_remaining', 'error_budget'),
      left('error_budget_remaining', 'error_budget', 'service agent'),
    ],
    'Errors run out in': [least('error_days_to_exhaustion')],
    Calls: [record('calls'), pace(calls, 'service')],
    Tokens: [record('tokens')],
    'Cost budget': [record('cost_budget_usd')],
    Cost: [record('service_cost_usd')],
    'Cost budget left': [
      left('cost_budget_remaining_usd', 'cost_budget_usd'),
      left('cost_budget_remaining_usd', 'cost_budget_usd', senders),
    ],
    'Money runs out in': [least('cost_days_to_exhaustion')],
    'Burn rate of errors': [sumBy(burn, `${agents} window`, ({ value }) => value)],
    'Error budget spent': [record('error_budget_consumed_ratio', 'service agent')],
    'Errors by model': [record('errors_by_model', 'provider model')],
    'Dollars a day': [record('cost_usd_per_day', senders)],
    'Cost budget spent': [record('cost_budget_consumed_ratio', senders)],
    'Cost by agent': [record('cost_usd', 'service agent')],
    Services: [
      inRange(calls, senders),
      over(sumBy(calls, senders, took), sumBy(calls, senders)),
      inRange(tokens, senders, count),
      inRange(priced, senders, cost),
    ],
    'Latency by service': [0.95, 0.99].map((q) => quantileBy(q, seconds, calls, 'service', took)),
    'Tokens by service': [pace(tokens, 'service', count)],
    'Cost by service': [pace(priced, 'service', cost)],
    'Spent of a limit': [over(sumBy(limits, 'limit window', spent), sumBy(limits, 'limit window', usd))],
    Limits: [sumBy(limits, `${senders} limit window`, usd), sumBy(limits, `${senders} limit window`, spent)],
    'Refused calls': [inRange(refusals)],
    Warnings: [inRange(warnings, 'limit threshold')],
    Refusals: [pace(refusals, 'limit reason')],
  };
}

/** What each alert shows, by the labels that it has. */
export function alertFigures(rows: Rows, recorded: Recorded): Readonly<Record<string, Figures>> {
  const { calls, callErrors, evaluations, dropped, refusals } = rows;
  const failed = evaluations.filter(({ score }) => score === undefined);
  const collector = 'instance=collector:8080,job=edgespan';
  const only = (figures: Figures, wanted: (value: number) => boolean) =>
    Object.fromEntries(Object.entries(figures).filter(([, value]) => wanted(value)));
  const ofWindows = (name: string, wanted: (value: number, key: string, window: string) => boolean): Figures => {
    const entries = Object.entries(recorded[name]!).flatMap(([window, figures]) =>
      Object.entries(figures).flatMap(([key, value]) =>
        wanted(value, key, window) ? [[`${key},window=${window}`, value] as const] : [],
      ),
    );
    return Object.fromEntries(entries);
  };
  const remaining = recorded.cost_budget_remaining_usd!;
  return {
    EdgespanCollectorDown: { 'instance=dead:8080,job=edgespan': 0 },
    EdgespanQueueNearlyFull: { [collector]: 85 },
    EdgespanForwardingFails: { [collector]: runsWithin.rate },
    EdgespanStoreFails: { [collector]: runsWithin.rate },
    EdgespanExportsFail: { 'environment=staging,service=lab,signal=traces': runsWithin.rate },
    EdgespanManyErrors: only(over(sumBy(callErrors, senders), sumBy(calls, senders)), (value) => value > 0.1),
    EdgespanEvaluationsFail: over(sumBy(failed, senders), sumBy(evaluations, senders)),
    EdgespanEvaluationsDropped: scale(sumBy(dropped, senders), runsWithin.rate),
    EdgespanCallsRefused: scale(sumBy(refusals, `${senders} limit`), runsWithin.rate),
    EdgespanErrorsBurnFast: ofWindows('error_burn_rate', (value, _, window) => window === '1h' && value > 14.4),
    EdgespanErrorBudgetSpent: ofWindows('error_budget_remaining', (value) => value < 0),
    EdgespanCostBudgetSpent: ofWindows('cost_budget_remaining_usd', (value) => value < 0),
    EdgespanCostBudgetRunsOut: ofWindows(
      'cost_days_to_exhaustion',
      (value, key, window) => value < 3 && remaining[window]![key]! >= 0,
    ),
  };
}

export const windowSeconds = {
  month: 30 * 86_400,
  week: 7 * 86_400,
  '6h': 21_600,
  '1h': 3600,
  range: rangeSeconds,
  rate: rateSeconds,
};
