import process from 'node:process';
import { Redis } from 'ioredis';
import { createMetricsServer, createTelemetry } from '../../adapters/node/index.ts';
import { createRedisBudgetStore, createRedisMetricStore } from '../../adapters/redis/index.ts';
import type { BudgetStore, ReservationRef } from '../../src/budget/store.ts';
import type { MetricStore } from '../../src/metrics/store.ts';
import { answer, completion, type How, howOf, prices, smallNanoUsd, url, usageOf } from './redis-fleet-calls.ts';

/** One of the processes of a fleet, which does as its environment says. */
const { PORT = '', ME = '0', CALLS = '0', ROLE = '', LIMIT = '0', TTL_MS = '600000' } = process.env;
const [me, count] = [Number(ME), Number(CALLS)];
const client = new Redis(Number(PORT), '127.0.0.1');
const numbers = Array.from({ length: count }, (_, index) => index);

function say(word: string, value: unknown): void {
  console.log(`${word} ${JSON.stringify(value)}`);
}

/** Until all are there and the test lets them go on. */
async function barrier(name: string): Promise<void> {
  console.log(name);
  const waiting = client.duplicate();
  await waiting.blpop(`barrier ${name}`, 0);
  waiting.disconnect();
}

/** Sends every third batch twice, and loses the answer to every fifth after it was applied. */
function unreliable(store: MetricStore): MetricStore {
  let batches = 0;
  return {
    collect: () => store.collect(),
    async merge(batch) {
      const number = ++batches;
      await store.merge(batch);
      if (number % 3 === 0) await Promise.all([store.merge(batch), store.merge(batch)]);
      if (number % 5 === 0) throw new Error('no answer');
    },
  };
}

/** Repeats every third call, and keeps what was settled, each reservation once. */
function watched(store: BudgetStore, settled: Map<string, number>): BudgetStore {
  let calls = 0;
  const twice = async <T>(call: () => Promise<T>): Promise<T> => {
    const result = await call();
    return ++calls % 3 === 0 ? call() : result;
  };
  return {
    reserve: (request) => twice(() => store.reserve(request)),
    release: (ref) => twice(() => store.release(ref)),
    async settle(ref, actual) {
      settled.set(ref.reservationId, actual.nanoUsd);
      await twice(() => store.settle(ref, actual));
    },
    read: (key, windowEnd) => store.read(key, windowEnd),
    reset: (key) => store.reset(key),
  };
}

function ask(number: number): RequestInit {
  const body = { model: 'acme-1', max_tokens: 100, stream: howOf(number) !== 'json', messages: [] };
  return { method: 'POST', body: JSON.stringify(body) };
}

async function countCalls(): Promise<void> {
  const telemetry = createTelemetry({
    fetch: async (_, init) => Response.json(completion(usageOf(Number(new Headers(init?.headers).get('x-number'))))),
    prices,
    metrics: { store: unreliable(createRedisMetricStore(client)), token: 'token' },
    flush: { intervalMs: 3_600_000 },
    // Answers that were lost, and nothing else.
    onError(error) {
      if (!error.message.endsWith('no answer')) console.error(error);
    },
  });
  await barrier('ready');
  for (let first = 0; first < count; first += 100) {
    await Promise.all(
      numbers.slice(first, first + 100).map(async (index) => {
        const number = me * count + index;
        const headers = { 'content-type': 'application/json', 'x-number': String(number) };
        const body = JSON.stringify({ model: 'acme-1', messages: [] });
        await (await telemetry.fetch(url, { method: 'POST', headers, body })).json();
      }),
    );
    await telemetry.flush();
  }
  // What had no answer is sent again.
  while ((await telemetry.flush()).metrics.pending > 0);
  await barrier('counted');
  const server = createMetricsServer(telemetry, { port: 0, host: '127.0.0.1', token: 'token' });
  await server.start();
  say('url', server.url);
  await barrier('scraped');
  await server.stop();
}

/** Straight to the store: all reserve, then all settle at something else. */
async function reserve(): Promise<void> {
  const settled = new Map<string, number>();
  const store = watched(createRedisBudgetStore(client), settled);
  const refs = numbers.map(
    (n): ReservationRef => ({ key: 'k', windowEnd: Number.POSITIVE_INFINITY, reservationId: `${me}-${n}` }),
  );
  const limit = { nanoUsd: Number(LIMIT), tokens: Number.POSITIVE_INFINITY };
  const amount = { nanoUsd: 1_000_003, tokens: 10 };
  await barrier('ready');
  const expiresAt = Date.now() + Number(TTL_MS);
  const answers = await Promise.all(refs.map((ref) => store.reserve({ ...ref, limit, amount, expiresAt })));
  const passed = refs.filter((_, index) => answers[index]!.ok);
  say('passed', passed.length);
  await barrier('reserved');
  await Promise.all(
    passed.map((ref, index) =>
      index % 4 === 3 ? store.release(ref) : store.settle(ref, { nanoUsd: 1_000_003 - me - index, tokens: 9 }),
    ),
  );
  say(
    'settled',
    [...settled.values()].reduce((a, b) => a + b, 0),
  );
}

/** The same by calls: none is answered before all have asked. */
async function call(): Promise<void> {
  const settled = new Map<string, number>();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let [passed, refused, whole] = [0, 0, 0];
  const note = (kind: 'passed' | 'refused') => {
    if (kind === 'passed') passed++;
    else refused++;
    if (passed + refused === count) asked.resolve();
  };
  const telemetry = createTelemetry({
    async fetch(_, init) {
      note('passed');
      await gate.promise;
      const number = Number(new Headers(init?.headers).get('x-number'));
      if (howOf(number) === 'json' || howOf(number) === 'stream') whole++;
      return answer(number);
    },
    prices,
    budget: {
      limits: { name: 'k', usd: Number(LIMIT) / 1e9 },
      store: watched(createRedisBudgetStore(client), settled),
    },
    flush: { intervalMs: 3_600_000 },
  });
  await barrier('ready');
  const calls = numbers.map(async (number) => {
    const headers = { 'content-type': 'application/json', 'x-number': String(number) };
    let response: Response;
    try {
      response = await telemetry.fetch(url, { ...ask(number), headers });
    } catch {
      return undefined;
    }
    if (response.status === 402) return void note('refused');
    return use(response, howOf(number));
  });
  await asked.promise;
  say('passed', passed);
  await barrier('reserved');
  gate.resolve();
  await Promise.all(calls);
  await telemetry.flush();
  const exact = [...settled.values()].filter((nanoUsd) => nanoUsd === smallNanoUsd);
  say('exact', [whole, exact.length]);
  say(
    'settled',
    [...settled.values()].reduce((a, b) => a + b, 0),
  );
}

async function use(response: Response, how: How): Promise<void> {
  if (how !== 'cancelled') return void (await response.text());
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
}

if (ROLE === 'count') await countCalls();
if (ROLE === 'reserve') await reserve();
if (ROLE === 'call') await call();
client.disconnect();
