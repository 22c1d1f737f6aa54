import { TelemetryError } from '../errors.ts';
import { checkAmount, checkRef, checkReserve, showKey } from './check.ts';
import type { Amount, ReservationRef, Reserved, ReserveRequest } from './store.ts';

/** What a store knows of one key: its windows by their end. `packLedger` makes plain JSON of it. */
export type Ledger = Map<number, LedgerWindow>;

interface LedgerWindow {
  readonly spent: Count;
  /** The sum of `open`. */
  readonly reserved: Count;
  /** Reservations by id: nano-dollars, tokens, and from when on they no longer count. */
  readonly open: Map<string, Open>;
  /** The first expiry among them. */
  nextExpiry: number;
  /** When what was settled or released ended, by id, oldest first: a repetition changes nothing. */
  readonly ended: Map<string, number>;
}

type Count = { -readonly [K in keyof Amount]: Amount[K] };
type Open = readonly [nanoUsd: number, tokens: number, expiresAt: number];

export interface LedgerBounds {
  /** Windows of a key; those that ended first make room. */
  readonly maxWindows: number;
  /** Reservations that stand at a time in a window. */
  readonly maxOpen: number;
  /** Ids that a window remembers after their end. */
  readonly maxEnded: number;
}

/** Right for memory. A store that writes the whole ledger at each call takes less. */
export const ledgerBounds: LedgerBounds = { maxWindows: 16, maxOpen: 10_000, maxEnded: 10_000 };
/** How long ids are remembered after their end, and windows after theirs; nobody repeats a call later than that. */
export const endedMemoryMs = 3_600_000;

/**
 * Throws a `TelemetryError`, as the others do, for wrong values (`invalid_value`) or where too many calls are under way
 * (`too_many_keys`), and then has changed nothing.
 */
export function reserveIn(ledger: Ledger, request: ReserveRequest, now: number, bounds = ledgerBounds): Reserved {
  checkReserve(request);
  const { reservationId: id, limit, amount, expiresAt } = request;
  const window = openWindow(ledger, request.windowEnd, now, bounds);
  const { spent, reserved } = window;
  expire(window, now);
  if (window.open.has(id) || window.ended.has(id)) return { ok: true };
  const fits = (part: keyof Amount) =>
    spent[part] + reserved[part] + amount[part] <= Math.min(limit[part], Number.MAX_SAFE_INTEGER);
  if (!fits('nanoUsd') || !fits('tokens')) return { ok: false, spent: { ...spent }, reserved: { ...reserved } };
  if (window.open.size >= bounds.maxOpen) throw tooMany(request.key, bounds.maxOpen);
  window.open.set(id, [amount.nanoUsd, amount.tokens, expiresAt]);
  window.nextExpiry = Math.min(window.nextExpiry, expiresAt);
  add(reserved, amount.nanoUsd, amount.tokens);
  return { ok: true };
}

/** Also where nothing was reserved, or the reservation has expired: it was spent all the same. */
export function settleIn(
  ledger: Ledger,
  ref: ReservationRef,
  actual: Amount,
  now: number,
  bounds: LedgerBounds = ledgerBounds,
): void {
  checkRef(ref);
  checkAmount(actual);
  const window = openWindow(ledger, ref.windowEnd, now, bounds);
  if (end(window, ref.reservationId, now, bounds)) add(window.spent, actual.nanoUsd, actual.tokens);
}

export function releaseIn(ledger: Ledger, ref: ReservationRef, now: number, bounds: LedgerBounds = ledgerBounds): void {
  checkRef(ref);
  const window = ledger.get(ref.windowEnd);
  if (window?.open.has(ref.reservationId)) end(window, ref.reservationId, now, bounds);
}

export function readFrom(
  ledger: Ledger | undefined,
  windowEnd: number,
  now: number,
): { spent: Amount; reserved: Amount } {
  const window = ledger?.get(windowEnd);
  if (!window) return { spent: { nanoUsd: 0, tokens: 0 }, reserved: { nanoUsd: 0, tokens: 0 } };
  expire(window, now);
  return { spent: { ...window.spent }, reserved: { ...window.reserved } };
}

