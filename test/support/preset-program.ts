import type { Telemetry, TelemetryOptions } from '../../src/index.ts';
import { createAlsTelemetry, createManualClock } from './telemetry.ts';

/** What one model call was, as its maker knows it. */
export interface Made {
  /** Our short name for the vendor. */
  readonly provider: string;
  readonly model: string;
  readonly operation: 'chat' | 'stream' | 'embed';
  readonly agent: string;
  readonly seconds: number;
  readonly firstTokenSeconds?: number;
  readonly input?: number;
  readonly output?: number;
  /** US dollars per million tokens. */
  readonly price?: readonly [input: number, output: number];
  /** Of an error: its class and the HTTP status that says so. */
  readonly error?: readonly [kind: string, status: number];
  /** Tools that the model asks for. */
  readonly tools?: readonly string[];
  readonly guardrail?: { readonly id: string; readonly version: string; readonly category: string };
}

/** An agent, a tool or a retrieval that was run. */
export interface Worked {
  readonly type: 'agent' | 'tool' | 'retrieval' | 'trace';
  readonly name: string;
  readonly agent: string;
  readonly seconds: number;
  readonly error?: string;
  /** Of whom the agent around has asked last. */
  readonly provider?: string;
  readonly model?: string;
}

const of = { operation: 'chat', agent: '' } as const;

export const answers = {
  research: {
    ...of,
    provider: 'openai',
    model: 'gpt-4o',
    agent: 'research',
    seconds: 0.3,
    input: 1000,
    output: 200,
    price: [2.5, 10],
    tools: ['search', 'search', 'fetch'],
  },
  streamed: {
    ...of,
    provider: 'openai',
    model: 'gpt-4o-mini',
    operation: 'stream',
    seconds: 0.6,
    firstTokenSeconds: 0.15,
    input: 50,
    output: 31,
    price: [0.15, 0.6],
  },
  limited: { ...of, provider: 'anthropic', model: 'claude-x', seconds: 0.12, error: ['rate_limit', 429] },
  embedded: {
    ...of,
    provider: 'openai',
    model: 'embed-small',
    operation: 'embed',
    seconds: 0.08,
    input: 12,
    price: [0.02, 0],
  },
  unpriced: { ...of, provider: 'google', model: 'mystery-1', seconds: 1.5, input: 7, output: 3 },
  azure: { ...of, provider: 'azure', model: 'gpt-4o', seconds: 0.04, input: 20, output: 10, price: [2.5, 10] },
  guarded: {
    ...of,
    provider: 'bedrock',
    model: 'us.anthropic.claude-3-haiku-v1:0',
    agent: 'research',
    seconds: 0.2,
    input: 40,
    output: 5,
    price: [0.25, 1.25],
    guardrail: { id: 'gr-1', version: '2', category: 'TOPIC_POLICY' },
  },
} as const satisfies Record<string, Made>;

export type AnswerName = keyof typeof answers;

const { research } = answers;
/** What `runProgram` does besides asking models. */
export const works: readonly Worked[] = [
  {
    type: 'tool',
    name: 'search',
    agent: 'research',
    seconds: 0.04,
    provider: research.provider,
    model: research.model,
  },
  {
    type: 'retrieval',
    name: 'docs',
    agent: 'research',
    seconds: 0.02,
    provider: research.provider,
    model: research.model,
  },
  { type: 'agent', name: 'research', agent: 'research', seconds: 0.56 },
  { type: 'tool', name: 'pay', agent: '', seconds: 0.5, error: 'internal_error' },
  { type: 'trace', name: 'step', agent: '', seconds: 3 },
];

export function costOf({ price, input = 0, output = 0 }: Made): number | undefined {
  return price && (input * price[0] + output * price[1]) / 1e6;
}

type Json = Record<string, unknown>;

const urls: Readonly<Record<AnswerName, string>> = {
  research: 'https://api.openai.com/v1/chat/completions',
  streamed: 'https://api.openai.com/v1/chat/completions',
  limited: 'https://api.anthropic.com/v1/messages',
  embedded: 'https://api.openai.com/v1/embeddings',
  unpriced: 'https://generativelanguage.googleapis.com/v1beta/models/mystery-1:generateContent',
  azure: 'https://mine.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
  guarded: `https://bedrock-runtime.us-east-1.amazonaws.com/model/${encodeURIComponent(answers.guarded.model)}/converse`,
};

function requestOf(name: AnswerName): Json {
  const { model, guardrail }: Made = answers[name];
  if (guardrail) {
    return {
      messages: [],
      guardrailConfig: { guardrailIdentifier: guardrail.id, guardrailVersion: guardrail.version },
    };
  }
  if (name === 'unpriced') return { contents: [] };
  if (name === 'embedded') return { model, input: 'x' };
  return { model, messages: [], ...(name === 'streamed' && { stream: true }) };
}

function completion({ model, input, output, tools }: Made): Json {
  const tool_calls = tools?.map((tool, i) => ({
    id: `c${i}`,
    type: 'function',
    function: { name: tool, arguments: '{}' },
  }));
  const message = { role: 'assistant', content: 'Hello', ...(tool_calls && { tool_calls }) };
  return {
    id: `id-${model}-${input}`,
    object: 'chat.completion',
    model,
    choices: [{ index: 0, message, finish_reason: tools ? 'tool_calls' : 'stop' }],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: (input ?? 0) + (output ?? 0) },
  };
}

