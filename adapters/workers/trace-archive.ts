import { DurableObject } from 'cloudflare:workers';
import { createTraceTables, traceSchema } from '../../src/collector/sqlite-trace-store.ts';
import type { TraceQuery, TraceSummary } from '../../src/collector/trace-store.ts';
import { decodeStoredSpan, encodeStoredSpan } from '../../src/otlp/decode/stored-span.ts';
import type { ReadableSpan } from '../../src/trace/readable-span.ts';
import { openStatements } from './statements.ts';

/** Of the 2 MB of a row: https://developers.cloudflare.com/durable-objects/platform/limits/ */
const maxSpanBytes = 1_900_000;

/**
 * The traces of one tenant, for `createDurableObjectTraceStore`: export it from the Worker's main module.
 *
 * @example
 * export { TraceArchive } from 'edgespan/workers'; // wrangler.toml: new_sqlite_classes = ["TraceArchive"]
 */
export class TraceArchive extends DurableObject {
  readonly #store = createTraceTables(openStatements(this.ctx.storage, traceSchema(true)), { maxSpanBytes });

  /** Spans as OTLP JSON, one each, and what each costs: RPC carries no functions. */
  async add(spans: readonly string[], costs: readonly (number | undefined)[] = []): Promise<void> {
    const costOf = new Map<ReadableSpan, number | undefined>();
    for (const [i, text] of spans.entries()) {
      const span = decodeStoredSpan(text);
      if (span) costOf.set(span, costs[i]);
    }
    await this.#store.add([...costOf.keys()], '', (span) => costOf.get(span));
  }

  async get(traceId: string): Promise<readonly string[] | undefined> {
    return (await this.#store.get(traceId, ''))?.map(encodeStoredSpan);
  }

  async query(query: TraceQuery): Promise<{ traces: readonly TraceSummary[]; cursor?: string }> {
    return this.#store.query(query, '');
  }
}
