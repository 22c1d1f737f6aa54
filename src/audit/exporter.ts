import { fromHrTime } from '../clock.ts';
import { asNumber, asString } from '../json.ts';
import { isFailed, readForeignRequest, readForeignResponse, readWork } from '../llm/foreign-span.ts';
import { spanKey } from '../trace/otel-span.ts';
import type { ExportFunction, ReadableSpan } from '../trace/readable-span.ts';
import type { AuditEntry } from './record.ts';

/** Calls that are remembered: a batch that failed in the middle comes again whole. */
const maxRemembered = 10_000;

/** An exporter that writes one entry for each model call, and none for what is around it. */
export function createAuditExporter(record: (entry: AuditEntry) => Promise<unknown>): ExportFunction {
  const written = new Set<string>();
  return async (spans) => {
    for (const span of spans) {
      const entry = toEntry(span);
      const id = spanKey(span.spanContext());
      if (!entry || written.has(id)) continue;
      await record(entry);
      written.add(id);
      if (written.size > maxRemembered) written.delete(written.values().next().value as string);
    }
  };
}

function toEntry(span: ReadableSpan): AuditEntry | undefined {
  const { attributes } = span;
  const work = readWork(span.name, attributes);
  // A wrapper around a call that was recorded itself restates it.
  if (work?.type !== 'llm' || asNumber(attributes['edgespan.aggregated.model_calls'])) return undefined;
  const { provider, model: asked } = readForeignRequest(attributes);
  const { model = asked, costUsd } = readForeignResponse(attributes);
  const text = (...names: string[]) => names.map((name) => asString(attributes[name])).find(Boolean);
  const entry: Record<string, unknown> = {
    user: text('user.id', 'enduser.id'),
    provider,
    model: model ?? 'unknown',
    input: text('gen_ai.input.messages'),
    output: text('gen_ai.output.messages'),
    costUsd,
    latencyMs: Math.max(0, fromHrTime(span.endTime) - fromHrTime(span.startTime)),
    traceId: span.spanContext().traceId,
    metadata: {
      operation: work.operation,
      spanId: span.spanContext().spanId,
      status: isFailed(span) ? 'error' : 'ok',
    },
  };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as unknown as AuditEntry;
}
