import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Capture, TelemetryOptions } from '../../src/index.ts';
import type { Message, Part } from '../../src/llm/content/message.ts';
import { expectMessages } from '../llm/content/schema.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';
import * as anthropicWire from './anthropic-wire.ts';
import * as googleWire from './google-wire.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, json, type Loopback, redirect, sse } from './loopback.ts';
import * as openaiWire from './openai-wire.ts';
import { createRows } from './value-rows.ts';
import { createAiSdkRows } from './value-rows-ai-sdk.ts';
import { createCompatibleRows } from './value-rows-compatible.ts';
import { type AnyMethod, consume, type Fetch, find, type Row } from './value-table.ts';

const installed = isInstalled('openai') && isInstalled('ai');
const rows = installed
  ? [...(await createRows()), ...(await createCompatibleRows()), ...(await createAiSdkRows())]
  : [];

/** One call of a row, streamed or not. */
interface Call {
  readonly client: Row['client'];
  readonly method: string;
  readonly args: (fetch: Fetch) => readonly unknown[];
  readonly answer: Answer;
}

type Way = 'fetch' | 'wrap';
type Telemetry = ReturnType<typeof createAlsTelemetry>;

const secret = 'the launch is on the 4th of May';
const picture = Buffer.from('P'.repeat(3000)).toString('base64');
const dataUrl = `data:image/png;base64,${picture}`;

/** A long prompt and a picture, as each vendor takes them. */
async function createPictureCalls(): Promise<[name: string, call: Call][]> {
  const [openai, anthropic, google, ai, compatible] = await Promise.all([
    import('openai'),
    import('@anthropic-ai/sdk'),
    import('@google/genai'),
    import('ai'),
    import('@ai-sdk/openai-compatible'),
  ]);
  const text = `${secret}. ${'Tell me more of it. '.repeat(60)}`;
  const vendor = (fetch: Fetch) => new openai.OpenAI({ apiKey: 'k', maxRetries: 0, fetch });
  const chat = [
    {
      role: 'user',
      content: [
        { type: 'text', text },
        { type: 'image_url', image_url: { url: dataUrl } },
      ],
    },
  ];
  const input = [
    {
      role: 'user',
      content: [
        { type: 'input_text', text },
        { type: 'input_image', image_url: dataUrl, detail: 'auto' },
      ],
    },
  ];
  const source = { type: 'base64', media_type: 'image/png', data: picture };
  const claude = {
    model: 'claude-sonnet-4-6',
    max_tokens: 9,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text },
          { type: 'image', source },
        ],
      },
    ],
  };
  const contents = [{ role: 'user', parts: [{ text }, { inlineData: { mimeType: 'image/png', data: picture } }] }];
  const asked = (fetch: Fetch) => {
    const own = compatible.createOpenAICompatible({
      name: 'openai',
      baseURL: 'https://api.openai.com/v1',
      apiKey: 'k',
      fetch,
    });
    const content = [
      { type: 'text', text },
      { type: 'file', mediaType: 'image/png', data: picture },
    ];
    return [{ model: own('gpt-4o-mini'), maxRetries: 0, messages: [{ role: 'user', content }] }];
  };
  const { generateText, streamText } = ai;
  const both = (
    name: string,
    client: Row['client'],
    plain: Omit<Call, 'client'>,
    stream: Omit<Call, 'client'>,
  ): [string, Call][] => [
    [name, { client, ...plain }],
    [`${name}, streamed`, { client, ...stream }],
  ];
  const model = 'gpt-4o-mini';
  return [
    ...both(
      'openai chat',
      vendor,
      {
        method: 'chat.completions.create',
        args: () => [{ model, messages: chat }],
        answer: json(200, openaiWire.chatCompletion()),
      },
      {
        method: 'chat.completions.create',
        args: () => [{ model, messages: chat, stream: true }],
        answer: sse(openaiWire.chatChunks()),
      },
    ),
    ...both(
      'openai responses',
      vendor,
      { method: 'responses.create', args: () => [{ model, input }], answer: json(200, openaiWire.response()) },
      {
        method: 'responses.create',
        args: () => [{ model, input, stream: true }],
        answer: sse(openaiWire.responseEvents()),
      },
    ),
    ...both(
      'anthropic',
      (fetch) => new anthropic.Anthropic({ apiKey: 'k', maxRetries: 0, fetch }),
      { method: 'messages.create', args: () => [claude], answer: json(200, anthropicWire.message()) },
      {
        method: 'messages.create',
        args: () => [{ ...claude, stream: true }],
        answer: sse(anthropicWire.messageEvents()),
      },
    ),
    ...both(
      'google genai',
      (fetch) => new google.GoogleGenAI({ apiKey: 'k', httpOptions: { fetch } }),
      {
        method: 'models.generateContent',
        args: () => [{ model: 'gemini-2.5-flash', contents }],
        answer: json(200, googleWire.answer()),
      },
      {
        method: 'models.generateContentStream',
        args: () => [{ model: 'gemini-2.5-flash', contents }],
        answer: sse(googleWire.answerEvents()),
      },
    ),
    ...both(
      'ai',
      () => ({ generateText, streamText }),
      { method: 'generateText', args: asked, answer: json(200, openaiWire.chatCompletion()) },
      { method: 'streamText', args: asked, answer: sse(openaiWire.chatChunks()) },
    ),
  ];
}

