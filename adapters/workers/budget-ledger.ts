import { DurableObject } from 'cloudflare:workers';
import { checkWindow } from '../../src/budget/check.ts';
import { type Ledger, overAt, readFrom } from '../../src/budget/ledger.ts';
import type { Amount, ReservationRef, Reserved, ReserveRequest } from '../../src/budget/store.ts';
import { type Answer, answer } from './answer.ts';
import { type BudgetChange, createBudgetJournal } from './budget-journal.ts';

/**
 * The budget of one key, for `createDurableObjectBudgetStore`: export it from the Worker's main module. A change is one
 * row written; once the last window of the key is over, an alarm clears the object's storage.
 *
 * @example
 * export { BudgetLedger } from 'edgespan/workers'; // wrangler.toml: new_sqlite_classes = ["BudgetLedger"]
 */
export class BudgetLedger extends DurableObject {
  readonly #journal = createBudgetJournal(this.ctx.storage);
  #ledger: Ledger | undefined;

  async reserve(request: ReserveRequest): Promise<Answer<Reserved>> {
    return this.#change(['reserve', Date.now(), request]);
  }

  async settle(reservation: ReservationRef, actual: Amount): Promise<Answer<Reserved>> {
    return this.#change(['settle', Date.now(), reservation, actual]);
  }

  async release(reservation: ReservationRef): Promise<Answer<Reserved>> {
    return this.#change(['release', Date.now(), reservation]);
  }

  async read(windowEnd: number): Promise<Answer<{ spent: Amount; reserved: Amount }>> {
    return answer(() => {
      checkWindow(windowEnd);
      return readFrom(this.#load(), windowEnd, Date.now());
    });
  }

  async reset(): Promise<void> {
    this.#ledger = undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    const over = overAt(this.#load());
    if (over <= Date.now()) await this.reset();
    else if (Number.isFinite(over)) await this.ctx.storage.setAlarm(over);
  }

  /** In memory first, since all of it happens at once: nobody is answered before the row is on disk. */
  async #change(change: BudgetChange): Promise<Answer<Reserved>> {
    const ledger = this.#load();
    const windows = ledger.size;
    try {
      const result = answer(() => this.#journal.make(ledger, change));
      if (ledger.size > windows) await this.#scheduleEnd(ledger);
      return result;
    } catch (error) {
      // What is in memory may be ahead of the storage now.
      this.#ledger = undefined;
      throw error;
    }
  }

  async #scheduleEnd(ledger: Ledger): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) !== null) return;
    const over = overAt(ledger);
    if (Number.isFinite(over)) await this.ctx.storage.setAlarm(over);
  }

  #load(): Ledger {
    this.#ledger ??= this.#journal.load();
    return this.#ledger;
  }
}
