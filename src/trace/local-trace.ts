import { statusError } from './otel-span.ts';
import type { RecordingSpan } from './span.ts';

/** Reasons to keep a trace that the sampler left out, decided when its local root ends. */
export interface TailRules {
  keepErrors?: boolean;
  keepSlowerThanMs?: number;
  keepCostlierThanUsd?: number;
}

/** Attribute whose sum over a local trace `keepCostlierThanUsd` is compared with. */
const costAttribute = 'llm.cost_usd';

/**
 * The spans of one trace that this process made. A sampled one passes its spans on as they end; one that only the tail
 * rules may keep holds up to `maxSpans` of them, and its root, until that has ended.
 */
export interface LocalTrace {
  readonly sampled: () => boolean;
  end(span: RecordingSpan): void;
}

/** Keeps nothing, so that all sampled traces may be one. */
export function createSampledTrace(emit: (span: RecordingSpan) => void): LocalTrace {
  return { sampled: () => true, end: emit };
}

export function createTailTrace(
  rules: TailRules,
  maxSpans: number,
  emit: (span: RecordingSpan) => void,
  drop: (count: number) => void,
): LocalTrace {
  let held: RecordingSpan[] = [];
  let keep: boolean | undefined;
  let matched = false;
  let cost = 0;

  function judge(span: RecordingSpan): void {
    const spanCost = span.attributes[costAttribute];
    if (typeof spanCost === 'number') cost += spanCost;
    matched ||= rules.keepErrors === true && span.status.code === statusError;
    matched ||= rules.keepSlowerThanMs !== undefined && span.durationMs > rules.keepSlowerThanMs;
    matched ||= rules.keepCostlierThanUsd !== undefined && cost > rules.keepCostlierThanUsd;
  }

  return {
    sampled: () => keep === true,
    end(span) {
      judge(span);
      // A stream may outlive its root; a match that late keeps what is still to come.
      if (keep !== undefined) {
        keep ||= matched;
        return keep ? emit(span) : drop(1);
      }
      // The root tells what the trace was about: it has a place even where the others have not.
      if (held.length < maxSpans || span.isLocalRoot) held.push(span);
      else drop(1);
      if (!span.isLocalRoot) return;
      keep = matched;
      if (keep) held.forEach(emit);
      else drop(held.length);
      held = [];
    },
  };
}
