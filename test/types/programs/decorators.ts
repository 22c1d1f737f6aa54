import { createTelemetry } from 'edgespan/node';

/** Methods and functions of an application that calls its own model, as a user of decorators writes them. */
export const telemetry = createTelemetry({
  serviceName: 'agents',
  inMemory: true,
  prices: { 'in-house': { input: 1, output: 2 } },
});

interface Store {
  search(query: string): Promise<string[]>;
}

export class Research {
  readonly store: Store;
  constructor(store: Store) {
    this.store = store;
  }

  @telemetry.agent({ name: 'research' })
  async answer(question: string): Promise<string> {
    const found = await this.find(question);
    return `${found.join()}: ${await this.ask(question)}`;
  }

  @telemetry.llm({
    model: 'in-house',
    provider: 'acme',
    response: (reply) => ({ usage: { input: 1000, output: (reply as string).length } }),
  })
  async ask(question: string) {
    return question.toUpperCase();
  }

  @telemetry.retrieval({ count: (rows) => (rows as string[]).length })
  find(question: string) {
    return this.store.search(question);
  }

  @telemetry.tool
  add(a: number, b: number) {
    return a + b;
  }
}

/** The functions keep their types. */
export const rerank = telemetry.measure({ name: 'rerank' }, (rows: string[]) => rows.toSorted());
export const count = telemetry.retrieval({ count: (rows) => rows.length }, async (query: string) => [query, query]);
export const words = telemetry.llm({ model: 'in-house', provider: 'acme' }, async function* (text: string) {
  yield* text.split(' ');
});
const sorted: string[] = rerank(['b', 'a']);
const rows: Promise<string[]> = count('x');
const pieces: AsyncGenerator<string, void, unknown> = words('a b');
void [sorted, rows, pieces];
// @ts-expect-error a function of another type
const wrong: (rows: number[]) => string[] = rerank;
void wrong;
