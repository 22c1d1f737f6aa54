/** Nano-dollars that a team may spend, and that one call reserves. */
export const limited = { nanoUsd: 100_000, price: 1000 };

const start = `
  import { createDenoKvBudgetStore, createDenoKvMetricStore } from 'edgespan/deno';
  const kv = await Deno.openKv(Deno.env.get('KV_PATH'));
  const me = Number(Deno.env.get('ME'));
  const say = (what) => console.log(typeof what === 'string' ? what : JSON.stringify(what));
  /** Until the test writes a file of this name. */
  async function barrier(name) {
    say(name);
    while (!(await Deno.stat(Deno.env.get('KV_PATH') + name).catch(() => undefined))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
`;

/** 2,500 calls in 25 batches, of which a third is sent twice, by another store at the same time. */
export const counting = `${start}
  const stores = [createDenoKvMetricStore(kv), createDenoKvMetricStore(kv)];
  const now = BigInt(Date.now()) * 1_000_000n;
  const point = (rest) => ({ startUnixNano: now, timeUnixNano: now, ...rest });
  const of = (n) => ({ provider: 'openai', model: 'model-' + (n % 5) });
  await barrier('ready');
  for (let n = 0; n < 25; n++) {
    const batch = {
      batchId: me + '-' + n,
      families: [
        { name: 'llm_requests_total', type: 'counter', points: [point({ labels: of(n), value: 100 })] },
        { name: 'llm_cost_usd_total', type: 'counter', scale: 1e9, points: [point({ labels: of(n), value: 100 * (me * 25 + n) + 1 })] },
        { name: 'llm_request_duration_seconds', type: 'histogram', bounds: [1, 10], scale: 1e6,
          points: [point({ labels: of(n), counts: [n, 100 - n, 0], count: 100, sum: 1_000_001 })] },
      ],
    };
    await Promise.all(stores.slice(0, n % 3 === 0 ? 2 : 1).map((store) => store.merge(batch)));
  }
  say('done');
`;

export const collecting = `${start}
  const { metrics } = await createDenoKvMetricStore(kv).collect();
  const sum = (name, field) => metrics.find((one) => one.name === name).points.reduce((all, one) => all + one[field], 0);
  say({
    series: metrics.map(({ points }) => points.length),
    calls: sum('llm_requests_total', 'value'),
    cost: Math.round(sum('llm_cost_usd_total', 'value') * 1e9),
    count: sum('llm_request_duration_seconds', 'count'),
    micros: Math.round(sum('llm_request_duration_seconds', 'sum') * 1e6),
    low: metrics.find(({ type }) => type === 'histogram').points.reduce((all, one) => all + one.counts[0], 0),
  });
  kv.close();
`;

/** 100 model calls at a time through a telemetry, and a flush in their middle. Every page shows what all have made. */
export const calling = `${start}
  import { createTelemetry } from 'edgespan/deno';
  const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
  const telemetry = createTelemetry({
    fetch: async () => Response.json({ id: crypto.randomUUID(), object: 'chat.completion', model: 'acme-1', choices: [], usage }),
    prices: { 'acme-1': { input: 1000, output: 4000 } },
    metrics: { store: createDenoKvMetricStore(kv) },
  });
  async function call() {
    const body = JSON.stringify({ model: 'acme-1', messages: [] });
    const headers = { 'content-type': 'application/json' };
    await (await telemetry.fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', headers, body })).json();
  }
  await barrier('ready');
  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: 50 }, call));
    await telemetry.flush();
  }
  await barrier('flushed');
  const lines = (await telemetry.prometheus()).split('\\n');
  const value = (start) => Number(lines.find((line) => line.startsWith(start)).split(' ').at(-1));
  say({
    page: [value('llm_requests_total{'), value('llm_cost_usd_total{'), value('llm_request_duration_seconds_count{')],
  });
  await telemetry.shutdown();
  kv.close();
`;

