import { sha256, toBase64, toHex } from '../digest.ts';
import type { AuditRecord } from './record.ts';

/** The first thing that is wrong with a log, and where. */
export type AuditProblem = 'altered' | 'missing' | 'reordered' | 'signature';

export type Verification = { ok: true; count: number } | { ok: false; index: number; problem: AuditProblem };

/** A record without what is reckoned from it. */
export type Unsealed = Omit<AuditRecord, 'hash' | 'signature'>;

/** SHA-256 in hex over the record as JSON with its keys in order. */
export async function hashRecord(record: Unsealed): Promise<string> {
  const { hash: _hash, signature: _signature, ...rest } = record as AuditRecord;
  return toHex(await sha256(toCanonical(rest)));
}

/** https://www.rfc-editor.org/rfc/rfc8032, base64. */
export async function signHash(hash: string, key: CryptoKey): Promise<string> {
  const signature = await crypto.subtle.sign('Ed25519', key, new TextEncoder().encode(hash));
  return toBase64(new Uint8Array(signature));
}

/** What each record has to have. */
export interface Expectation {
  readonly isChained: boolean;
  /** Ed25519, of whom each record has to be signed by. */
  readonly publicKey?: CryptoKey | undefined;
}

/**
 * Follows a chain from its first record (of index `first`) to its last, and names the first that was altered, is missing or
 * stands elsewhere. Records that were taken off the end leave no trace in the rest: compare the count with one that is
 * kept apart.
 */
export async function verifyChain(
  records: AsyncIterable<AuditRecord>,
  first: number,
  { isChained, publicKey }: Expectation,
): Promise<Verification> {
  let expected = first;
  let before: AuditRecord | undefined;
  let gap: number | undefined;
  for await (const record of records) {
    if (gap !== undefined) {
      if (record.index === gap) return { ok: false, index: gap, problem: 'reordered' };
      continue;
    }
    if (record.index > expected) {
      // It may still come, in the wrong place.
      gap = expected;
      continue;
    }
    if (record.index < expected) return { ok: false, index: record.index, problem: 'reordered' };
    const problem = await findProblem(record, before, { isChained, publicKey });
    if (problem) return { ok: false, ...problem };
    before = record;
    expected++;
  }
  return gap === undefined ? { ok: true, count: expected - first } : { ok: false, index: gap, problem: 'missing' };
}

async function findProblem(
  record: AuditRecord,
  before: AuditRecord | undefined,
  { isChained, publicKey }: Expectation,
): Promise<{ index: number; problem: AuditProblem } | undefined> {
  const { index, hash, signature, previous } = record;
  // Within a chain a record without a hash is one that lost it.
  if (hash === undefined) return isChained || before?.hash ? { index, problem: 'altered' } : undefined;
  if (hash !== (await hashRecord(record))) return { index, problem: 'altered' };
  // Its own hash is right, so it is the one before that has changed.
  if (before && previous !== before.hash) return { index: before.index, problem: 'altered' };
  if (publicKey && !(await isSigned(hash, signature, publicKey))) return { index, problem: 'signature' };
  return undefined;
}

async function isSigned(hash: string, signature: string | undefined, key: CryptoKey): Promise<boolean> {
  try {
    const bytes = Uint8Array.from(atob(signature ?? ''), (char) => char.charCodeAt(0));
    return await crypto.subtle.verify('Ed25519', key, bytes, new TextEncoder().encode(hash));
  } catch {
    return false;
  }
}

/** JSON with keys in order, so that stores may give them back in another one. */
function toCanonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(toCanonical).join(',')}]`;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${toCanonical(item)}`).join(',')}}`;
}
