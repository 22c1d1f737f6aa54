/** Money and tokens, both integers that are not negative. */
export interface Amount {
  /** 1e-9 USD: one token of a cheap model costs less than a micro-dollar. */
  readonly nanoUsd: number;
  readonly tokens: number;
}

/** What names a reservation, also after its window has ended. */
export interface ReservationRef {
  /** Of the limit and whom it counts for, at most 512 characters. */
  readonly key: string;
  /** Epoch milliseconds, `Infinity` for a window without an end. */
  readonly windowEnd: number;
  /** Random, at most 64 characters. */
  readonly reservationId: string;
}

export interface ReserveRequest extends ReservationRef {
  /** What the window may come to; `Infinity` where only the other is limited. */
  readonly limit: Amount;
  readonly amount: Amount;
  /** Epoch milliseconds from when on the reservation no longer counts. */
  readonly expiresAt: number;
}

/** Refused: what was spent and reserved at that time. */
export type Reserved = { ok: true } | { ok: false; spent: Amount; reserved: Amount };

/**
 * Who holds budgets, for all isolates or processes at once. Every call is atomic, and one that is repeated changes nothing
 * more: not `reserve` with the id of a reservation that stands, not `settle` or `release` of one that was settled or
 * released.
 *
 * A reservation passes when, in each of USD and tokens, spent + reserved + amount is at most the limit. What was spent
 * counts even where its reservation has expired. Wrong amounts and keys reject with a `TelemetryError`
 * (`invalid_value`), too many keys with `too_many_keys`, and change nothing.
 */
export interface BudgetStore {
  reserve(request: ReserveRequest): Promise<Reserved>;
  /** The call is over: in the place of what was reserved, this was spent. */
  settle(reservation: ReservationRef, actual: Amount): Promise<void>;
  /** The call was never made. */
  release(reservation: ReservationRef): Promise<void>;
  read(key: string, windowEnd: number): Promise<{ spent: Amount; reserved: Amount }>;
  /** Clears every window of the key. */
  reset(key: string): Promise<void>;
}
