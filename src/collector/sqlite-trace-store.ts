import { checkValues, count, fn } from '../checks.ts';
import { decodeStoredSpan, encodeStoredSpan } from '../otlp/decode/stored-span.ts';
import { readLimit } from '../paging.ts';
import { createStatements, type Sqlite, type SqliteValue, type Statements, waitForOthers } from '../sqlite.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import { encodeFittingSpan, fitFacts } from './fit-span.ts';
import { readFacts, type SpanFacts } from './span-facts.ts';
import { defaultLimit, readCursor, summarize, writeCursor } from './summary.ts';
import type { CostOf, TraceQuery, TraceStore, TraceSummary } from './trace-store.ts';

export interface SqliteTraceStoreOptions {
  /** Traces of all tenants, 100,000; the least recently updated leave. */
  maxTraces?: number;
  /** Spans of a trace, 500; more are not kept. */
  maxSpansPerTrace?: number;
  /** Milliseconds after which a trace that nothing came to leaves, 7 days. */
  expireAfterMs?: number;
  /** Epoch milliseconds, `Date.now` by default. */
  now?: () => number;
}

/**
 * Spans are rows of more than a kilobyte. A file takes them fastest one behind the other, beside an index; where rows
 * that are written cost money and an index counts as one of them, they stand `inIndex`.
 */
export const traceSchema = (inIndex: boolean) => `
  CREATE TABLE IF NOT EXISTS traces (
    tenant TEXT NOT NULL, trace_id TEXT NOT NULL, name TEXT NOT NULL, service TEXT NOT NULL, start REAL NOT NULL,
    duration REAL NOT NULL, span_count INTEGER NOT NULL, failed INTEGER NOT NULL, models TEXT NOT NULL,
    tokens INTEGER, cost REAL, updated REAL NOT NULL, PRIMARY KEY (tenant, trace_id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS traces_by_start ON traces (tenant, start DESC, trace_id DESC);
  CREATE INDEX IF NOT EXISTS traces_by_update ON traces (updated);
  CREATE TABLE IF NOT EXISTS spans (
    tenant TEXT NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT, name TEXT NOT NULL,
    service TEXT NOT NULL, start REAL NOT NULL, end REAL NOT NULL, failed INTEGER NOT NULL, model TEXT,
    tokens INTEGER, cost REAL, json TEXT NOT NULL, PRIMARY KEY (tenant, trace_id, span_id)
  )${inIndex ? ' WITHOUT ROWID' : ''};
`;

/** Calls of `add` between two counts of all traces. */
const recountEvery = 1000;

type Row = Record<string, SqliteValue>;

/**
 * Traces in SQLite, of `node:sqlite` on Node and Deno or `bun:sqlite`. A batch is there whole or not at all; once `add`
 * resolves it outlives the process, and with the database's own settings for durability the machine.
 *
 * @example
 * createCollector({ traces: createSqliteTraceStore(new DatabaseSync('traces.db')) });
 */
export function createSqliteTraceStore(database: Sqlite, options: SqliteTraceStoreOptions = {}): TraceStore {
  checkValues(options, { maxTraces: count, maxSpansPerTrace: count, expireAfterMs: count, now: fn });
  waitForOthers(database);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = NORMAL');
  database.exec(traceSchema(false));
  return createTraceTables(createStatements(database), options);
}

export interface TraceTableOptions extends SqliteTraceStoreOptions {
  /** Bytes of a row that the database takes; a file takes any. */
  maxSpanBytes?: number;
}

