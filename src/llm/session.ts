import type { Context } from '@opentelemetry/api';
import type { ContextView } from '../trace/context.ts';
import { shorten } from './content/clean.ts';
import { type Frame, type FramedCall, getFrame, setFrame } from './frame.ts';
import { createQuality, type QualityScores, type QualityTrend } from './quality.ts';

export interface SessionOptions {
  /** Stands for the whole where scopes are named, `(root)`. */
  name?: string;
  /** Characters of the prompt in each record, up to 100; none by default. */
  preview?: number;
  /** Calls whose records are kept, the newest, 1,000; the sums know all of them. */
  maxRecords?: number;
  /** Quality records that a trend is told from, 5 and at least 2. */
  qualityWindow?: number;
}

/** What the calls of a session or of one of its scopes come to. Of unknown tokens and prices nothing is added. */
export interface Usage {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  costUsd: number;
  /** Calls whose cost is unknown. */
  unpricedCalls: number;
  /** The cost in the currency of the option `currency`. */
  converted?: { code: string; amount: number };
}

/** One call. What is unknown is `undefined`; the split too where the vendor reports only what it comes to. */
export interface CostRecord {
  /** Path of the scope, as `rag/rerank`; `(root)` outside of any. */
  scope: string;
  provider: string;
  model: string;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  inputCostUsd: number | undefined;
  outputCostUsd: number | undefined;
  costUsd: number | undefined;
  latencyMs: number;
  timestamp: Date;
  /** The beginning of what was asked, its secrets taken out, where `preview` asks for it. */
  preview?: string;
}

/**
 * Tokens and costs of a stretch of work: of all model calls inside of `run` and `scope`, and of those through its
 * `fetch`, which needs no async context.
 *
 * @example
 * const session = telemetry.session();
 * await session.run(() => session.scope('rag', () => openai.chat.completions.create(request)));
 * session.usage(); // { calls: 1, inputTokens: 12, outputTokens: 5, totalTokens: 17, costUsd: 0.00008, unpricedCalls: 0 }
 */
export interface Session {
  /** `telemetry.fetch`, its calls counted here. */
  readonly fetch: typeof globalThis.fetch;
  run<T>(fn: () => T): T;
  /** A part with a name; parts inside of parts have paths. Parts that run at the same time do not mix. */
  scope<T>(name: string, fn: () => T): T;
  usage(): Usage;
  /** By path; a scope includes what is inside of it, and `(root)` everything. */
  usageByScope(): ReadonlyMap<string, Usage>;
  /** Oldest first. */
  costs(): readonly CostRecord[];
  /** Scores from 0 to 1. */
  recordQuality(quality: QualityScores): void;
  /** `improving` or `degrading` where the newer half of the window differs from the older by 0.03 or more. */
  qualityTrend(): QualityTrend;
  /** Forgets calls and scores. */
  reset(): void;
}

export interface SessionPorts {
  readonly view: ContextView;
  readonly now: () => number;
  readonly currency: { code: string; perUsd: number } | undefined;
  readonly createFetch: (view: ContextView) => typeof globalThis.fetch;
}

/** Scopes with sums of their own; further ones count in those around them. */
const maxScopes = 1000;

/** The part of a session that a call was made in. */
class SessionFrame implements Frame {
  readonly outer: Frame | undefined;
  readonly path: string;
  readonly preview: number;
  readonly record: (path: string, call: FramedCall) => void;

  constructor(outer: Frame | undefined, path: string, preview: number, record: SessionFrame['record']) {
    this.outer = outer;
    this.path = path;
    this.preview = preview;
    this.record = record;
  }

  add(call: FramedCall): void {
    this.record(this.path, call);
  }
}

