import type { Entered, Gate, GateCall } from '../llm/gate.ts';
import { withPass } from '../llm/gated.ts';
import { getInvocation, getScopeAttributes } from '../trace/context.ts';
import type { Held } from './account.ts';
import { beyond, borrow, type Entry, fits, keyOf, type Place, placeOf } from './entry.ts';
import { type Estimate, estimateCall } from './estimate.ts';
import { BudgetExceededError } from './exceeded.ts';
import { createObjections } from './objections.ts';
import { type BudgetCall, type BudgetRefusal, type CircuitState, nano, type ResolvedLimit } from './options.ts';
import { BudgetPass, getPass, release, type Share, setPass } from './pass.ts';
import type { Amount } from './store.ts';
import type { Vault } from './vault.ts';

export interface Guard extends Gate {
  /** With an estimate that somebody else has made. */
  enterWith(call: Omit<BudgetCall, 'estimate'>, estimate: Estimate, given: GateCall): Entered | Promise<Entered>;
}

/** A refusal that stands, or nothing. */
type Answer = BudgetRefusal | undefined;

const nothing: Amount = { nanoUsd: 0, tokens: 0 };

/** Asks the limits for a call's estimate, one after the other; where one refuses, the earlier ones get theirs back. */
export function createGuard(vault: Vault): Guard {
  const { options, clock, report, circuits } = vault;
  const { object, refuse } = createObjections(vault);

  function enterWith(
    known: Omit<BudgetCall, 'estimate'>,
    estimate: Estimate,
    { context, request, isWrapper }: GateCall,
  ) {
    const { nanoUsd, tokens } = estimate;
    const outer = getPass(context);
    const entry: Entry = {
      call: { ...known, estimate: { usd: nanoUsd === undefined ? undefined : nanoUsd / nano, tokens } },
      context,
      amount: { nanoUsd: nanoUsd ?? 0, tokens },
      // A wrapper that does not know its model leaves the question to the call inside.
      isUnpriced: nanoUsd === undefined && !(isWrapper && request.model === undefined),
      pass: new BudgetPass(estimate),
      outer,
      around: [...(outer?.take() ?? [])],
      keepAlive: getInvocation(context)?.waitUntil ?? vault.waitUntil,
    };
    return pursue(entry, 0);
  }

  /** Goes on with the limits from `index`, at once as far as nobody has to be waited for. */
  function pursue(entry: Entry, index: number): Entered | Promise<Entered> {
    for (let at = index; at < options.limits.length; at++) {
      const answer = ask(entry, options.limits[at]!);
      if (answer instanceof Promise) {
        return answer.then((late) => (late ? refuse(entry, late) : pursue(entry, at + 1)));
      }
      if (answer) return refuse(entry, answer);
    }
    entry.around.forEach(release);
    return entry.pass;
  }

  function ask(entry: Entry, limit: ResolvedLimit): Answer | Promise<Answer> {
    const windowEnd = options.calendar.end(limit.limit.window, clock.now());
    let key: string | undefined;
    try {
      key = keyOf(limit, entry.call);
    } catch (error) {
      report(error);
      if (options.onStoreError === 'allow') return undefined;
      return object(entry, placeOf(limit, '', windowEnd), { reason: 'key', spent: nothing, counts: false });
    }
    if (key === undefined) return undefined;
    const place = placeOf(limit, key, windowEnd);
    const isUsd = limit.amount.nanoUsd !== Number.POSITIVE_INFINITY;
    if (isUsd && entry.isUnpriced && options.unpriced === 'refuse') {
      return object(entry, place, { reason: 'unpriced', spent: nothing, counts: true });
    }
    if (limit.limit.window !== 'call') return hold(entry, place);
    if (fits(entry.amount, limit.amount)) return undefined;
    return object(entry, place, { reason: 'limit', spent: nothing, counts: false });
  }

  /** Holds what the wrapper around the call does not hold already. */
  function hold(entry: Entry, place: Place): Answer | Promise<Answer> {
    const share = borrow(entry.around, place);
    const amount = share ? beyond(entry.amount, share.amount) : entry.amount;
    if (share && fits(amount, nothing)) return entry.pass.add({ ...share, borrowed: share }) as undefined;
    const circuit = circuits.enter(place.storeKey, place.windowEnd);
    if (circuit.spent) {
      const counts = keep(entry, share);
      return object(entry, place, { reason: 'circuit', spent: circuit.spent, circuit: circuit.state, counts });
    }
    const { storeKey: key, windowEnd } = place;
    const held = vault.leases.hold({ key, windowEnd, limit: place.limit.amount, amount, keepAlive: entry.keepAlive });
    const answered = (answer: Held) => take(entry, place, answer, circuit.state, share);
    return held instanceof Promise ? held.then(answered) : answered(held);
  }

  /** What the wrapper holds counts the call by itself. Answers whether something else has to. */
  function keep(entry: Entry, share: Share | undefined): boolean {
    if (share) entry.pass.add({ ...share, borrowed: share });
    return share === undefined;
  }

  function take(entry: Entry, place: Place, answer: Held, circuit: CircuitState, share: Share | undefined): Answer {
    const { storeKey, windowEnd } = place;
    const add = (hold: Share['hold']) => {
      const { amount } = entry;
      if (share) entry.pass.add({ ...share, amount, borrowed: share, extra: hold });
      else entry.pass.add({ storeKey, windowEnd, amount, hold });
    };
    const book = vault.known(place);
    if ('hold' in answer) {
      circuits.close(storeKey);
      return add(answer.hold) as undefined;
    }
    if ('failed' in answer) {
      report(answer.failed);
      circuits.abandon(storeKey);
      const allowed = options.onStoreError === 'allow';
      const refusal = allowed ? undefined : object(entry, place, { reason: 'store', spent: book.spent, counts: false });
      if (!refusal) return add(answer.unsure) as undefined;
      answer.unsure.release();
      keep(entry, share);
      return refusal;
    }
    const { spent } = answer;
    vault.learn(book, spent);
    const counts = keep(entry, share);
    const refusal = object(entry, place, { reason: 'limit', spent, circuit, counts });
    circuits.open(storeKey, windowEnd, spent);
    return refusal;
  }

  return {
    throws: options.refuseFetch === 'throw',
    within: setPass,
    follow: withPass,
    isRefusal: (thrown) => BudgetExceededError.from(thrown) !== undefined,
    enterWith: (...given) => unharmed(() => enterWith(...given)),
    enter: (given) => unharmed(() => enter(given)),
  };

  function unharmed(fn: () => Entered | Promise<Entered>): Entered | Promise<Entered> {
    try {
      const entered = fn();
      return entered instanceof Promise ? entered.catch(unguarded) : entered;
    } catch (error) {
      return unguarded(error);
    }
  }

  /** A fault of ours is no reason to refuse what the application does. */
  function unguarded(error: unknown): Entered {
    report(error);
    return new BudgetPass({ nanoUsd: 0, tokens: 0, output: nothing });
  }

  function enter(given: GateCall): Entered | Promise<Entered> {
    const { request, body, context, attributes } = given;
    const estimate = estimateCall(request, body, vault.prices, options.estimateOutputTokens);
    const { provider, model = '', operation } = request;
    const known = { ...getScopeAttributes(context), ...attributes };
    return enterWith({ provider, model, operation, attributes: known }, estimate, given);
  }
}
