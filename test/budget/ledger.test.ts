import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Ledger,
  packLedger,
  readFrom,
  releaseIn,
  reserveIn,
  settleIn,
  unpackLedger,
} from '../../src/budget/ledger.ts';

const limit = { nanoUsd: 100, tokens: Number.POSITIVE_INFINITY };
const ref = (id: string, windowEnd = Number.POSITIVE_INFINITY) => ({ key: 'k', windowEnd, reservationId: id });
const ask = (id: string, nanoUsd: number, expiresAt: number) => ({
  ...ref(id),
  limit,
  amount: { nanoUsd, tokens: 1 },
  expiresAt,
});

describe('a ledger', () => {
  it('holds its limit and counts each end once, in any order, as JSON too', () => {
    const step = fc.record({
      what: fc.constantFrom('reserve', 'settle', 'release', 'wait', 'pack'),
      id: fc.nat({ max: 5 }).map((n) => `id${n}`),
      amount: fc.nat({ max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let ledger: Ledger = new Map();
        let now = 0;
        const open = new Map<string, { amount: number; expiresAt: number }>();
        const ended = new Set<string>();
        let spent = 0;
        const held = () => [...open.values()].reduce((sum, one) => sum + (one.expiresAt > now ? one.amount : 0), 0);
        for (const { what, id, amount } of steps) {
          if (what === 'wait') now += amount;
          if (what === 'pack') ledger = unpackLedger(packLedger(ledger));
          if (what === 'reserve') {
            const stands = (open.get(id)?.expiresAt ?? 0) > now;
            const fits = stands || ended.has(id) || spent + held() + amount <= limit.nanoUsd;
            expect(reserveIn(ledger, ask(id, amount, now + 50), now).ok).toBe(fits);
            if (fits && !stands && !ended.has(id)) open.set(id, { amount, expiresAt: now + 50 });
          }
          if (what === 'settle') {
            settleIn(ledger, ref(id), { nanoUsd: amount, tokens: 0 }, now);
            if (!ended.has(id)) spent += amount;
            open.delete(id);
            ended.add(id);
          }
          if (what === 'release') {
            releaseIn(ledger, ref(id), now);
            if ((open.get(id)?.expiresAt ?? 0) > now) ended.add(id);
            open.delete(id);
          }
          const read = readFrom(ledger, Number.POSITIVE_INFINITY, now);
          expect([read.spent.nanoUsd, read.reserved.nanoUsd]).toEqual([spent, held()]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has so many windows, those that end first make room', () => {
    const bounds = { maxWindows: 2, maxOpen: 10, maxEnded: 10 };
    const ledger: Ledger = new Map();
    for (const end of [300, 100, 200]) settleIn(ledger, ref('a', end), { nanoUsd: end, tokens: 0 }, 0, bounds);
    expect([100, 200, 300].map((end) => readFrom(ledger, end, 0).spent.nanoUsd)).toEqual([0, 200, 300]);
  });

  it('has so many calls at a time, and remembers so many ends', () => {
    const bounds = { maxWindows: 2, maxOpen: 2, maxEnded: 2 };
    const ledger: Ledger = new Map();
    for (const id of ['a', 'b']) reserveIn(ledger, ask(id, 1, 1000), 0, bounds);
    expect(() => reserveIn(ledger, ask('c', 1, 1000), 0, bounds)).toThrow('more than 2 calls are under way');
    expect(reserveIn(ledger, ask('c', 1, 2000), 1000, bounds)).toEqual({ ok: true });
    const settle = (id: string) => settleIn(ledger, ref(id), { nanoUsd: 1, tokens: 0 }, 0, bounds);
    for (const id of ['x', 'y', 'y', 'z', 'z', 'x']) settle(id);
    expect(readFrom(ledger, Number.POSITIVE_INFINITY, 1000).spent.nanoUsd).toBe(4);
  });

  it('stays within what a number holds', () => {
    const ledger: Ledger = new Map();
    for (const id of ['a', 'b']) settleIn(ledger, ref(id), { nanoUsd: Number.MAX_SAFE_INTEGER, tokens: 1 }, 0);
    expect(readFrom(ledger, Number.POSITIVE_INFINITY, 0).spent.nanoUsd).toBe(Number.MAX_SAFE_INTEGER);
    const unlimited = { nanoUsd: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY };
    expect(reserveIn(ledger, { ...ask('c', 1, 10), limit: unlimited }, 0).ok).toBe(false);
  });
});