function answerOf(name: AnswerName): Json {
  const made: Made = answers[name];
  const { model, input, output, guardrail } = made;
  if (guardrail) {
    const assessed = { [guardrail.id]: { topicPolicy: { topics: [{ name: 'x', type: 'DENY', action: 'BLOCKED' }] } } };
    return {
      output: { message: { role: 'assistant', content: [{ text: 'no' }] } },
      stopReason: 'guardrail_intervened',
      usage: { inputTokens: input, outputTokens: output, totalTokens: (input ?? 0) + (output ?? 0) },
      trace: { guardrail: { inputAssessment: assessed } },
    };
  }
  if (name === 'unpriced') {
    return {
      modelVersion: model,
      candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
      usageMetadata: { promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: 10 },
    };
  }
  if (name === 'embedded') {
    return { object: 'list', model, data: [], usage: { prompt_tokens: input, total_tokens: input } };
  }
  if (name === 'limited') return { type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } };
  return completion(made);
}

/** A telemetry whose vendors take as long as `answers` says, by a clock that only they move. */
export function createPresetProgram(options: TelemetryOptions = {}) {
  const clock = createManualClock();
  const wait = (seconds: number) => clock.advance(seconds * 1000);

  /** The bytes come as they are asked for, the clock moves with them. */
  function stream(made: Made): Response {
    const { firstTokenSeconds = 0, seconds, model } = made;
    const chunk = (rest: Json) =>
      `data: ${JSON.stringify({ id: 's1', object: 'chat.completion.chunk', model, ...rest })}\n\n`;
    const steps: readonly (readonly [seconds: number, text: string])[] = [
      [firstTokenSeconds, chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'He' } }] })],
      [
        seconds - firstTokenSeconds,
        chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
          chunk({ choices: [], usage: completion(made).usage }) +
          'data: [DONE]\n\n',
      ],
    ];
    let step = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const next = steps[step++];
          if (!next) return controller.close();
          wait(next[0]);
          controller.enqueue(new TextEncoder().encode(next[1]));
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  let asked: AnswerName = 'research';
  const telemetry = createAlsTelemetry({
    fetch: async () => {
      const made: Made = answers[asked];
      if (made.operation === 'stream') return stream(made);
      wait(made.seconds);
      return Response.json(answerOf(asked), { status: made.error?.[1] ?? 200 });
    },
    prices: Object.fromEntries(
      Object.values(answers).flatMap((made: Made) =>
        made.price ? [[made.model, { input: made.price[0], output: made.price[1] }]] : [],
      ),
    ),
    ...options,
    runtime: { ...clock, ...options.runtime },
  });

  async function ask(name: AnswerName): Promise<void> {
    asked = name;
    const init = { method: 'POST', body: JSON.stringify(requestOf(name)) };
    await (await telemetry.fetch(urls[name], init)).text();
  }

  return { telemetry, ask, wait };
}

/** Every model of `answers` asked once, every piece of `works` done once. */
export async function runProgram({ telemetry, ask, wait }: ReturnType<typeof createPresetProgram>): Promise<void> {
  const [search, docs, , pay, step] = works;
  await telemetry.agent({ name: 'research' }, async () => {
    await ask('research');
    await telemetry.tool({ name: search!.name }, async () => wait(search!.seconds))();
    await telemetry.retrieval({ name: docs!.name }, async () => {
      wait(docs!.seconds);
      return ['a', 'b'];
    })();
    await ask('guarded');
  })();
  for (const name of ['streamed', 'limited', 'embedded', 'unpriced', 'azure'] as const) await ask(name);
  const fail = telemetry.tool({ name: pay!.name }, async () => {
    wait(pay!.seconds);
    throw new TypeError('no money');
  });
  await fail().catch(() => undefined);
  await telemetry.trace({ name: step!.name }, async () => wait(step!.seconds))();
}

/** The lines of a metrics page whose names begin so, by name and labels as they are written. */
export async function readPage(telemetry: Telemetry, prefix: string): Promise<Record<string, number>> {
  const page = await telemetry.prometheus();
  const lines = page.split('\n').filter((line) => line.startsWith(prefix));
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), precise(Number(line.slice(end + 1)))];
    }),
  );
}

/** Sums of the same numbers may differ in their last digit. */
export function precise(value: number): number {
  return Number(value.toPrecision(12));
}

type LabelSet = Readonly<Record<string, string | undefined>>;
type Row = readonly [labels: LabelSet, value: number | undefined];

function series(name: string, labels: LabelSet): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value ?? ''}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(',')}}` : name;
}

/** What a counter has to show: the sum of what has a value, by labels in their order. */
export function counterLines(name: string, rows: readonly Row[]): Record<string, number> {
  const lines: Record<string, number> = {};
  for (const [labels, value] of rows) {
    if (value === undefined) continue;
    const key = series(name, labels);
    lines[key] = precise((lines[key] ?? 0) + value);
  }
  return lines;
}

/** What a histogram has to show: a line for each bound, the sum, the count. */
export function histogramLines(name: string, bounds: readonly number[], rows: readonly Row[]): Record<string, number> {
  const lines: Record<string, number> = {};
  const add = (key: string, value: number) => {
    lines[key] = precise((lines[key] ?? 0) + value);
  };
  for (const [labels, value] of rows) {
    if (value === undefined) continue;
    for (const bound of [...bounds, Number.POSITIVE_INFINITY]) {
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
      add(series(`${name}_bucket`, { ...labels, le }), value <= bound ? 1 : 0);
    }
    add(series(`${name}_sum`, labels), value);
    add(series(`${name}_count`, labels), 1);
  }
  return lines;
}