/** Its share of 500 callers, by five stores at a time; all have reserved before one of them settles. */
export const reserving = `${start}
  const stores = Array.from({ length: 5 }, () => createDenoKvBudgetStore(kv));
  const windowEnd = Date.UTC(2100, 0, 1);
  const limit = { nanoUsd: ${limited.nanoUsd}, tokens: Infinity };
  const amount = { nanoUsd: ${limited.price}, tokens: 10 };
  const callers = Array.from({ length: me < 4 ? 63 : 62 }, (_, n) => ({ key: 'team', windowEnd, reservationId: me + '-' + n }));
  await barrier('ready');
  const answers = await Promise.all(callers.map((ref, n) => {
    return stores[n % 5].reserve({ ...ref, limit, amount, expiresAt: Date.now() + 300_000 });
  }));
  const passed = callers.filter((_, n) => answers[n].ok);
  say({ passed: passed.length });
  await barrier('reserved');
  let spent = 0;
  await Promise.all(passed.map(async (ref, n) => {
    // Late failures give back; the others cost less than was reserved, or more.
    if (n % 5 === 4) return stores[n % 5].release(ref);
    const nanoUsd = n % 5 === 3 ? ${limited.price} + 7 : ${limited.price} - me * 10 - n;
    spent += nanoUsd;
    await stores[n % 5].settle(ref, { nanoUsd, tokens: 9 });
    if (n % 3 === 0) await stores[(n + 1) % 5].settle(ref, { nanoUsd, tokens: 9 });
  }));
  say({ spent });
  kv.close();
`;

/** Its share of 500 guarded calls, under way at once; each is estimated at a cent, and the limit is a dollar. */
export const guarded = `${start}
  import { BudgetExceededError, createTelemetry } from 'edgespan/deno';
  const telemetry = createTelemetry({
    budget: { limits: { usd: 1, window: 'month', name: 'team' }, store: createDenoKvBudgetStore(kv) },
  });
  const callers = me < 4 ? 63 : 62;
  let [inside, refused] = [0, 0];
  let decided = () => {};
  const allDecided = new Promise((resolve) => { decided = resolve; });
  const tell = () => inside + refused === callers && decided();
  let go = () => {};
  const mayEnd = new Promise((resolve) => { go = resolve; });
  await barrier('ready');
  const calls = Array.from({ length: callers }, async () => {
    try {
      await telemetry.budget.guard({ provider: 'openai', model: 'acme-1', estimate: { usd: 0.01 } }, async () => {
        inside++;
        tell();
        await mayEnd;
      });
    } catch (error) {
      if (!BudgetExceededError.from(error)) throw error;
      refused++;
      tell();
    }
  });
  await allDecided;
  say({ inside, refused });
  await barrier('decided');
  go();
  await Promise.all(calls);
  await telemetry.shutdown();
  await barrier('settled');
  const [status] = await telemetry.budget.status('team');
  say({ spent: status.spent.usd, reserved: status.reserved.usd });
  kv.close();
`;

/** What is there, and how many of 100 callers pass when the clock is six minutes ahead. */
export const checking = `${start}
  const windowEnd = Date.UTC(2100, 0, 1);
  const store = createDenoKvBudgetStore(kv);
  const before = await store.read('team', windowEnd);
  const realNow = Date.now;
  Date.now = () => realNow() + 360_000;
  const after = await store.read('team', windowEnd);
  let passed = 0;
  for (let n = 0; n < 100; n++) {
    const { ok } = await store.reserve({
      key: 'team', windowEnd, reservationId: 'late-' + n, expiresAt: Date.now() + 300_000,
      limit: { nanoUsd: ${limited.nanoUsd}, tokens: Infinity }, amount: { nanoUsd: ${limited.price}, tokens: 10 },
    });
    if (ok) passed++;
  }
  say({ before, after, passed });
  kv.close();
`;
