import { asObject, parseJson } from '../json.ts';
import { readLimit } from '../paging.ts';

/** What is written down of a model call. */
export interface AuditEntry {
  user?: string;
  provider?: string;
  model: string;
  /** Cut at 65,536 characters, as every text here. */
  input?: string;
  output?: string;
  costUsd?: number;
  latencyMs?: number;
  traceId?: string;
  /** 64 of them at most. */
  metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** An entry in its place. In a chained log each record carries the hash of the one before. */
export interface AuditRecord extends AuditEntry {
  /** 0 for the first. */
  readonly index: number;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Hash of the record before; absent in the first. */
  readonly previous?: string;
  /** SHA-256, hex, over all of the record but `hash` and `signature`. */
  readonly hash?: string;
  /** Ed25519 over the hash, base64. */
  readonly signature?: string;
}

export interface AuditQuery {
  user?: string;
  model?: string;
  /** Epoch milliseconds, both included. */
  since?: number;
  until?: number;
  /** 1 to 1,000; 100 by default. */
  limit?: number;
  /** Of the page before. */
  cursor?: string;
}

/** Oldest first. */
export interface AuditPage {
  records: readonly AuditRecord[];
  cursor?: string;
}

/** Where records are kept: they are added at the end, read, and never changed. */
export interface AuditStore {
  /** Rejects where a record has this index already, as when another process was first. */
  append(record: AuditRecord): Promise<void>;
  last(): Promise<AuditRecord | undefined>;
  query(query: AuditQuery): Promise<AuditPage>;
  /** All records, in their order. */
  read(): AsyncIterable<AuditRecord>;
  /** Index of the oldest record, in a store that lets old ones go. */
  first?(): number;
}

/** A record as a store wrote it; `undefined` for what is none. */
export function parseRecord(text: string): AuditRecord | undefined {
  const record = asObject(parseJson(text));
  return typeof record?.index === 'number' ? (record as unknown as AuditRecord) : undefined;
}

/** Stands for a record that can't be read any more, and is never right. */
export function unreadable(index: number): AuditRecord {
  return { index, id: '', time: Number.NaN, model: '', hash: 'unreadable' };
}

/** Records of a page that says no limit. */
export const defaultLimit = 100;

/** Index of the record that a page begins with. */
export function readCursor(cursor: string | undefined): number {
  return /^\d{1,15}$/.test(cursor ?? '') ? Number(cursor) : 0;
}

function matches({ user, model, since, until }: AuditQuery, record: AuditRecord): boolean {
  return (
    (user === undefined || record.user === user) &&
    (model === undefined || record.model === model) &&
    (since === undefined || record.time >= since) &&
    (until === undefined || record.time <= until)
  );
}

/** A page of records that come in their order. */
export async function toPage(
  records: AsyncIterable<AuditRecord> | Iterable<AuditRecord>,
  query: AuditQuery,
): Promise<AuditPage> {
  const limit = readLimit(query.limit, defaultLimit);
  const from = readCursor(query.cursor);
  const found: AuditRecord[] = [];
  for await (const record of records) {
    if (record.index < from || !matches(query, record)) continue;
    if (found.length === limit) return { records: found, cursor: String(record.index) };
    found.push(record);
  }
  return { records: found };
}
