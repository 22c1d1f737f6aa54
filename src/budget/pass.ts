import type { Context } from '@opentelemetry/api';
import type { CallSpend, Pass } from '../llm/gate.ts';
import { createContextKey } from '../trace/otel-context.ts';
import type { Hold } from './account.ts';
import { type Estimate, toActual } from './estimate.ts';
import type { Amount } from './store.ts';

const passKey = /* @__PURE__ */ createContextKey('edgespan budget pass');

/** What is held of one limit for a call. */
export interface Share {
  readonly storeKey: string;
  readonly windowEnd: number;
  readonly amount: Amount;
  /** Counts what was spent. */
  readonly hold: Hold;
  /** The hold is that of a wrapper around, which gets it back where the call is refused. */
  readonly borrowed?: Share;
  /** What was held beyond, since the call inside may cost more than the wrapper thought. */
  readonly extra?: Hold;
}

/** A call's shares of all its limits. A call inside may take them over. */
export class BudgetPass implements Pass {
  readonly estimate: Estimate;
  #shares: Share[] = [];
  #ended = false;
  #taken = false;

  constructor(estimate: Estimate) {
    this.estimate = estimate;
  }

  /** A call inside has the shares, and is counted in the place of this one. */
  get isTaken(): boolean {
    return this.#taken;
  }

  add(share: Share): void {
    this.#shares.push(share);
  }

  /** Hands the shares to a call inside; nothing where one has had them, or where this call is over. */
  take(): readonly Share[] {
    if (this.#taken || this.#ended) return [];
    this.#taken = true;
    return this.#shares.splice(0);
  }

  /** The call inside was refused. */
  takeBack(shares: readonly Share[]): void {
    this.#taken = false;
    if (this.#ended) for (const share of shares) release(share);
    else this.#shares.push(...shares);
  }

  settle(spend: CallSpend): void {
    const actual = toActual(spend, this.estimate);
    for (const { hold, extra } of this.#end()) {
      hold.settle(actual);
      extra?.release();
    }
  }

  release(): void {
    this.#end().forEach(release);
  }

  /** Gives up, and answers what belongs to the wrapper around. */
  refuse(): Share[] {
    const shares = this.#end();
    for (const share of shares) {
      if (share.borrowed) share.extra?.release();
      else release(share);
    }
    return shares.flatMap(({ borrowed }) => borrowed ?? []);
  }

  #end(): Share[] {
    this.#ended = true;
    return this.#shares.splice(0);
  }
}

export function release({ hold, extra }: Share): void {
  hold.release();
  extra?.release();
}

/** The pass of the wrapper around a call. */
export function getPass(context: Context): BudgetPass | undefined {
  return context.getValue(passKey) as BudgetPass | undefined;
}

export function setPass(context: Context, pass: Pass): Context {
  return context.setValue(passKey, pass);
}
