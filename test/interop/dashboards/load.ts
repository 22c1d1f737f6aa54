import type { Telemetry } from '../../../src/index.ts';
import { createPresetProgram, runProgram } from '../../support/preset-program.ts';
import { createAlsTelemetry, createManualClock } from '../../support/telemetry.ts';
import { createIntake } from './intake-load.ts';

const endpoint = 'http://collector.test';
export const deskCall = { input: 1000, output: 200, price: [2.5, 10], model: 'gpt-4o', seconds: 0.3 } as const;

/** Beyond what `runProgram` does, in service `lab`. */
export const lab = {
  judged: { provider: 'openai', model: 'judged-1', seconds: 0.2, input: 100, output: 20, cached: 40, reasoning: 8 },
  left: { provider: 'openai', model: 'left-1', seconds: 0.4, first: 0.4 },
  unreadable: { provider: 'openai', model: 'broken-1', seconds: 0.7 },
  relevance: { score: 0.8, seconds: 0.3 },
  tone: { seconds: 1.5 },
  feedback: [0.25, 1, 1],
  looks: ['hit exact', 'miss exact', 'miss exact', 'hit semantic'],
  /** Series of a metric that has room for `seriesPerMetric`. */
  crowd: 60,
  seriesPerMetric: 50,
} as const;

function createLab(fetch: typeof globalThis.fetch) {
  const clock = createManualClock();
  const wait = (seconds: number) => clock.advance(seconds * 1000);
  const telemetry = createAlsTelemetry({
    serviceName: 'lab',
    environment: 'staging',
    otlp: { endpoint, fetch },
    exporters: [() => Promise.reject(new Error('nobody there'))],
    limits: { seriesPerMetric: lab.seriesPerMetric },
    evaluation: {
      sampleRate: 0,
      maxQueue: 2,
      evaluators: [
        {
          name: 'relevance',
          evaluate() {
            wait(lab.relevance.seconds);
            return { score: lab.relevance.score };
          },
        },
        {
          name: 'tone',
          evaluate() {
            wait(lab.tone.seconds);
            throw new Error('no idea');
          },
        },
        { name: 'style', evaluate: () => ({ score: 1 }) },
      ],
    },
    fetch: async () => {
      wait(lab.unreadable.seconds);
      return new Response('{"choices": oh no', { headers: { 'content-type': 'application/json' } });
    },
    runtime: clock,
    onError: () => undefined,
  });
  const crowd = telemetry.metrics.counter('crowd', { labels: ['member'] });

  async function run(): Promise<void> {
    const { judged, left, unreadable } = lab;
    await telemetry.llm({ provider: 'openai', model: judged.model, evaluate: true }, async (_: string) => {
      wait(judged.seconds);
      return {
        ...chunk(judged.model, 'chat.completion'),
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: {
          prompt_tokens: judged.input,
          completion_tokens: judged.output,
          total_tokens: judged.input + judged.output,
          prompt_tokens_details: { cached_tokens: judged.cached },
          completion_tokens_details: { reasoning_tokens: judged.reasoning },
        },
      };
    })('Hi');
    await settled(telemetry);
    const stream = telemetry.llm({ provider: 'openai', model: left.model }, async function* () {
      wait(left.first);
      yield { ...chunk(left.model), choices: [{ index: 0, delta: { content: 'He' } }] };
      yield { ...chunk(left.model), choices: [{ index: 0, delta: { content: 'llo' } }] };
    });
    for await (const _ of stream()) break;
    const body = JSON.stringify({ model: unreadable.model, messages: [] });
    await (await telemetry.fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body })).text();
    for (const score of lab.feedback) {
      telemetry.recordFeedback({ name: 'thumbs', score, traceId: telemetry.spans[0]!.spanContext().traceId });
    }
    for (const look of lab.looks) {
      const [found, type] = look.split(' ') as ['hit' | 'miss', 'exact' | 'semantic'];
      telemetry.recordCacheLookup({ type, hit: found === 'hit' });
    }
    for (let i = 0; i < lab.crowd; i++) crowd.inc({ member: String(i) });
  }
  return { telemetry, run };
}