const pictureCalls = installed ? await createPictureCalls() : [];

const ways = ['fetch', 'wrap'] as const;
const columns = ['plain', 'stream', 'tools'] as const;
const calls = rows.flatMap(({ sdk, client, ownTransport, ...cells }) =>
  columns.flatMap((column) => {
    const cell = cells[column];
    if (typeof cell === 'string') return [];
    const call: Call = { client, method: cell.method, args: cell.args, answer: cell.answer };
    return ways
      .filter((way) => way === 'wrap' || !ownTransport)
      .map((way) => [sdk, column, way, call, cell.expected.tools ?? []] as const);
  }),
);
const pictured = pictureCalls.flatMap(([name, call]) => ways.map((way) => [name, way, call] as const));

describe.skipIf(!installed)(`what is captured of calls of SDKs (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  // Getters of some SDKs print when they are asked: we ask none.
  const warn = vi.spyOn(console, 'warn');
  afterEach(() => expect(warn).not.toHaveBeenCalled());
  afterAll(() => warn.mockRestore());

  /** The one span of a call. */
  async function run(way: Way, { client, method, args, answer }: Call, options: TelemetryOptions) {
    loopback.play([answer]);
    const telemetry = createAlsTelemetry({
      onError: (error) => expect.unreachable(String(error)),
      ...options,
      fetch: redirect(loopback),
    });
    const fetch = way === 'fetch' ? telemetry.fetch : redirect(loopback);
    const own = client(fetch, loopback);
    const called: AnyMethod = find(way === 'wrap' ? telemetry.wrap(own, { type: 'llm' }) : own, method);
    await consume(called(...args(fetch)));
    return { telemetry, ...only(telemetry) };
  }

  function only(telemetry: Telemetry) {
    expect(telemetry.spans).toHaveLength(1);
    const { attributes } = telemetry.spans[0]!;
    const read = (name: string): Message[] => expectMessages(String(attributes[`gen_ai.${name}.messages`]));
    return { attributes, input: () => read('input'), output: () => read('output') };
  }

  const all: Capture = { inputs: true, outputs: true };
  const partsOf = (messages: readonly Message[], type: string): Part[] =>
    messages.flatMap(({ parts }) => parts).filter((part) => part.type === type);

  it.each(calls)('%s, %s, by %s: messages by the schema', async (_sdk, column, way, call, tools) => {
    const { input, output } = await run(way, call, { capture: all });
    expect(input()).toEqual([{ role: 'user', parts: [{ type: 'text', content: 'Hi' }] }]);
    const answers = output();
    expect(answers.map(({ role }) => role)).toEqual(['assistant']);
    expect(partsOf(answers, 'tool_call').map(({ name }) => name)).toEqual(tools);
    if (column === 'plain') expect(partsOf(answers, 'text')[0]!.content).toMatch(/^Hello/);
    for (const part of partsOf(answers, 'tool_call')) expect(part.arguments).toBeTypeOf('object');
  });

  it.each(calls)('%s, %s, by %s: nothing of it by default', async (_sdk, _column, way, call) => {
    const { telemetry, attributes } = await run(way, call, {});
    expect(Object.keys(attributes).filter((name) => /messages|instructions|definitions|put$/.test(name))).toEqual([]);
    expect(JSON.stringify(telemetry.spans.map((span) => [span.attributes, span.events]))).not.toMatch(/Hello|Lisbon/);
  });

  it.each(pictured)('%s, by %s: a picture by its type, size and hash', async (_name, way, call) => {
    const { attributes, input } = await run(way, call, { capture: { inputs: 5000, outputs: true } });
    expect(JSON.stringify(attributes)).not.toContain(picture.slice(0, 64));
    const [blob, ...more] = partsOf(input(), 'blob');
    expect(more).toEqual([]);
    expect(blob).toMatchObject({ modality: 'image', mime_type: 'image/png', size: 3000 });
    expect(blob!.hash).toMatch(/^fnv1a64:[\da-f]{16}$/);
    expect(partsOf(input(), 'text')[0]!.content).toContain(secret);
  });

  it.each(pictured)('%s, by %s: cut, it stays valid', async (_name, way, call) => {
    for (const length of [1, 2, 33, 120]) {
      const { input } = await run(way, call, { capture: { inputs: length } });
      const { content } = partsOf(input(), 'text')[0]!;
      expect(String(content).length).toBeLessThanOrEqual(length);
      expect(String(content).endsWith('…')).toBe(true);
    }
    for (const valueLength of [64, 150, 400]) {
      const { attributes } = await run(way, call, { capture: all, limits: { valueLength } });
      for (const name of ['input', 'output']) {
        const text = attributes[`gen_ai.${name}.messages`];
        if (text === undefined) continue;
        expect(String(text).length).toBeLessThanOrEqual(valueLength);
        expectMessages(String(text));
      }
    }
  });

  it.each(pictured)('%s, by %s: nothing of the prompt by default', async (_name, way, call) => {
    const { telemetry } = await run(way, call, {});
    const told = JSON.stringify(telemetry.spans.map((span) => [span.name, span.attributes, span.events, span.status]));
    expect(told).not.toContain('launch');
    expect(told).not.toContain(picture.slice(0, 32));
    expect(await telemetry.prometheus()).not.toContain('launch');
  });
});