export function createSession({ view, now, currency, createFetch }: SessionPorts, options: SessionOptions): Session {
  const { name: root = '(root)', preview = 0, maxRecords = 1000, qualityWindow = 5 } = options;
  const quality = createQuality(qualityWindow);
  let records: CostRecord[] = [];
  let sums = new Map<string, Usage>();
  let latest: FramedCall | undefined;

  function record(path: string, call: FramedCall): void {
    // All scopes around a call hear of it, the innermost first; the others are in its path.
    if (call === latest) return;
    latest = call;
    const prompt = preview > 0 && call.preview ? { preview: shorten(call.preview, preview) } : {};
    records.push({ ...toRecord(path || root, call, now()), ...prompt });
    if (records.length > maxRecords) records.shift();
    for (const scope of [root, ...listScopes(path)]) {
      const sum = sums.get(scope) ?? noUsage();
      if (sums.size < maxScopes) sums.set(scope, sum);
      add(sum, call);
    }
  }

  function convert(usage: Usage): Usage {
    const copy = { ...usage };
    if (currency) copy.converted = { code: currency.code, amount: usage.costUsd * currency.perUsd };
    return copy;
  }

  function enter(context: Context, name?: string): Context {
    const outer = getFrame(context);
    const path = name === undefined ? '' : join(findPath(outer, record), name);
    return setFrame(context, new SessionFrame(outer, path, preview, record));
  }

  let sessionFetch: typeof globalThis.fetch | undefined;
  return {
    get fetch() {
      sessionFetch ??= createFetch(withinSession(view, (context) => (has(context) ? context : enter(context))));
      return sessionFetch;
    },
    run: (fn) => view.run(enter(view.active()), fn),
    scope: (name, fn) => view.run(enter(view.active(), name), fn),
    usage: () => convert(sums.get(root) ?? noUsage()),
    usageByScope: () => new Map([...sums].map(([path, usage]) => [path, convert(usage)])),
    costs: () => [...records],
    recordQuality: quality.record,
    qualityTrend: quality.trend,
    reset() {
      records = [];
      sums = new Map();
      quality.reset();
    },
  };

  function has(context: Context): boolean {
    return findFrame(getFrame(context), record) !== undefined;
  }
}

/** A view whose active context is always one of the session. */
function withinSession(view: ContextView, enter: (context: Context) => Context): ContextView {
  return { ...view, active: () => enter(view.active()) };
}

function findFrame(frame: Frame | undefined, record: SessionFrame['record']): SessionFrame | undefined {
  for (let at = frame; at; at = at.outer) if (at instanceof SessionFrame && at.record === record) return at;
  return undefined;
}

function findPath(frame: Frame | undefined, record: SessionFrame['record']): string {
  return findFrame(frame, record)?.path ?? '';
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

/** `a/b` is in `a` and in `a/b`. */
function listScopes(path: string): string[] {
  if (path === '') return [];
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function noUsage(): Usage {
  return { calls: 0, inputTokens: 0, outputTokens: 0, totalTokens: 0, costUsd: 0, unpricedCalls: 0 };
}

function add(sum: Usage, { usage, cost }: FramedCall): void {
  const { input = 0, output = 0 } = usage ?? {};
  sum.calls++;
  sum.inputTokens += input;
  sum.outputTokens += output;
  sum.totalTokens += input + output;
  sum.costUsd += cost?.totalUsd ?? 0;
  if (!cost) sum.unpricedCalls++;
}

function toRecord(scope: string, { provider, model, usage, cost, seconds }: FramedCall, now: number): CostRecord {
  // A cost that the vendor reports is not split.
  const split = cost && (cost.totalUsd === 0 || cost.inputUsd + cost.outputUsd > 0) ? cost : undefined;
  return {
    scope,
    provider,
    model,
    inputTokens: usage?.input,
    outputTokens: usage?.output,
    inputCostUsd: split?.inputUsd,
    outputCostUsd: split?.outputUsd,
    costUsd: cost?.totalUsd,
    latencyMs: seconds * 1000,
    timestamp: new Date(now),
  };
}
