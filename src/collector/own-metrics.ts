import type { Registry } from '../metrics/registry.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import type { CollectorDialect } from './dialect.ts';
import { readSender, type Sender, senderLabels } from './emitters.ts';
import type { CollectorOptions, Objective } from './options.ts';

/** What is observed when the metrics are read. */
export interface Observed {
  readonly queueSize: () => number;
  readonly queueMax: () => number;
  readonly memoryBytes: () => number | undefined;
  readonly storedTraces: () => number | undefined | Promise<number | undefined>;
  readonly activeTraces: () => number;
  readonly heldSpans: () => number;
  /** Spans a second, over the last minute. */
  readonly ingestionRate: () => number;
}

/** What the collector says of itself. Those about spans are told by whom they were sent. */
export interface OwnMetrics {
  rejected(count: number, sender: Sender): void;
  warned(): void;
  droppedWaiting(spans: readonly ReadableSpan[]): void;
  rateLimited(dimension: 'ip' | 'service'): void;
  sampled(spans: readonly ReadableSpan[], tenant: string): void;
  sampledOut(spans: readonly ReadableSpan[], tenant: string): void;
  redacted(span: ReadableSpan, tenant: string): void;
  redactionFailed(span: ReadableSpan, tenant: string): void;
  exportFailed(): void;
  storeFailed(): void;
}

export function createOwnMetrics(
  registry: Registry,
  { prefix, senderLabels: labels }: CollectorDialect,
  self: Sender,
  observed: Observed,
  objectives: CollectorOptions['objectives'] = {},
): OwnMetrics {
  const counter = (suffix: string, help: string, names: readonly string[] = labels) =>
    registry.define(`${prefix}_${suffix}`, 'counter', names, { help });
  function gauge(suffix: string, help: string, read: () => number | undefined | Promise<number | undefined>): void {
    registry.define(`${prefix}_${suffix}`, 'gauge', [], {
      help,
      observer: 'collector',
      async observe(target) {
        const value = await read();
        if (value !== undefined) target.set(value);
      },
    });
  }

  const rejections = counter('ingestion_rejections_total', 'Requests that there was no room for.');
  const warnings = counter('backpressure_warnings_total', 'Requests taken above the soft limit of the queue.', []);
  const drops = counter('spans_dropped_by_backpressure_total', 'Spans that gave way to newer ones.', []);
  const limited = counter('rate_limited_total', 'Requests beyond a rate limit.', ['dimension']);
  const sampled = counter('spans_sampled_total', 'Spans that were kept.');
  const sampledOut = counter('spans_dropped_by_sampling_total', 'Spans that sampling left out.');
  const redacted = counter('redaction_applied_total', 'Spans that secrets were taken out of.');
  const redactionFailures = counter('redaction_failures_total', 'Spans with texts that are gone since a rule failed.');
  const exportFailures = counter('export_failures_total', 'Failed deliveries to the endpoint of forward.');
  const storeFailures = counter('store_failures_total', 'Batches that the trace store did not take.');

  gauge('queue_size', 'Spans that wait or are under way.', observed.queueSize);
  gauge('queue_utilization_percent', 'Of the queue.', () => (observed.queueSize() / observed.queueMax()) * 100);
  gauge('memory_bytes', 'Bytes that the program takes.', observed.memoryBytes);
  gauge('trace_store_size', 'Traces in the store.', observed.storedTraces);
  gauge('active_traces', 'Traces that got a span within the last minute.', observed.activeTraces);
  gauge('ingestion_rate', 'Spans a second, over the last minute.', observed.ingestionRate);
  gauge('held_spans', 'Spans that wait for a tail rule.', observed.heldSpans);

  function target(suffix: string, help: string, read: (objective: Objective) => number | undefined): void {
    registry.define(`${prefix}_${suffix}`, 'gauge', ['agent'], {
      help,
      observer: 'collector',
      observe(series) {
        for (const [agent, objective] of Object.entries(objectives)) {
          const value = read(objective);
          if (value !== undefined) series.set(value, { agent });
        }
      },
    });
  }
  target('slo_error_rate', 'Share of the calls that may fail.', ({ errorRate }) => errorRate);
  target('cost_budget_usd', 'US dollars that may be spent.', ({ costBudgetUsd }) => costBudgetUsd);

  function addBySender(to: typeof sampled, spans: readonly ReadableSpan[], tenant: string): void {
    const counts = new Map<ReadableSpan['resource'], number>();
    for (const { resource } of spans) counts.set(resource, (counts.get(resource) ?? 0) + 1);
    for (const [resource, count] of counts) to.add(count, senderLabels(readSender(resource, tenant)), null);
  }
  const own = senderLabels(self);

  return {
    rejected: (count, sender) => rejections.add(count, senderLabels(sender), null),
    warned: () => warnings.add(1, {}, null),
    droppedWaiting: (spans) => drops.add(spans.length, {}, null),
    rateLimited: (dimension) => limited.add(1, { dimension }, null),
    sampled: (spans, tenant) => addBySender(sampled, spans, tenant),
    sampledOut: (spans, tenant) => addBySender(sampledOut, spans, tenant),
    redacted: (span, tenant) => addBySender(redacted, [span], tenant),
    redactionFailed: (span, tenant) => addBySender(redactionFailures, [span], tenant),
    exportFailed: () => exportFailures.add(1, own, null),
    storeFailed: () => storeFailures.add(1, own, null),
  };
}