/** From when on nothing of it matters any more; `Infinity` for what never ends. */
export function overAt(ledger: Ledger): number {
  return Math.max(0, ...ledger.keys()) + endedMemoryMs;
}

type Packed = readonly [
  end: number | null,
  spent: Amount,
  open: readonly (readonly [string, ...Open])[],
  ended: readonly (readonly [string, number])[],
];

/** As JSON, for stores that hold a value a key. */
export function packLedger(ledger: Ledger): string {
  const windows = Array.from(ledger, ([end, { spent, open, ended }]): Packed => {
    // JSON knows no Infinity.
    return [
      end === Number.POSITIVE_INFINITY ? null : end,
      spent,
      Array.from(open, ([id, o]) => [id, ...o] as const),
      [...ended],
    ];
  });
  return JSON.stringify(windows);
}

export function unpackLedger(text: string): Ledger {
  const ledger: Ledger = new Map();
  for (const [end, spent, open, ended] of JSON.parse(text) as readonly Packed[]) {
    const window = createWindow();
    add(window.spent, spent.nanoUsd, spent.tokens);
    for (const [id, ...one] of open) {
      window.open.set(id, one);
      window.nextExpiry = Math.min(window.nextExpiry, one[2]);
      add(window.reserved, one[0], one[1]);
    }
    for (const [id, at] of ended) window.ended.set(id, at);
    ledger.set(end ?? Number.POSITIVE_INFINITY, window);
  }
  return ledger;
}

function createWindow(): LedgerWindow {
  return {
    spent: { nanoUsd: 0, tokens: 0 },
    reserved: { nanoUsd: 0, tokens: 0 },
    open: new Map(),
    nextExpiry: Number.POSITIVE_INFINITY,
    ended: new Map(),
  };
}

function openWindow(ledger: Ledger, windowEnd: number, now: number, { maxWindows }: LedgerBounds): LedgerWindow {
  let window = ledger.get(windowEnd);
  if (window) return window;
  const ends = [...ledger.keys()].sort((a, b) => a - b);
  const excess = ends.length + 1 - maxWindows;
  ends.forEach((end, index) => {
    if (index < excess || end + endedMemoryMs <= now) ledger.delete(end);
  });
  window = createWindow();
  ledger.set(windowEnd, window);
  return window;
}

/** What has expired needs no place: a late settlement counts without one. */
function expire(window: LedgerWindow, now: number): void {
  if (window.nextExpiry > now) return;
  window.nextExpiry = Number.POSITIVE_INFINITY;
  for (const [id, [, , expiresAt]] of window.open) {
    if (expiresAt <= now) close(window, id);
    else window.nextExpiry = Math.min(window.nextExpiry, expiresAt);
  }
}

/** Whether it had not ended before. */
function end(window: LedgerWindow, id: string, now: number, { maxEnded }: LedgerBounds): boolean {
  if (window.ended.has(id)) return false;
  close(window, id);
  window.ended.set(id, now);
  for (const [oldest, endedAt] of window.ended) {
    // A clock that was set back must not keep them for ever.
    if (window.ended.size <= maxEnded && Math.abs(now - endedAt) < endedMemoryMs) break;
    window.ended.delete(oldest);
  }
  return true;
}

function close(window: LedgerWindow, id: string): void {
  const [nanoUsd, tokens] = window.open.get(id) ?? [0, 0];
  add(window.reserved, -nanoUsd, -tokens);
  window.open.delete(id);
}

/** Beyond what an integer holds exactly nothing would fit any limit anyway. */
function add(count: Count, nanoUsd: number, tokens: number): void {
  count.nanoUsd = Math.min(Number.MAX_SAFE_INTEGER, count.nanoUsd + nanoUsd);
  count.tokens = Math.min(Number.MAX_SAFE_INTEGER, count.tokens + tokens);
}

function tooMany(key: string, max: number): TelemetryError {
  return new TelemetryError('too_many_keys', `budget: more than ${max} calls are under way for ${showKey(key)}`);
}
