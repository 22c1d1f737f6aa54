import { boolean, type Checks, checkValues, extend, methods, object } from '../checks.ts';
import { withTimeout } from '../clock.ts';
import { TelemetryError } from '../errors.ts';
import type { ExportFunction } from '../trace/readable-span.ts';
import { hashRecord, signHash, type Verification, verifyChain } from './chain.ts';
import { checkEntry } from './entry.ts';
import { createAuditExporter } from './exporter.ts';
import { createMemoryAuditStore } from './memory-store.ts';
import type { AuditEntry, AuditPage, AuditQuery, AuditRecord, AuditStore } from './record.ts';

/** A `CryptoKey`, by a way that leads to it where Node's types are the only ones: they have no such interface. */
type Key = (typeof CryptoKey)['prototype'];

export interface AuditOptions {
  /** Memory by default, 10,000 records. */
  store?: AuditStore;
  /** Each record carries the hash of the one before; on where a key is given. */
  chain?: boolean;
  /** An Ed25519 private key: each record's hash is signed. */
  signingKey?: Key;
}

/** A log that only grows: who asked which model what, when, and for how much. */
export interface AuditLog {
  /** Resolves with the record once the store has it. Rejects with a `TelemetryError` for an entry that is none. */
  record(entry: AuditEntry): Promise<AuditRecord>;
  query(query?: AuditQuery): Promise<AuditPage>;
  /** Follows the whole log and names the first record that is altered, missing, elsewhere or not signed by this key. */
  verify(publicKey?: Key): Promise<Verification>;
  /** For `exporters`: one entry for each model call. */
  readonly exporter: ExportFunction;
}

/** Entries that wait for their turn. */
const maxWaiting = 10_000;
/** Others may write into the same store: a record whose index is taken tries the next one so often. */
const maxTries = 100;
/** The longest pause between two tries, which grows and is random, so that two writers fall out of step. */
const maxPauseMs = 50;
/** Who writes for all that wait may be gone: after so many milliseconds another one does. */
const patienceMs = 2000;

interface Waiting {
  readonly entry: AuditEntry;
  readonly time: number;
  settle: ((outcome: { record: AuditRecord } | { error: unknown }) => void) | undefined;
}

const checks: Checks = {
  store: /* @__PURE__ */ methods(['append', 'last', 'query', 'read']),
  chain: boolean,
  signingKey: /* @__PURE__ */ extend(object, { secret: true }),
};

/**
 * Throws a `TelemetryError` for wrong options.
 *
 * @example
 * const audit = createAuditLog({ store: createJsonlAuditStore('audit.jsonl'), chain: true });
 * createTelemetry({ exporters: [audit.exporter] });
 * console.log(await audit.verify()); // { ok: true, count: 3 }
 */
/* @__NO_SIDE_EFFECTS__ */
export function createAuditLog(options: AuditOptions = {}): AuditLog {
  checkValues(options, checks);
  const { store = createMemoryAuditStore(), signingKey } = options;
  const chain = options.chain ?? signingKey !== undefined;
  if (signingKey && !chain) {
    throw new TelemetryError('invalid_option', 'signingKey needs chain: true', { option: 'chain' });
  }
  const waiting: Waiting[] = [];
  /** Since when somebody writes for all that wait. */
  let writingSince: number | undefined;

  async function seal(entry: AuditEntry, time: number, last: AuditRecord | undefined): Promise<AuditRecord> {
    const previous = chain ? last?.hash : undefined;
    const index = (last?.index ?? -1) + 1;
    const record = { ...entry, index, id: crypto.randomUUID(), time, ...(previous && { previous }) };
    if (!chain) return record;
    const hash = await hashRecord(record);
    return { ...record, hash, ...(signingKey && { signature: await signHash(hash, signingKey) }) };
  }

  /** Appends one entry at the end, wherever that is by now. */
  async function append(entry: AuditEntry, time: number): Promise<AuditRecord> {
    for (let tries = 1; ; tries++) {
      const record = await seal(entry, time, await store.last());
      try {
        await store.append(record);
        return record;
      } catch (error) {
        const last = await store.last();
        if (last?.id === record.id) return record;
        if (tries >= maxTries || !last || last.index < record.index) throw error;
        const pause = Math.random() * Math.min(2 ** tries, maxPauseMs);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  async function writeAll(): Promise<void> {
    const since = Date.now();
    writingSince = since;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { settle, entry, time } = next;
      await append(entry, time).then(
        (record) => settle?.({ record }),
        (error: unknown) => settle?.({ error }),
      );
      // Somebody else has lost patience and goes on.
      if (writingSince !== since) return;
    }
    writingSince = undefined;
  }

  async function record(given: AuditEntry): Promise<AuditRecord> {
    const entry = checkEntry(given);
    if (waiting.length >= maxWaiting) {
      throw new TelemetryError('buffer_full', 'audit entries come faster than their store takes them');
    }
    let outcome: { record: AuditRecord } | { error: unknown } | undefined;
    const settled = new Promise<void>((resolve) => {
      waiting.push({
        entry,
        time: Date.now(),
        settle(how) {
          outcome = how;
          resolve();
        },
      });
    });
    if (writingSince === undefined) void writeAll();
    // One request's wait must not depend on another request being alive.
    while (!outcome) {
      await withTimeout(settled, patienceMs);
      const stuck = writingSince === undefined || Date.now() - writingSince >= patienceMs;
      if (!outcome && stuck) void writeAll();
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.record;
  }

  return {
    record,
    query: (query = {}) => store.query(query),
    verify: async (publicKey) =>
      verifyChain(store.read(), store.first?.() ?? 0, { isChained: chain || publicKey !== undefined, publicKey }),
    exporter: createAuditExporter(record),
  };
}
