import type { Outcome } from './message.ts';
import type { Operation } from './operation.ts';

/** Requests without an answer; beyond it the oldest are given up. */
const maxOpen = 4096;

/** The requests of one direction that wait for their answers, by id. */
export class OpenOperations {
  readonly #open = new Map<string, Operation>();

  add(id: unknown, operation: Operation): void {
    const key = keyOf(id);
    this.end(key, abandoned);
    this.#open.set(key, operation);
    if (this.#open.size > maxOpen) this.end(this.#open.keys().next().value, abandoned);
  }

  get(id: unknown): Operation | undefined {
    return this.#open.get(keyOf(id));
  }

  end(id: unknown, outcome: Outcome): void {
    const key = keyOf(id);
    const operation = this.#open.get(key);
    this.#open.delete(key);
    operation?.end(outcome);
  }

  endAll(outcome: Outcome): void {
    for (const key of [...this.#open.keys()]) this.end(key, outcome);
  }
}

const abandoned: Outcome = { left: 'cancelled' };

/** Some peers answer a number with a text. */
function keyOf(id: unknown): string {
  return String(id);
}
