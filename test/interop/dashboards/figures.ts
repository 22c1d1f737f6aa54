import type { Rows } from './rows.ts';
import { bucketsOf, type Figures, named, over, quantileBy, scale, sumBy } from './sums.ts';

/** How often the load ran within each window before the moment of the queries. */
export const runsWithin = { month: 6, week: 5, '6h': 4, '1h': 3, range: 2, rate: 1 } as const;
export const rateSeconds = 300;
export const rangeSeconds = 1800;
/** Before all windows, so that every series is there when they begin; what telemetry tells of itself comes a run later. */
export const earlierRuns = 2;

/** By title of the panel: a set of figures for each of its queries. */
export type BoardFigures = Readonly<Record<string, readonly Figures[]>>;

const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const workSeconds = [0.01, ...seconds];
const firstSeconds = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const perToken = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const tokenBounds = [10, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000];
const dollarBounds = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const judgeSeconds = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const scores = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** In the time that the dashboard shows, and a second in the shortest window. */
export function inRange<T extends object>(
  rows: readonly T[],
  by = '',
  value?: (row: T) => number | undefined,
): Figures {
  return scale(sumBy(rows, by, value), runsWithin.range);
}
export function perSecond<T extends object>(
  rows: readonly T[],
  by = '',
  value?: (row: T) => number | undefined,
): Figures {
  return scale(sumBy(rows, by, value), runsWithin.rate / rateSeconds);
}

const count = (row: { count: number }) => row.count;
const took = (row: { seconds: number }) => row.seconds;
const cost = (row: { cost?: number | undefined }) => row.cost;
const first = (row: { firstTokenSeconds?: number }) => row.firstTokenSeconds;
const both = (row: { input?: number; output?: number }) =>
  row.input === undefined && row.output === undefined ? undefined : (row.input ?? 0) + (row.output ?? 0);
const model = 'provider model';
const sender = 'service environment';

function ofType<T extends { token_type: string }>(rows: readonly T[], type: string): T[] {
  return rows.filter((row) => row.token_type === type);
}
function percentiles<T extends object>(
  rows: readonly T[],
  bounds: readonly number[],
  by: string,
  value: (row: T) => number | undefined,
  qs: readonly number[] = [0.5, 0.95, 0.99],
): Figures[] {
  return qs.map((q) => quantileBy(q, bounds, rows, by, value));
}

export function llmPerformance({ calls, callErrors, tokens, details, priced }: Rows): BoardFigures {
  const failed = calls.filter(({ status }) => status === 'error');
  const left = calls.filter(({ aborted }) => aborted);
  const rates = calls.flatMap((call) =>
    call.firstTokenSeconds !== undefined && (call.output ?? 0) > 1
      ? [{ ...call, pace: (call.seconds - call.firstTokenSeconds) / (call.output! - 1) }]
      : [],
  );
  return {
    Calls: [inRange(calls)],
    Errors: [inRange(callErrors)],
    'Share of errors': [over(sumBy(failed), sumBy(calls))],
    'Latency, p95': percentiles(calls, seconds, '', took, [0.95]),
    'Input tokens': [inRange(ofType(tokens, 'input'), '', count)],
    'Output tokens': [inRange(ofType(tokens, 'output'), '', count)],
    'Calls by model': [perSecond(calls, model)],
    'Share of models': [inRange(calls, model)],
    Operations: [inRange(calls, 'operation')],
    Models: [
      inRange(calls, model),
      over(sumBy(failed, model), sumBy(calls, model)),
      over(sumBy(calls, model, took), sumBy(calls, model)),
      ...percentiles(calls, seconds, model, took, [0.95]),
      inRange(tokens, model, count),
      inRange(priced, model, cost),
    ],
    Latency: percentiles(calls, seconds, '', took),
    'Latency by model': percentiles(calls, seconds, model, took),
    'Seconds per output token, p95': percentiles(rates, perToken, model, ({ pace }) => pace, [0.95]),
    'Streams that callers left': [perSecond(left, model)],
    'Input tokens by model': [perSecond(ofType(tokens, 'input'), model, count)],
    'Output tokens by model': [perSecond(ofType(tokens, 'output'), model, count)],
    'Cached and reasoning tokens': [perSecond(details, 'token_type', count)],
    'Tokens of a call, p95': percentiles(calls, tokenBounds, model, both, [0.95]),
    'Errors by class': [perSecond(callErrors, 'error_type')],
    'Classes of errors': [inRange(callErrors, 'error_type')],
    'Models that fail': [inRange(callErrors, model)],
  };
}

