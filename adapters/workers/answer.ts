import { TelemetryError, type TelemetryErrorCode } from '../../src/errors.ts';
import { StoreRefusal } from '../../src/metrics/store.ts';

/** What an object answers: RPC carries plain data whole, and of an error neither its class nor all of its properties. */
export type Answer<T> = { readonly value: T } | { readonly refusal: Refusal };

interface Refusal {
  readonly code: TelemetryErrorCode;
  readonly message: string;
  /** Of a `StoreRefusal`. */
  readonly families?: readonly string[];
}

/** Runs in the object. Errors that are not ours go through: the caller may try again. */
export function answer<T>(fn: () => T): Answer<T> {
  try {
    return { value: fn() };
  } catch (error) {
    if (!(error instanceof TelemetryError)) throw error;
    const { code, message } = error;
    return { refusal: { code, message, ...(error instanceof StoreRefusal && { families: error.families }) } };
  }
}

/** Runs at the caller, and throws there what the object has thrown. */
export function unwrap<T>(given: Answer<T>): T {
  if (!('refusal' in given)) return given.value;
  const { code, message, families } = given.refusal;
  throw families ? new StoreRefusal(families, message) : new TelemetryError(code, message);
}
