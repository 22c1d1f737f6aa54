import { answers, costOf, type Made, works } from '../../support/preset-program.ts';
import { deskCall, lab } from './load.ts';

/** A model call of a run, with the labels that metrics have of it. */
export interface CallRow extends Omit<Made, 'error' | 'guardrail' | 'price' | 'operation'> {
  readonly operation: string;
  readonly service: string;
  readonly environment: string;
  readonly pricing_profile: string;
  readonly status: 'ok' | 'error';
  readonly error_type: string;
  readonly cost?: number | undefined;
  readonly cached?: number;
  readonly reasoning?: number;
  readonly aborted?: boolean;
  readonly guardrail?: Made['guardrail'];
}

const senders = {
  shop: { service: 'shop', environment: 'production' },
  plain: { service: 'plain', environment: 'staging' },
  desk: { service: 'desk', environment: 'production' },
  lab: { service: 'lab', environment: 'staging' },
} as const;

function callsOf(sender: (typeof senders)['shop' | 'plain'], pricing_profile: string): CallRow[] {
  return Object.values(answers).map((made: Made) => ({
    ...made,
    ...sender,
    pricing_profile,
    status: made.error ? 'error' : 'ok',
    error_type: made.error?.[0] ?? '',
    cost: costOf(made),
  }));
}

const plainly = { agent: '', operation: 'chat', status: 'ok', error_type: '', pricing_profile: '' } as const;

const calls: readonly CallRow[] = [
  ...callsOf(senders.shop, 'list'),
  ...callsOf(senders.plain, ''),
  { ...plainly, ...senders.desk, ...deskCall, provider: 'openai', cost: costOf({ ...deskCall } as unknown as Made) },
  { ...plainly, ...senders.lab, ...lab.judged },
  { ...plainly, ...senders.lab, ...lab.left, operation: 'stream', firstTokenSeconds: lab.left.first, aborted: true },
  { ...plainly, ...senders.lab, ...lab.unreadable },
];

const work = [
  ...works.map((one) => ({ ...one, ...senders.shop })),
  // A collector counts no spans that are no work of an agent.
  ...works.filter(({ type }) => type !== 'trace').map((one) => ({ ...one, ...senders.plain })),
].map((one) => ({ ...one, span_type: one.type as string, error_type: one.error ?? '' }));

const judged = { ...senders.lab, agent: '', provider: lab.judged.provider, model: lab.judged.model };
const evaluations = [
  { ...judged, evaluation: 'relevance', seconds: lab.relevance.seconds, score: lab.relevance.score },
  { ...judged, evaluation: 'tone', seconds: lab.tone.seconds, score: undefined },
];

/** All that a run does, of one service or of all. */
export function rowsOf(service?: string) {
  const only = <T extends { service: string }>(rows: readonly T[]) =>
    rows.filter((row) => service === undefined || row.service === service);
  const mine = only(calls);
  const isKnown = (value: number | undefined) => value !== undefined;
  const tokens = mine.flatMap((call) => [
    ...(isKnown(call.input) ? [{ ...call, token_type: 'input', count: call.input! }] : []),
    ...(isKnown(call.output) ? [{ ...call, token_type: 'output', count: call.output! }] : []),
  ]);
  const failed = mine.filter(({ status }) => status === 'error');
  return {
    calls: mine,
    tokens,
    details: mine.flatMap((call) => [
      ...(call.cached ? [{ ...call, token_type: 'cache_read', count: call.cached }] : []),
      ...(call.reasoning ? [{ ...call, token_type: 'reasoning', count: call.reasoning }] : []),
    ]),
    priced: mine.filter(({ cost }) => cost !== undefined),
    unpriced: mine.filter((call) => isKnown(call.input) && call.cost === undefined),
    streams: mine.filter(({ firstTokenSeconds }) => isKnown(firstTokenSeconds)),
    guarded: mine
      .filter(({ guardrail }) => guardrail)
      .map((call) => ({
        ...call,
        guardrail_id: call.guardrail!.id,
        category: call.guardrail!.category,
        action: 'GUARDRAIL_INTERVENED',
      })),
    asked: mine.flatMap(({ tools = [], ...call }) => tools.map((tool_name) => ({ ...call, tool_name }))),
    callErrors: failed.map((call) => ({ ...call, span_type: 'llm' })),
    work: only(work),
    tools: only(work)
      .filter(({ type }) => type === 'tool')
      .map((tool) => ({ ...tool, tool_name: tool.name })),
    errors: [
      ...failed.map((call) => ({ ...call, span_type: 'llm' })),
      ...only(work.filter(({ error }) => error)).map((one) => ({ provider: '', model: '', ...one })),
    ],
    dear: only(calls.filter(({ service: by, cost = 0 }) => by === 'shop' && cost > 0.004)),
    evaluations: only(evaluations),
    dropped: only([{ ...judged, evaluation: 'style' }]),
    feedback: only(lab.feedback.map((score) => ({ ...senders.lab, evaluation: 'thumbs', score }))),
    looks: only(
      lab.looks.map((look) => {
        const [found, cache_type] = look.split(' ');
        return { ...senders.lab, found, cache_type };
      }),
    ),
    limits: only(
      [
        { limit: 'daily', window: 'day', usd: 50, spent: costOf({ ...deskCall } as unknown as Made) },
        { limit: 'user', window: 'hour', usd: 0.008, spent: undefined },
        { limit: 'single', window: 'call', usd: 0.1, spent: undefined },
      ].map((limit) => ({ ...senders.desk, ...limit })),
    ),
    refusals: only([{ ...senders.desk, limit: 'user', window: 'hour', reason: 'limit' }]),
    warnings: only([{ ...senders.desk, limit: 'user', threshold: '0.5' }]),
    /** A reply of Google without an id, and one that is no JSON. */
    unreadable: only([
      { ...senders.shop, provider: 'google' },
      { ...senders.lab, provider: 'openai' },
    ]),
  };
}

export type Rows = ReturnType<typeof rowsOf>;
