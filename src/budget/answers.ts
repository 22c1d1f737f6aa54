import { TelemetryError } from '../errors.ts';
import { asObject } from '../json.ts';
import { isAmount } from './check.ts';
import type { Amount } from './store.ts';

/** How a window stands, as its store answers. */
export interface Standing {
  readonly spent: Amount;
  readonly reserved: Amount;
}

const nothing: Amount = { nanoUsd: 0, tokens: 0 };

/**
 * Nothing where the reservation stands, else how the window does. A store that refuses has refused, whatever it says
 * beside; throws for what is neither yes nor no, since nobody knows what is left then.
 */
export function readReserved(answer: unknown): Standing | undefined {
  const { ok, spent, reserved } = asObject(answer) ?? {};
  if (ok === true) return undefined;
  if (ok !== false) throw wrong('reserve', '{ ok: true } or { ok: false, spent, reserved }');
  return { spent: isAmount(spent) ? spent : nothing, reserved: isAmount(reserved) ? reserved : nothing };
}

export function readStanding(answer: unknown): Standing {
  const { spent, reserved } = asObject(answer) ?? {};
  if (isAmount(spent) && isAmount(reserved)) return { spent, reserved };
  throw wrong('read', '{ spent, reserved }, integers of nanoUsd and tokens');
}

function wrong(method: string, expected: string): TelemetryError {
  return new TelemetryError('store_failed', `the store of budgets: ${method} must answer ${expected}`);
}