function chunk(model: string, object = 'chat.completion.chunk') {
  return { id: 'c1', object, created: 1, model };
}

/** Until judges are done, who begin when the call is over. */
async function settled(telemetry: Telemetry): Promise<void> {
  const isDone = () => telemetry.spans.filter(({ name }) => name.startsWith('evaluat')).length >= 2;
  for (let i = 0; i < 100 && !isDone(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A service with limits, of which each run spends as much and is refused once. */
function createDesk(fetch: typeof globalThis.fetch) {
  const clock = createManualClock();
  const { model, price, seconds, input, output } = deskCall;
  let user = 0;
  const telemetry = createAlsTelemetry({
    serviceName: 'desk',
    environment: 'production',
    otlp: { endpoint, fetch },
    prices: { [model]: { input: price[0], output: price[1] } },
    budget: {
      warnAt: [0.5],
      limits: [
        { name: 'daily', usd: 50, window: 'day' },
        { name: 'user', usd: 0.008, window: 'hour', key: () => String(user) },
        { name: 'single', usd: 0.1, window: 'call' },
      ],
    },
    fetch: async () => {
      clock.advance(seconds * 1000);
      const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
      const message = { role: 'assistant', content: 'Hello' };
      return Response.json({
        ...chunk(model, 'chat.completion'),
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage,
      });
    },
    runtime: clock,
    onError: () => undefined,
  });

  async function ask(max_tokens: number): Promise<number> {
    const body = JSON.stringify({ model, messages: [], max_tokens });
    const response = await telemetry.fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body });
    await response.text();
    return response.status;
  }
  return {
    telemetry,
    async run() {
      user++;
      if ((await ask(output)) !== 200) throw new Error('the budget refuses what it has room for');
      user++;
      if ((await ask(1_000_000)) !== 402) throw new Error('the budget has room for everything');
    },
  };
}

/** Services that send to one collector: `shop`, `lab` and `desk` count themselves, of `plain` there are spans alone. */
export function createLoad() {
  const intake = createIntake();
  const fetch = intake.fetch as typeof globalThis.fetch;
  let batches = 0;
  /** Spans alone, with ids of replies of their own, as vendors give them: a reply counts once. */
  const tracesOnly: typeof globalThis.fetch = async (input, init) => {
    if (String(input).endsWith('/v1/metrics')) return Response.json({});
    const id = `plain-${++batches}-`;
    const body = new TextDecoder().decode(init?.body as Uint8Array);
    return fetch(input, {
      ...init,
      body: body.replace(/("gen_ai.response.id","value":\{"stringValue":")/g, `$1${id}`),
    });
  };
  const shop = createPresetProgram({
    serviceName: 'shop',
    environment: 'production',
    pricingProfile: 'list',
    costAlert: { usd: 0.004, onAlert: () => undefined },
    otlp: { endpoint, fetch },
  });
  const plain = createPresetProgram({
    serviceName: 'plain',
    environment: 'staging',
    otlp: { endpoint, fetch: tracesOnly },
  });
  const desk = createDesk(fetch);
  const labs = createLab(fetch);
  const telemetries = [shop, plain, desk, labs].map(({ telemetry }) => telemetry);
  const spansOf = (one: Telemetry) => one.spans.length;

  return {
    begin: intake.begin,
    /** Answers how many spans each service has made. */
    async run() {
      for (const telemetry of telemetries) telemetry.clearSpans();
      await runProgram(shop);
      await runProgram(plain);
      await desk.run();
      await labs.run();
      const [inShop, inPlain, atDesk, inLab] = telemetries.map(spansOf);
      for (const telemetry of telemetries) await telemetry.flush();
      await intake.run();
      return { shop: inShop!, plain: inPlain!, desk: atDesk!, lab: inLab! };
    },
    readPage: intake.readPage,
    shutdown: intake.shutdown,
  };
}
