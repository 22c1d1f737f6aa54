import { type Ledger, packLedger, releaseIn, reserveIn, settleIn, unpackLedger } from '../../src/budget/ledger.ts';
import type { Amount, ReservationRef, Reserved, ReserveRequest } from '../../src/budget/store.ts';
import { createJournal } from './journal.ts';

/** What happened to a ledger and when (epoch milliseconds), so that it can be done again after a restart. */
export type BudgetChange =
  | readonly ['reserve', number, ReserveRequest]
  | readonly ['settle', number, ReservationRef, Amount]
  | readonly ['release', number, ReservationRef];

/** Characters of a row, which takes 2 MB: a character has up to three bytes. */
const rowLength = 512 * 1024;

/** A ledger in an object's storage. */
export function createBudgetJournal(storage: DurableObjectStorage) {
  const { kv } = storage;
  const journal = createJournal<BudgetChange>(storage);

  function writeLedger(ledger: Ledger): void {
    const text = packLedger(ledger);
    const rows = Math.ceil(text.length / rowLength);
    for (let row = 0; row < rows; row++) {
      kv.put(`ledger:${row}`, text.slice(row * rowLength, (row + 1) * rowLength));
    }
    kv.put('rows', rows);
  }

  return {
    load(): Ledger {
      const rows = kv.get<number>('rows') ?? 0;
      const texts = Array.from({ length: rows }, (_, row) => kv.get<string>(`ledger:${row}`));
      const ledger: Ledger = rows > 0 ? unpackLedger(texts.join('')) : new Map();
      for (const change of journal.read()) apply(ledger, change);
      return ledger;
    },

    /** Throws, as the ledger does, what can't be; a reservation that is refused leaves no trace. */
    make(ledger: Ledger, change: BudgetChange): Reserved {
      const result = apply(ledger, change);
      if (result.ok) storage.transactionSync(() => journal.write(change, () => writeLedger(ledger)));
      return result;
    },
  };
}

function apply(ledger: Ledger, change: BudgetChange): Reserved {
  const [kind, time, ref] = change;
  if (kind === 'reserve') return reserveIn(ledger, change[2], time);
  if (kind === 'settle') settleIn(ledger, ref, change[3], time);
  else releaseIn(ledger, ref, time);
  return { ok: true };
}