export function agentsAndTools({ calls, callErrors, errors, work, tools, asked, tokens, priced }: Rows): BoardFigures {
  const agents = work.filter(({ type }) => type === 'agent');
  const retrievals = work.filter(({ type }) => type === 'retrieval');
  const failedTools = tools.filter(({ error }) => error);
  const byAgent = <T extends { agent: string }>(rows: readonly T[]) => named(rows, 'agent');
  return {
    'Agent runs': [inRange(agents)],
    'Model calls': [inRange(calls)],
    'Tools asked for': [inRange(asked)],
    'Tools run': [inRange(tools)],
    Retrievals: [inRange(retrievals)],
    Errors: [inRange(errors)],
    'Model calls by agent': [perSecond(byAgent(calls), 'agent')],
    'Share of agents': [inRange(byAgent(calls), 'agent')],
    'Calls that fail': [over(sumBy(byAgent(callErrors), 'agent'), sumBy(byAgent(calls), 'agent'))],
    'Duration of agents, p95': percentiles(agents, workSeconds, 'agent', took, [0.95]),
    'Agents in figures': [
      inRange(byAgent(calls), 'agent'),
      inRange(byAgent(tools), 'agent'),
      inRange(byAgent(tokens), 'agent', count),
      inRange(byAgent(priced), 'agent', cost),
    ],
    'Tools by name': [perSecond(tools, 'tool_name')],
    'Tools by agent': [perSecond(byAgent(tools), 'agent')],
    'Tools that fail': [over(sumBy(failedTools, 'tool_name'), sumBy(tools, 'tool_name'))],
    'Tools asked for by name': [inRange(asked, 'tool_name')],
    'Retrievals by agent': [perSecond(byAgent(retrievals), 'agent')],
    'Errors by kind of work': [perSecond(errors, 'span_type')],
    'Kinds of work that fail': [inRange(errors, 'span_type')],
    'Errors by model': [
      inRange(
        errors.filter((error) => error.model),
        model,
      ),
    ],
    'Duration by kind of work, p95': percentiles(work, workSeconds, 'span_type', took, [0.95]),
  };
}

export function costAndFirstToken(rows: Rows): BoardFigures {
  const { priced, unpriced, dear, streams, looks, tokens } = rows;
  const hits = looks.filter(({ found }) => found === 'hit');
  const misses = looks.filter(({ found }) => found === 'miss');
  const aMinute = (by = '') => scale(perSecond(priced, by, cost), 60);
  return {
    Cost: [inRange(priced, '', cost)],
    'In 30 days': [scale(inRange(priced, '', cost), (30 * 86_400) / rangeSeconds)],
    'Cost of a call, p95': percentiles(priced, dollarBounds, '', cost, [0.95]),
    'Without a price': [inRange(unpriced)],
    'Dear calls': [inRange(dear)],
    'First token, p95': percentiles(streams, firstSeconds, '', first, [0.95]),
    'Dollars a minute by model': [aMinute(model)],
    'Cost by model': [inRange(priced, model, cost)],
    'Cost by agent': [inRange(named(priced, 'agent'), 'agent', cost)],
    'Dollars a minute': [aMinute(), aMinute('service')],
    'Cost of a call by model': percentiles(priced, dollarBounds, 'model', cost, [0.5, 0.95]),
    'Cost by service': [inRange(priced, sender, cost)],
    'Dollars per million tokens': [scale(over(sumBy(priced, model, cost), sumBy(tokens, model, count)), 1e6)],
    'Cost by list of prices': [inRange(named(priced, 'pricing_profile'), 'pricing_profile', cost)],
    'Calls without a price': [inRange(unpriced, model)],
    'First token by model': percentiles(streams, firstSeconds, 'model', first, [0.5, 0.75, 0.95]),
    'First tokens': [
      bucketsOf(
        firstSeconds,
        streams.map((call) => first(call)!),
      ),
    ],
    'Answered by a cache': [over(sumBy(hits), sumBy(looks))],
    'Looks into caches': [perSecond(hits, 'cache_type'), perSecond(misses, 'cache_type')],
  };
}

export function evaluation({ evaluations, dropped, feedback }: Rows): BoardFigures {
  const scored = evaluations.filter(({ score }) => score !== undefined);
  const failed = evaluations.filter(({ score }) => score === undefined);
  const score = (row: { score: number | undefined }) => row.score;
  const mean = (by: string) => over(sumBy(scored, by, score), sumBy(scored, by));
  return {
    Evaluations: [inRange(evaluations)],
    'With a score': [inRange(scored)],
    Failed: [inRange(failed)],
    'Share of failures': [over(sumBy(failed), sumBy(evaluations))],
    Dropped: [inRange(dropped)],
    'Mean score': [mean(''), mean('evaluation model')],
    'Evaluations in figures': [
      inRange(evaluations, 'evaluation model'),
      inRange(failed, 'evaluation model'),
      mean('evaluation model'),
    ],
    Scores: [
      bucketsOf(
        scores,
        scored.map((row) => score(row)!),
      ),
    ],
    'Score, p10': percentiles(scored, scores, 'evaluation', score, [0.1]),
    'Evaluations a second': [perSecond(evaluations, 'evaluation')],
    Duration: percentiles(evaluations, judgeSeconds, 'evaluation', took),
    'Failures by model': [inRange(failed, model)],
    'Evaluations by agent': [inRange(named(evaluations, 'agent'), 'agent')],
    'Dropped evaluations': [perSecond(dropped, 'evaluation')],
    'Answers with feedback': [inRange(feedback)],
    'Mean score by users': [over(sumBy(feedback, 'evaluation', score), sumBy(feedback, 'evaluation'))],
    Feedback: [perSecond(feedback, 'evaluation')],
  };
}

export function guardrails({ guarded }: Rows): BoardFigures {
  const ratio = (by = '') => over(sumBy(guarded, by), sumBy(guarded, by));
  return {
    'Calls with a guardrail': [inRange(guarded)],
    Violations: [inRange(guarded)],
    'Violations per call': [ratio()],
    'Violations by category': [perSecond(guarded, 'category')],
    Categories: [inRange(guarded, 'category')],
    'What was done': [inRange(guarded, 'action')],
    'By model': [inRange(guarded, model)],
    'By agent': [inRange(named(guarded, 'agent'), 'agent')],
    'By guardrail': [inRange(guarded, 'guardrail_id')],
    'Calls by guardrail': [perSecond(guarded, 'guardrail_id')],
    'Violations per call by guardrail': [ratio('guardrail_id')],
  };
}
