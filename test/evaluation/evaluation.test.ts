import { describe, expect, it } from 'vitest';
import type { EvaluationInput, EvaluationOptions, Evaluator, ReadableSpan, TelemetryOptions } from '../../src/index.ts';
import { relevance, toxicity } from '../../src/judges/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from '../support/telemetry.ts';

const judge = { url: 'https://judge.example.com/v1', model: 'judge-1' };
const verdict = (content: string) => chatCompletion({ model: 'judge-1', id: 'j', choices: [{ message: { content } }] });

/** An evaluator that keeps what it was given. */
function keeper(name = 'kept', score = 0.5) {
  const seen: EvaluationInput[] = [];
  const evaluator: Evaluator = {
    name,
    evaluate(input) {
      seen.push(input);
      return { score };
    },
  };
  return { seen, evaluator };
}

function create(evaluation: EvaluationOptions, options: TelemetryOptions = {}) {
  const errors: string[] = [];
  const onError = ({ message }: Error) => errors.push(message);
  const fetch = async (input: RequestInfo | URL) =>
    Response.json(String(input).includes('judge.') ? verdict('{"score": 0.2, "reason": "calm"}') : chatCompletion());
  return { errors, telemetry: createAlsTelemetry({ evaluation, fetch, onError, ...options }) };
}

type Telemetry = ReturnType<typeof create>['telemetry'];

const ask = async (telemetry: Telemetry, over = {}) => (await telemetry.fetch(chatUrl, chatRequest(over))).text();
const named = (telemetry: Telemetry, name: string) => telemetry.spans.filter((span) => span.name === name);
const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId;

