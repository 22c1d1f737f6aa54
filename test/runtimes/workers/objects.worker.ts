import { DurableObject } from 'cloudflare:workers';

export { BudgetLedger, MetricsAggregator } from 'edgespan/workers';

/** Holds callers back until all of them have been let through or refused. */
export class Barrier extends DurableObject<{ CALLS: number }> {
  #arrived = 0;
  #open = (): void => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  async wait(): Promise<void> {
    await this.refused();
    await this.#opened;
  }

  async refused(): Promise<void> {
    if (++this.#arrived === this.env.CALLS) this.#open();
  }
}

export default { fetch: () => new Response('objects') };
