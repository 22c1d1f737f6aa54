import { env } from 'cloudflare:workers';
import { budgets, createTelemetry, openai, sharedMetrics } from 'edgespan/core';
import {
  type BudgetLedger,
  createDurableObjectBudgetStore,
  createDurableObjectMetricStore,
  type MetricStore,
  type MetricsAggregator,
  runtime,
} from 'edgespan/workers';
import { endingOf, maxTokens } from './fleet-calls.ts';
import type { Barrier } from './objects.worker.ts';

interface Env {
  ISOLATE: number;
  METRICS: DurableObjectNamespace<MetricsAggregator>;
  BUDGETS: DurableObjectNamespace<BudgetLedger>;
  BARRIER: DurableObjectNamespace<Barrier>;
  LIMIT_USD?: number;
  LEASE_USD?: number;
}

const { ISOLATE, METRICS, BUDGETS, BARRIER, LIMIT_USD, LEASE_USD } = env as unknown as Env;
const url = 'https://api.openai.com/v1/chat/completions';

/** What the vendor answers to the call with this number: every one has other usage. */
export function usageOf(call: number) {
  return { prompt_tokens: 1 + (call % 97), completion_tokens: 1 + (call % 89) };
}

const answers: typeof fetch = async (_, init) => {
  const { user, model } = JSON.parse(String(init?.body)) as { user: string; model: string };
  if (LIMIT_USD) {
    await BARRIER.getByName('all').wait();
    if (endingOf(+user) === 'failed') return Response.json({ error: { message: 'overloaded' } }, { status: 500 });
    if (endingOf(+user) !== 'whole') return streamOf(model, +user);
  }
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }];
  return Response.json({ id: `chatcmpl-${user}`, object: 'chat.completion', model, choices, usage: usageOf(+user) });
};

function streamOf(model: string, call: number): Response {
  const delta = { index: 0, delta: { content: 'Hello' }, finish_reason: null };
  const parts = [
    { model, choices: [delta] },
    { model, choices: [], usage: usageOf(call) },
  ];
  const body = new ReadableStream({
    pull(controller) {
      const part = parts.shift();
      if (part) controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(part)}\n\n`));
      else controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

let merges = 0;

/** A third of the batches comes twice, and of a fifth the answer is lost after the store has applied them. */
function disturbed({ merge, collect }: MetricStore): MetricStore {
  return {
    collect,
    async merge(batch) {
      const turn = merges++;
      await Promise.all(turn % 3 === 0 ? [merge(batch), merge(batch)] : [merge(batch)]);
      if (turn % 5 === 1) throw new Error('the answer was lost');
    },
  };
}

// The core alone, of which 32 isolates start faster.
const telemetry = createTelemetry({
  runtime,
  features: [budgets, sharedMetrics],
  providers: [openai],
  fetch: answers,
  onError: () => {},
  prices: {
    'gpt-4o-mini': { input: 0.15, output: 0.6 },
    'gpt-4o': { input: 2.5, output: 10 },
    counted: { input: 0, output: 10 },
  },
  metrics: { store: disturbed(createDurableObjectMetricStore(METRICS, { shards: 4 })) },
  ...(LIMIT_USD && {
    budget: {
      store: createDurableObjectBudgetStore(BUDGETS),
      limits: { usd: LIMIT_USD, window: 'month' },
      ...(LEASE_USD && { lease: { usd: LEASE_USD } }),
    },
  }),
});

async function call(number: number, model: string): Promise<Response> {
  const body = JSON.stringify({
    model,
    user: `${number}`,
    max_tokens: maxTokens,
    messages: [{ role: 'user', content: 'Hi' }],
  });
  const response = await telemetry.fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  if (LIMIT_USD && response.ok && endingOf(number) === 'cancelled') {
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
  } else await response.text();
  return response;
}

/** `count` calls from `first`, which are in flight together, and then a flush. */
async function callMany(first: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  await Promise.all(numbers.map((number) => call(number, number % 3 ? 'gpt-4o-mini' : 'gpt-4o')));
  await telemetry.flush();
}

/** Calls of a budget; those that pass wait in `answers` until everybody has been told. */
async function spend(first: number, count: number): Promise<number[]> {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  const statuses = numbers.map(async (number) => {
    const { status } = await call(number, 'counted');
    if (status === 402) await BARRIER.getByName('all').refused();
    return status;
  });
  const all = await Promise.all(statuses);
  await telemetry.flush();
  return all;
}

async function standing() {
  const [status] = await telemetry.budget.status();
  return { spent: status!.spent.usd, reserved: status!.reserved.usd };
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const first = Number(searchParams.get('first'));
    const count = Number(searchParams.get('count'));
    switch (pathname) {
      case '/calls':
        await callMany(first, count);
        return Response.json(ISOLATE);
      case '/spend':
        return Response.json(await spend(first, count));
      case '/budget':
        return Response.json(await standing());
      case '/flush':
        return Response.json((await telemetry.flush()).metrics);
      default:
        return telemetry.metricsHandler(request);
    }
  },
};
