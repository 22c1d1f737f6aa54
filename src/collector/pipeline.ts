import type { ExportFunction, ReadableSpan } from '../trace/readable-span.ts';
import type { Batch } from './intake.ts';
import type { Redaction } from './redaction.ts';
import type { Sampling } from './sampling.ts';
import type { SpanMetrics } from './span-metrics.ts';
import type { CostOf, TraceStore } from './trace-store.ts';

export interface PipelinePorts {
  readonly metrics: SpanMetrics;
  readonly sampling: Sampling;
  readonly redaction: Redaction;
  readonly traces: TraceStore;
  readonly costOf: CostOf;
  /** Get what was stored. Neither must reject. */
  readonly forward: ((spans: readonly ReadableSpan[]) => void) | undefined;
  readonly live: (spans: readonly ReadableSpan[], tenant: string) => void;
  readonly audit: ExportFunction | undefined;
  readonly onSampled: (spans: readonly ReadableSpan[], tenant: string) => void;
  readonly onStored: (error: unknown) => void;
  readonly report: (error: unknown) => void;
}

/**
 * The way of spans: metrics count them all, sampling decides, secrets go, and only then anything keeps them. Answers the
 * tenants whose spans could not be stored.
 */
export function createPipeline(ports: PipelinePorts): (batches: readonly Batch[]) => Promise<ReadonlySet<string>> {
  const { metrics, sampling, redaction, traces, report } = ports;

  /** What of them is to be kept, by tenant, so that a store is asked once for many requests. */
  function prepare(batches: readonly Batch[]): Map<string, ReadableSpan[]> {
    const kept = new Map<string, ReadableSpan[]>();
    for (const { spans: sent, tenant } of batches) {
      const spans = sent.filter((span) => !isAnnouncement(span));
      metrics.record(spans, tenant);
      const chosen = sampling.keep(spans, tenant);
      if (chosen.length === 0) continue;
      ports.onSampled(chosen, tenant);
      const list = kept.get(tenant) ?? [];
      kept.set(tenant, list);
      for (const span of redaction(chosen, tenant)) list.push(span);
    }
    return kept;
  }

  async function store(spans: readonly ReadableSpan[], tenant: string): Promise<boolean> {
    try {
      await traces.add(spans, tenant, ports.costOf);
      ports.onStored(undefined);
      return true;
    } catch (error) {
      ports.onStored(error);
      return false;
    }
  }

  async function handle(batches: readonly Batch[]): Promise<ReadonlySet<string>> {
    const failed = new Set<string>();
    for (const [tenant, spans] of prepare(batches)) {
      if (!(await store(spans, tenant))) {
        failed.add(tenant);
        continue;
      }
      ports.forward?.(spans);
      ports.live(spans, tenant);
      if (ports.audit) await Promise.resolve(ports.audit(spans)).catch(report);
    }
    return failed;
  }

  return async (batches) => {
    try {
      return await handle(batches);
    } catch (error) {
      report(error);
      return new Set(batches.map(({ tenant }) => tenant));
    }
  };
}

/**
 * Logfire announces each span that starts by another one, below it, that ends at once: no work, and no call.
 * https://logfire.pydantic.dev/docs/how-to-guides/distributed-tracing/
 */
function isAnnouncement({ attributes }: ReadableSpan): boolean {
  return attributes['logfire.span_type'] === 'pending_span';
}