describe('an evaluation', () => {
  it('is a child of the call that it judges, with the event of the conventions', async () => {
    const { telemetry } = create({ evaluators: [toxicity(judge)] });
    await telemetry.span('job', () => ask(telemetry));
    await telemetry.flush();
    const [called] = named(telemetry, 'chat gpt-4o');
    const [span] = named(telemetry, 'evaluate toxicity');
    expect(parentOf(span)).toBe(called?.spanContext().spanId);
    const event = { 'gen_ai.evaluation.name': 'toxicity', 'gen_ai.evaluation.score.value': 0.2 };
    const rest = { 'gen_ai.evaluation.score.label': 'pass', 'gen_ai.evaluation.explanation': 'calm' };
    expect(span?.events).toMatchObject([
      { name: 'gen_ai.evaluation.result', attributes: { ...event, ...rest, 'gen_ai.response.id': 'chatcmpl-1' } },
    ]);
    const of = { evaluation: 'toxicity', provider: 'openai', model: 'gpt-4o-2024-08-06' };
    const count = (name: string) => telemetry.metrics.value(`llm_evaluation_${name}`, of);
    expect(['runs_total', 'failures_total', 'duration_seconds', 'score'].map(count)).toEqual([1, 0, 1, 1]);
    const { metrics } = await telemetry.metrics.collect();
    expect(metrics.find(({ name }) => name === 'llm_evaluation_score')?.points[0]?.sum).toBe(0.2);
  });

  it('asks its judge in a call that is priced and marked, of no agent, and that nobody judges', async () => {
    const prices = { 'judge-1': { input: 1, output: 1 } };
    const { telemetry } = create({ evaluators: [toxicity(judge)] }, { prices });
    const session = telemetry.session();
    await session.run(() => telemetry.span('research', { type: 'agent' }, () => ask(telemetry)));
    await telemetry.flush();
    const [asked, ...others] = named(telemetry, 'chat judge-1');
    expect(others).toEqual([]);
    expect(parentOf(asked)).toBe(named(telemetry, 'evaluate toxicity')[0]?.spanContext().spanId);
    expect(asked?.attributes).toMatchObject({ 'edgespan.judge': true, 'llm.cost_usd': 0.000015 });
    expect(telemetry.metrics.value('llm_requests_total', { model: 'judge-1', agent: '' })).toBe(1);
    expect(telemetry.metrics.value('llm_evaluation_runs_total', { agent: 'research' })).toBe(1);
    expect([session.usage().calls, telemetry.metrics.value('llm_evaluation_runs_total')]).toEqual([1, 1]);
  });

  it('sees the question, the answer and the rest, and leaves nothing of them behind', async () => {
    const { seen, evaluator } = keeper();
    const { telemetry } = create({ evaluators: [evaluator] }, { redact: /s3cret/ });
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'What is s3cret?' },
    ];
    await ask(telemetry, { messages });
    await telemetry.flush();
    expect(seen).toEqual([
      { prompt: 'What is [REDACTED]?', completion: 'Hello', context: expect.stringContaining('Be brief.') },
    ]);
    expect(seen[0]?.context).toContain('user: Hi');
    expect(JSON.stringify(telemetry.spans)).not.toMatch(/Be brief|REDACTED|gen_ai.input/);
  });

  it('sees at most so much of a text', async () => {
    const { seen, evaluator } = keeper();
    const fetch = async () =>
      Response.json(chatCompletion({ choices: [{ message: { content: 'y'.repeat(50_000) }, finish_reason: 'stop' }] }));
    const { telemetry } = create({ evaluators: [evaluator] }, { fetch });
    await ask(telemetry, { messages: [{ role: 'user', content: 'x'.repeat(50_000) }] });
    await telemetry.flush();
    expect([seen[0]?.prompt.length, seen[0]?.completion.length]).toEqual([16_000, 16_000]);
  });

  it('sees what a stream came to, and what a wrapped function answers', async () => {
    const { seen, evaluator } = keeper();
    const chunk = (content: string, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({ id: '1', model: 'gpt-4o', choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`;
    const body = `${chunk('Hel')}${chunk('lo', 'stop')}data: [DONE]\n\n`;
    const headers = { 'content-type': 'text/event-stream' };
    const { telemetry } = create({ evaluators: [evaluator] }, { fetch: async () => new Response(body, { headers }) });
    await ask(telemetry, { stream: true });
    await telemetry.llm({ provider: 'own', model: 'm' }, async (_prompt: string) => 'done')('Do it');
    await telemetry.flush();
    expect(seen.map(({ prompt, completion }) => [prompt, completion])).toEqual([
      ['Hi', 'Hello'],
      ['Do it', 'done'],
    ]);
  });

  it('is of calls alone that went well and said something', async () => {
    const { seen, evaluator } = keeper();
    const answers = [
      Response.json({ error: { message: 'no' } }, { status: 500 }),
      Response.json(
        chatCompletion({ choices: [{ message: { content: null, tool_calls: [] }, finish_reason: 'tool_calls' }] }),
      ),
      new Response('data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n', {
        headers: { 'content-type': 'text/event-stream' },
      }),
    ];
    const { telemetry } = create({ evaluators: [evaluator] }, { fetch: async () => answers.shift()! });
    for (const stream of [false, false, true]) await ask(telemetry, { stream });
    await telemetry.flush();
    expect(seen).toEqual([]);
    expect(telemetry.metrics.value('llm_evaluation_runs_total')).toBeUndefined();
  });
});

describe('the answer', () => {
  it('is with the application before any evaluator begins, and whether or not one ever ends', async () => {
    const order: string[] = [];
    let release = (_: { score: number }) => {};
    const hanging: Evaluator = {
      name: 'hanging',
      evaluate: () => {
        order.push('evaluator');
        return new Promise((resolve) => {
          release = resolve;
        });
      },
    };
    const { telemetry } = create({ evaluators: [hanging] });
    await ask(telemetry);
    order.push('answer');
    const flushed = telemetry.flush({ timeoutMs: 60_000 });
    await expect.poll(() => order).toEqual(['answer', 'evaluator']);
    expect(named(telemetry, 'evaluate hanging')).toEqual([]);
    release({ score: 1 });
    await flushed;
    expect(named(telemetry, 'evaluate hanging')).toHaveLength(1);
  });

  it('is not held up by an invocation, whose waitUntil has the evaluation', async () => {
    const { seen, evaluator } = keeper();
    const { telemetry } = create({ evaluators: [evaluator] }, { runtime: { ephemeral: true } });
    const kept: Promise<unknown>[] = [];
    await telemetry.with({ waitUntil: (promise) => kept.push(promise) }, () => ask(telemetry));
    expect(seen).toEqual([]);
    await Promise.all(kept);
    expect(seen).toHaveLength(1);
    expect(kept.length).toBeGreaterThanOrEqual(2);
  });

  it('of another request is not awaited where instances come and go', async () => {
    const evaluator: Evaluator = { name: 'never', evaluate: () => new Promise(() => {}) };
    const { telemetry } = create({ evaluators: [evaluator] }, { runtime: { ephemeral: true } });
    await ask(telemetry);
    expect((await telemetry.flush({ timeoutMs: 2 ** 30 })).ok).toBe(true);
  });
});

describe('an evaluator that fails', () => {
  const failing: [string, Evaluator['evaluate'], string][] = [
    [
      'throws',
      () => {
        throw new RangeError('no');
      },
      'RangeError',
    ],
    ['rejects', () => Promise.reject(new TypeError('no')), 'TypeError'],
    ['answers no score', () => ({}) as never, 'no_score'],
    ['answers a score that is none', () => ({ score: Number.NaN }), 'no_score'],
    ['answers without end', () => ({ score: Number.POSITIVE_INFINITY }), 'no_score'],
    [
      'hangs',
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      'TimeoutError',
    ],
    ['hangs and does not listen', () => new Promise(() => {}), 'TimeoutError'],
  ];

  it.each(failing)('and %s is a failure, never a score', async (_, evaluate, type) => {
    const { telemetry, errors } = create({ evaluators: [{ name: 'bad', evaluate }, keeper().evaluator], timeoutMs: 5 });
    expect(await ask(telemetry)).toContain('Hello');
    await telemetry.flush();
    const [span] = named(telemetry, 'evaluate bad');
    expect([span?.status.code, span?.attributes['error.type']]).toEqual([2, type]);
    expect(span?.events[0]?.attributes).not.toHaveProperty('gen_ai.evaluation.score.value');
    const value = (name: string, evaluation: string) =>
      telemetry.metrics.value(`llm_evaluation_${name}`, { evaluation });
    expect([value('failures_total', 'bad'), value('score', 'bad')]).toEqual([1, undefined]);
    // The other one is as it would be without it.
    expect([value('failures_total', 'kept'), value('score', 'kept')]).toEqual([0, 1]);
    expect(errors[0]).toMatch(/bad/);
  });

  it('over the wire tells its status', async () => {
    const fetch = async (input: RequestInfo | URL) =>
      String(input).includes('judge.') ? Response.json({}, { status: 429 }) : Response.json(chatCompletion());
    const { telemetry } = create({ evaluators: [relevance(judge)] }, { fetch });
    await ask(telemetry);
    await telemetry.flush();
    expect(named(telemetry, 'evaluate relevance')[0]?.attributes['error.type']).toBe('429');
    expect(named(telemetry, 'chat judge-1')[0]?.status.code).toBe(2);
  });
});

describe('how many', () => {
  it('are judged is the sample rate, by the random numbers of the runtime', async () => {
    const { seen, evaluator } = keeper();
    const bytes = [0, 63, 64, 128, 255];
    const random = (target: Uint8Array<ArrayBuffer>) =>
      target.length === 4 ? target.fill(bytes.shift()!) : crypto.getRandomValues(target);
    const { telemetry } = create({ evaluators: [evaluator], sampleRate: 0.25 }, { runtime: { random } });
    for (let i = 0; i < 5; i++) await ask(telemetry);
    await telemetry.flush();
    // 0.0 and 63.…/256 lie below a quarter.
    expect(seen).toHaveLength(2);
  });

  it('are judged a wrapper says for itself, all or none', async () => {
    const { seen, evaluator } = keeper();
    for (const [evaluate, sampleRate, count] of [
      [true, 0, 1],
      [false, 1, 0],
      [undefined, 0, 0],
      [undefined, 1, 1],
    ] as const) {
      seen.length = 0;
      const { telemetry } = create({ evaluators: [evaluator], sampleRate });
      await telemetry.llm({ ...(evaluate !== undefined && { evaluate }) }, () => ask(telemetry))();
      await telemetry.flush();
      expect(seen).toHaveLength(count);
    }
  });

  it('may be under way is bounded, the rest are dropped and counted', async () => {
    const releases: (() => void)[] = [];
    const evaluate = () => new Promise<{ score: number }>((resolve) => releases.push(() => resolve({ score: 1 })));
    const { telemetry } = create({ evaluators: [{ name: 'slow', evaluate }], maxQueue: 2 });
    for (let i = 0; i < 5; i++) await ask(telemetry);
    expect(telemetry.metrics.value('llm_evaluation_dropped_total', { evaluation: 'slow' })).toBe(3);
    await expect.poll(() => releases.length).toBe(2);
    for (const release of releases) release();
    await telemetry.flush();
    await ask(telemetry);
    await expect.poll(() => releases.length).toBe(3);
    expect(telemetry.metrics.value('llm_evaluation_dropped_total')).toBe(3);
    releases[2]?.();
    await telemetry.flush();
    expect(telemetry.metrics.value('llm_evaluation_runs_total')).toBe(3);
  });
});

describe('the option', () => {
  it.each([
    [{ evaluators: [{}] }, 'evaluation.evaluators'],
    [{ evaluators: [], sampleRate: 2 }, 'evaluation.sampleRate'],
    [{ evaluators: [], timeoutMs: 0 }, 'evaluation.timeoutMs'],
    [{ evaluators: [], maxQueue: 0 }, 'evaluation.maxQueue'],
    [{ evaluators: [], rate: 1 }, 'evaluation.rate'],
  ])('%j is refused', (evaluation, option) => {
    expect(() => createAlsTelemetry({ evaluation: evaluation as never })).toThrow(expect.objectContaining({ option }));
  });

  it('may name nobody', async () => {
    const { telemetry } = create({ evaluators: [] });
    await ask(telemetry);
    expect(await telemetry.flush()).toMatchObject({ ok: true });
  });
});

describe('the Rastir preset', () => {
  it('has its families, with the judge in them and the latest score', async () => {
    const { telemetry } = create({ evaluators: [toxicity(judge)] }, { metrics: { preset: 'rastir' } });
    await ask(telemetry);
    await telemetry.flush();
    const of = { evaluation_type: 'toxicity', evaluator_model: 'judge-1', provider: 'openai' };
    const value = (name: string, labels = {}) => telemetry.metrics.value(`rastir_evaluation_${name}`, labels);
    expect(['runs_total', 'failures_total', 'latency_seconds', 'score'].map((name) => value(name, of))).toEqual([
      1, 0, 1, 0.2,
    ]);
    expect([value('queue_size'), value('queue_utilization_percent')]).toEqual([0, 0]);
    const [span] = named(telemetry, 'evaluate:toxicity');
    expect(span?.attributes).toMatchObject({ 'rastir.span_type': 'evaluation', 'rastir.evaluation_type': 'toxicity' });
  });
});
