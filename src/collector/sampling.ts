import type { ReadableSpan } from '../trace/readable-span.ts';
import { ratioSampler, type Sampler } from '../trace/sampler.ts';
import type { LiveSettings, Settings } from './settings.ts';
import { readFacts, type SpanFacts } from './span-facts.ts';
import { summarize } from './summary.ts';
import type { CostOf } from './trace-store.ts';

export interface SamplingPorts {
  readonly settings: LiveSettings;
  readonly costOf: CostOf;
  readonly monotonic: () => number;
  readonly maxTraces: number;
  readonly maxSpans: number;
  readonly maxMs: number;
  /** Told of spans that are left out for good. */
  readonly drop: (spans: readonly ReadableSpan[], tenant: string) => void;
}

/** Which spans are kept: a share of the traces, and of the others those that a tail rule wants. */
export interface Sampling {
  /** Those to keep of what came in, and what was held of their traces. */
  keep(spans: readonly ReadableSpan[], tenant: string): readonly ReadableSpan[];
  /** Lets go of what has waited too long. */
  expire(): void;
  /** Spans that wait. */
  readonly held: number;
}

/** A trace that the share leaves out, until a rule keeps it or its time is over. */
interface HeldTrace {
  readonly tenant: string;
  readonly since: number;
  spans: ReadableSpan[];
  readonly facts: SpanFacts[];
  isKept: boolean;
}

/** Spans of one trace that are held and judged by. */
const maxSpansPerTrace = 1000;

export function createSampling(ports: SamplingPorts): Sampling {
  const { settings, monotonic, drop } = ports;
  /** The oldest first. */
  const traces = new Map<string, HeldTrace>();
  let held = 0;
  let sampler: { ratio: number; keeps: Sampler } | undefined;

  function isSampled(traceId: string): boolean {
    const { ratio } = settings.current.sampling;
    if (sampler?.ratio !== ratio) sampler = { ratio, keeps: ratio >= 1 ? () => true : ratioSampler(ratio) };
    return sampler.keeps(traceId, undefined);
  }

  function letGo(key: string, trace: HeldTrace): void {
    traces.delete(key);
    held -= trace.spans.length;
    if (trace.spans.length > 0) drop(trace.spans, trace.tenant);
  }

  function makeRoom(): void {
    for (const [key, trace] of traces) {
      const isOver = monotonic() - trace.since >= ports.maxMs;
      if (!isOver && traces.size <= ports.maxTraces && held <= ports.maxSpans) return;
      letGo(key, trace);
    }
  }

  function hold(span: ReadableSpan, tenant: string): HeldTrace {
    const { traceId } = span.spanContext();
    const key = `${traceId}\n${tenant}`;
    const trace = traces.get(key) ?? { tenant, since: monotonic(), spans: [], facts: [], isKept: false };
    traces.set(key, trace);
    if (!trace.isKept && trace.facts.length < maxSpansPerTrace) trace.facts.push(readFacts(span, ports.costOf));
    if (trace.isKept || trace.spans.length < maxSpansPerTrace) {
      trace.spans.push(span);
      held++;
    } else drop([span], tenant);
    return trace;
  }

  function release(trace: HeldTrace): readonly ReadableSpan[] {
    const { spans } = trace;
    trace.isKept = true;
    trace.spans = [];
    trace.facts.length = 0;
    held -= spans.length;
    return spans;
  }

  return {
    get held() {
      return held;
    },
    keep(spans, tenant) {
      const rules = settings.current.sampling;
      if (rules.ratio >= 1) return spans;
      const kept: ReadableSpan[] = [];
      const touched = new Set<HeldTrace>();
      const isTail = hasTail(rules);
      const left: ReadableSpan[] = [];
      for (const span of spans) {
        if (isSampled(span.spanContext().traceId)) kept.push(span);
        else if (isTail) touched.add(hold(span, tenant));
        else left.push(span);
      }
      if (left.length > 0) drop(left, tenant);
      for (const trace of touched) if (trace.isKept || matches(rules, trace.facts)) kept.push(...release(trace));
      makeRoom();
      return kept;
    },
    expire: makeRoom,
  };
}

function hasTail({ keepErrors, keepSlowerThanMs, keepCostlierThanUsd }: Settings['sampling']): boolean {
  return keepErrors || keepSlowerThanMs !== undefined || keepCostlierThanUsd !== undefined;
}

/** Errors, the time from the first start to the last end, and what its model calls cost. A refusal by a budget is an error. */
function matches(rules: Settings['sampling'], facts: readonly SpanFacts[]): boolean {
  const { keepErrors, keepSlowerThanMs, keepCostlierThanUsd } = rules;
  const { status, durationMs, costUsd = 0 } = summarize('', facts);
  return (
    (keepErrors && status === 'error') ||
    (keepSlowerThanMs !== undefined && durationMs > keepSlowerThanMs) ||
    (keepCostlierThanUsd !== undefined && costUsd > keepCostlierThanUsd)
  );
}
