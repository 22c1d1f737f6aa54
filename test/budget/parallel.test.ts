import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatCompletion } from '../support/telemetry.ts';
import { createAsyncStore, estimatedTokens, setUp } from './set-up.ts';

/** What the vendor does with a call once all of them have been let through. */
const endings = ['reply', 'stream', 'cancelled', 'silent', 'cut', 'error', 'refused'] as const;
type Ending = (typeof endings)[number];

const event = (data: unknown) => new TextEncoder().encode(`data: ${JSON.stringify(data)}\n\n`);
const delta = { model: 'gpt-4o', choices: [{ index: 0, delta: { content: 'Hi' } }] };
const usage = { model: 'gpt-4o', choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } };

function streamOf(parts: readonly unknown[], end?: (controller: ReadableStreamDefaultController) => void): Response {
  let at = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (at < parts.length) return controller.enqueue(event(parts[at++]));
      if (end) return end(controller);
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** The answer, and the tokens that the call is counted for. */
const answers: Record<Ending, { tokens: number; answer(): Response }> = {
  reply: { tokens: 15, answer: () => Response.json(chatCompletion()) },
  stream: { tokens: 10, answer: () => streamOf([delta, usage]) },
  // Left before its usage came: unknown is not zero.
  cancelled: { tokens: estimatedTokens, answer: () => streamOf([delta, delta, delta, usage], () => {}) },
  silent: { tokens: estimatedTokens, answer: () => Response.json(chatCompletion({ usage: undefined })) },
  cut: {
    tokens: estimatedTokens,
    answer: () => streamOf([delta], (controller) => controller.error(new TypeError('terminated'))),
  },
  error: { tokens: 0, answer: () => Response.json({ error: { message: 'overloaded' } }, { status: 500 }) },
  refused: {
    tokens: 0,
    answer() {
      throw new TypeError('fetch failed');
    },
  },
};

async function consume(response: Response, ending: Ending): Promise<void> {
  if (ending !== 'cancelled') return void (await response.text().catch(() => {}));
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
}

const allowed = 100;
const callers = 500;

async function race(options: Partial<Parameters<typeof setUp>[0]['budget']>) {
  let reach = () => {};
  const barrier = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const order: Ending[] = [];
  const { telemetry, ask } = setUp({
    budget: { limits: { name: 'all', tokens: allowed * estimatedTokens, window: 'day' }, ...options },
    async answer() {
      const ending = endings[order.length % endings.length]!;
      order.push(ending);
      await barrier;
      return answers[ending].answer();
    },
  });
  // Each is sent, or refused, before any has an answer.
  const calls = Array.from({ length: callers }, () => ask().catch((error: unknown) => error));
  let refused = 0;
  for (const call of calls)
    void call.then((response) => response instanceof Response && response.status === 402 && refused++);
  while (order.length + refused < callers) await new Promise((resolve) => setImmediate(resolve));
  const [held] = await telemetry.budget.status();
  reach();
  let sentAt = 0;
  for (const response of await Promise.all(calls)) {
    if (response instanceof Response && response.status === 402) continue;
    const ending = order[sentAt++]!;
    if (response instanceof Response) await consume(response, ending);
  }
  await telemetry.flush();
  const [after] = await telemetry.budget.status();
  return { passed: order, held: held!, after: after!, telemetry };
}

describe('500 calls in parallel against a budget for 100', () => {
  it.each([
    ['memory', {}],
    ['a store that must be waited for', { store: createAsyncStore() }],
  ])('lets exactly 100 pass, and counts what they came to: %s', async (_, options) => {
    const { passed, held, after, telemetry } = await race(options);
    expect(passed.length).toBe(allowed);
    expect(held.reserved.tokens).toBe(allowed * estimatedTokens);
    const expected = passed.reduce((sum, ending) => sum + answers[ending].tokens, 0);
    expect(after.spent.tokens).toBe(expected);
    expect(after.reserved.tokens).toBe(0);
    expect(telemetry.metrics.value('llm_budget_rejections_total')).toBe(callers - allowed);
    expect(telemetry.metrics.value('llm_requests_total')).toBe(allowed);
  });
});

describe('calls that come, end and are refused in any order', () => {
  it('never hold more than the limit has', async () => {
    const step = fc.record({ ending: fc.constantFrom(...endings), endsFirst: fc.nat({ max: 5 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), async (steps, places) => {
        const queue: Ending[] = [];
        const { telemetry, ask } = setUp({
          budget: { limits: { tokens: places * estimatedTokens }, cooldownMs: 0 },
          answer: () => answers[queue.at(-1)!].answer(),
        });
        const open: [Response, Ending][] = [];
        let spent = 0;
        for (const { ending, endsFirst } of steps) {
          for (const [response, how] of open.splice(0, endsFirst)) {
            await consume(response, how);
            spent += answers[how].tokens;
          }
          queue.push(ending);
          const response = await ask().catch(() => undefined);
          if (response && response.status !== 402) open.push([response, ending]);
          const [status] = await telemetry.budget.status();
          expect(status!.spent.tokens).toBe(spent);
          expect(status!.spent.tokens + status!.reserved.tokens).toBeLessThanOrEqual(places * estimatedTokens);
        }
      }),
      { numRuns: 30 },
    );
  });
});