/** The store over tables that `traceSchema` has made. */
export function createTraceTables(sql: Statements, options: TraceTableOptions): TraceStore {
  const { maxTraces = 100_000, maxSpansPerTrace = 500, expireAfterMs = 7 * 86_400_000, now = Date.now } = options;
  const { maxSpanBytes } = options;

  /** Answers whether the trace is a new one. */
  function addTrace(
    tenant: string,
    traceId: string,
    spans: readonly ReadableSpan[],
    costOf: CostOf | undefined,
    updated: number,
  ): boolean {
    const known = new Map(
      sql
        .all(
          'SELECT span_id, parent_id, name, service, start, end, failed, model, tokens, cost FROM spans WHERE tenant = ? AND trace_id = ?',
          tenant,
          traceId,
        )
        .map((row) => [row.span_id as string, toFacts(row)]),
    );
    const isNew = known.size === 0;
    for (const span of spans) {
      const read = readFacts(span, costOf);
      const facts = maxSpanBytes === undefined ? read : fitFacts(read);
      if (!known.has(facts.spanId) && known.size >= maxSpansPerTrace) continue;
      known.set(facts.spanId, facts);
      sql.run(
        'INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[tenant, traceId, facts.spanId, facts.parentId ?? null, facts.name, facts.service, facts.start, facts.end],
        ...[facts.failed ? 1 : 0, facts.model ?? null, facts.tokens ?? null, facts.costUsd ?? null],
        maxSpanBytes === undefined ? encodeStoredSpan(span) : encodeFittingSpan(span, maxSpanBytes),
      );
    }
    const trace = summarize(traceId, [...known.values()]);
    sql.run(
      'INSERT OR REPLACE INTO traces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[tenant, traceId, trace.name, trace.service, trace.start, trace.durationMs, trace.spanCount],
      ...[trace.status === 'error' ? 1 : 0, JSON.stringify(trace.models), trace.tokens ?? null, trace.costUsd ?? null],
      updated,
    );
    return isNew;
  }

  /** How many there are; counted now and then, since others may write into the same file. */
  let count: number | undefined;
  let adds = 0;

  const countAll = () => Number(sql.all('SELECT COUNT(*) AS n FROM traces')[0]?.n ?? 0);

  /** Those that are too old leave, and of too many the least recently updated. Answers how many stay. */
  function evict(at: number, stored: number): number {
    const old = sql.all('SELECT tenant, trace_id FROM traces WHERE updated < ? LIMIT 1000', at - expireAfterMs);
    const excess = Math.max(old.length, stored - maxTraces);
    if (excess <= 0) return stored;
    const leaving = sql.all('SELECT tenant, trace_id FROM traces ORDER BY updated LIMIT ?', excess);
    for (const { tenant, trace_id: id } of leaving) {
      sql.run('DELETE FROM spans WHERE tenant = ? AND trace_id = ?', tenant!, id!);
      sql.run('DELETE FROM traces WHERE tenant = ? AND trace_id = ?', tenant!, id!);
    }
    return stored - leaving.length;
  }

  return {
    async add(spans, tenant, costOf) {
      const traces = new Map<string, ReadableSpan[]>();
      for (const span of spans) {
        const { traceId } = span.spanContext();
        const list = traces.get(traceId) ?? [];
        list.push(span);
        traces.set(traceId, list);
      }
      if (traces.size === 0) return;
      const at = now();
      let stored = 0;
      sql.transaction(() => {
        let added = 0;
        for (const [traceId, list] of traces) if (addTrace(tenant, traceId, list, costOf, at)) added++;
        const isDue = count === undefined || adds++ % recountEvery === 0;
        stored = evict(at, isDue ? countAll() : count! + added);
      });
      count = stored;
    },
    size: countAll,
    async get(traceId, tenant) {
      const rows = sql.all('SELECT json FROM spans WHERE tenant = ? AND trace_id = ? ORDER BY start', tenant, traceId);
      const spans = rows.flatMap(({ json }) => decodeStoredSpan(json as string) ?? []);
      return spans.length > 0 ? spans : undefined;
    },
    async query(query, tenant) {
      const limit = readLimit(query.limit, defaultLimit);
      const { where, values } = toCondition(query, tenant);
      const rows = sql.all(
        `SELECT * FROM traces WHERE ${where} ORDER BY start DESC, trace_id DESC LIMIT ?`,
        ...values,
        limit + 1,
      );
      const traces = rows.slice(0, limit).map(toSummary);
      return { traces, ...(rows.length > limit && { cursor: writeCursor(traces.at(-1)!) }) };
    },
  };
}

/** What is given as SQL; values are bound, never written into it. */
function toCondition(query: TraceQuery, tenant: string): { where: string; values: SqliteValue[] } {
  const after = readCursor(query.cursor);
  const conditions: readonly (readonly [sql: string, ...values: (SqliteValue | undefined)[]])[] = [
    ['tenant = ?', tenant],
    [
      'EXISTS (SELECT 1 FROM spans s WHERE s.tenant = traces.tenant AND s.trace_id = traces.trace_id AND s.service = ?)',
      query.service,
    ],
    ['EXISTS (SELECT 1 FROM json_each(models) WHERE value = ?)', query.model],
    ['failed = ?', query.status && (query.status === 'error' ? 1 : 0)],
    ['duration >= ?', query.minDurationMs],
    ['cost >= ?', query.minCostUsd],
    ['start + duration >= ?', query.since],
    ['(start < ? OR (start = ? AND trace_id < ?))', after?.start, after?.start, after?.traceId],
  ];
  const given = conditions.filter(([, ...values]) => values.every((value) => value !== undefined));
  return {
    where: given.map(([condition]) => condition).join(' AND '),
    values: given.flatMap(([, ...values]) => values as SqliteValue[]),
  };
}

function toFacts(row: Row): SpanFacts {
  return {
    spanId: row.span_id as string,
    parentId: (row.parent_id as string | null) ?? undefined,
    name: row.name as string,
    service: row.service as string,
    start: row.start as number,
    end: row.end as number,
    failed: Boolean(row.failed),
    model: (row.model as string | null) ?? undefined,
    tokens: (row.tokens as number | null) ?? undefined,
    costUsd: (row.cost as number | null) ?? undefined,
  };
}

function toSummary(row: Row): TraceSummary {
  return {
    traceId: row.trace_id as string,
    name: row.name as string,
    service: row.service as string,
    start: row.start as number,
    durationMs: row.duration as number,
    spanCount: row.span_count as number,
    status: row.failed ? 'error' : 'ok',
    models: JSON.parse(row.models as string) as string[],
    tokens: (row.tokens as number | null) ?? undefined,
    costUsd: (row.cost as number | null) ?? undefined,
  };
}
