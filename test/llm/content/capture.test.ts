import { describe, expect, it } from 'vitest';
import type { TelemetryError, TelemetryOptions } from '../../../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from '../../support/telemetry.ts';
import { expectMessages } from './schema.ts';

type Telemetry = ReturnType<typeof createAlsTelemetry>;

const contentName = /messages|instructions|definitions|arguments|\.result|query|\.documents|edgespan\.(input|output)/;

/** Names and values of what was captured, of all spans. */
function captured(telemetry: Telemetry): Record<string, unknown> {
  const entries = telemetry.spans.flatMap(({ attributes }) => Object.entries(attributes));
  return Object.fromEntries(entries.filter(([name]) => contentName.test(name)));
}

function create(options: TelemetryOptions = {}) {
  return createAlsTelemetry({ fetch: async () => Response.json(chatCompletion()), ...options });
}

async function chat(telemetry: Telemetry, over: Record<string, unknown> = {}): Promise<void> {
  await (await telemetry.fetch(chatUrl, chatRequest(over))).text();
}

const input = '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]';
const output = '[{"role":"assistant","finish_reason":"stop","parts":[{"type":"text","content":"Hello"}]}]';

describe('without capture', () => {
  it('nothing is kept, and nothing is read of what the application has at hand', async () => {
    const telemetry = create();
    const trap = () => {
      throw new Error('read');
    };
    const sealed = () => Object.defineProperty({ toJSON: trap }, 'secret', { get: trap, enumerable: true });
    await chat(telemetry, { tools: [{ type: 'function', function: { name: 'f' } }] });
    telemetry.tool({ name: 't' }, (_: unknown) => sealed())(sealed());
    telemetry.agent({ name: 'a' }, (_: unknown) => sealed())(sealed());
    telemetry.retrieval({ name: 'r', count: () => 1 }, (_: unknown) => [sealed()])(sealed());
    telemetry.trace({ name: 'w' }, (_: unknown) => sealed())(sealed());
    telemetry.wrap({ get: (_: unknown) => sealed() }, { name: 'db' }).get(sealed());
    expect(telemetry.spans).toHaveLength(6);
    expect(captured(telemetry)).toEqual({});
    expect(JSON.stringify(telemetry.spans.map(({ attributes }) => attributes))).not.toMatch(/Hello|\[Getter\]/);
  });
});

describe('a model call', () => {
  it.each<[string, TelemetryOptions['capture'], Record<string, unknown>]>([
    ['inputs', { inputs: true }, { 'gen_ai.input.messages': input }],
    ['outputs', { outputs: true }, { 'gen_ai.output.messages': output }],
    ['both', { inputs: true, outputs: true }, { 'gen_ai.input.messages': input, 'gen_ai.output.messages': output }],
    ['neither', { inputs: false, outputs: 0 }, {}],
    ['so many characters', { outputs: 3 }, { 'gen_ai.output.messages': output.replace('Hello', 'He…') }],
  ])('has %s where that is asked for', async (_, capture, expected) => {
    const telemetry = create({ capture: capture! });
    await chat(telemetry);
    expect(captured(telemetry)).toEqual(expected);
  });

  it('has instructions and the names of tools too', async () => {
    const telemetry = create({ capture: { inputs: true } });
    const url = chatUrl.replace('chat/completions', 'responses');
    const tools = [{ type: 'function', name: 'weather', parameters: { long: 'x' } }];
    await (await telemetry.fetch(url, chatRequest({ instructions: 'Be brief', input: 'Hi', tools }))).text();
    expect(captured(telemetry)).toEqual({
      'gen_ai.input.messages': input,
      'gen_ai.system_instructions': '[{"type":"text","content":"Be brief"}]',
      'gen_ai.tool.definitions': '[{"type":"function","name":"weather"}]',
    });
  });

  it('streamed has what it has unstreamed, and its tokens', async () => {
    const body = ['Hel', 'lo']
      .map((content) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }))
      .concat([
        {
          choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 2 },
        } as never,
      ])
      .map((event) => `data: ${JSON.stringify(event)}\n\n`)
      .join('');
    const headers = { 'content-type': 'text/event-stream' };
    const telemetry = create({
      capture: { outputs: true },
      fetch: async () => new Response(`${body}data: [DONE]\n\n`, { headers }),
    });
    await chat(telemetry, { stream: true });
    expect(captured(telemetry)).toEqual({ 'gen_ai.output.messages': output });
    expect(telemetry.spans[0]!.attributes).toMatchObject({ 'gen_ai.usage.output_tokens': 2 });
  });

  it('has bytes by type, size and hash', async () => {
    const telemetry = create({ capture: { inputs: true } });
    const url = `data:image/png;base64,${btoa('p'.repeat(3000))}`;
    await chat(telemetry, { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
    const json = String(captured(telemetry)['gen_ai.input.messages']);
    expect(expectMessages(json)[0]!.parts).toEqual([
      { type: 'blob', modality: 'image', mime_type: 'image/png', size: 3000, hash: expect.stringMatching(/^fnv1a64:/) },
    ]);
    expect(json).not.toContain('cHBwcHBw');
  });

  it('is within the length of values, however much was said', async () => {
    const telemetry = create({ capture: { inputs: 1e6 }, limits: { valueLength: 300 } });
    const messages = Array.from({ length: 50 }, (_, i) => ({ role: 'user', content: `${i} ${'😀"\\'.repeat(99)}` }));
    await chat(telemetry, { messages });
    const json = String(captured(telemetry)['gen_ai.input.messages']);
    expect(json.length).toBeLessThanOrEqual(300);
    expect(json.length).toBeGreaterThan(280);
    expect(expectMessages(json)[0]!.parts[0]!.content).toMatch(/^49 .*…$/u);
    expect(telemetry.spans[0]!.attributes['edgespan.dropped.gen_ai.input.messages']).toBe(49);
  });

  it('that nobody samples is not read', async () => {
    let reads = 0;
    const content = {
      at: () => void reads++ as never,
      of: () => void reads++ as never,
      all: [],
    };
    const provider = {
      name: 'acme',
      match: () => 'chat',
      request: () => ({ model: 'm' }),
      response: () => ({}),
      content,
    };
    const options = { capture: { inputs: true, outputs: true }, providers: [provider] };
    await chat(create({ ...options, sampling: { ratio: 0 } }));
    expect(reads).toBe(0);
    await chat(create(options));
    expect(reads).toBe(2);
  });

  it('by a provider of one’s own has the messages that this reads', async () => {
    const provider = {
      name: 'acme',
      match: () => 'chat',
      request: () => ({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
      response: () => ({
        messages: [{ role: 'assistant', parts: [{ type: 'text', content: 'Hello' }], finish_reason: 'stop' }],
      }),
    };
    const telemetry = create({ capture: { inputs: true, outputs: true }, providers: [provider] });
    await chat(telemetry);
    expect(captured(telemetry)['gen_ai.input.messages']).toBe(input);
    expect(expectMessages(String(captured(telemetry)['gen_ai.output.messages']))).toEqual(JSON.parse(output));
  });

  it('that fails has what went in', async () => {
    const fetch = async () => Response.json({ error: { message: 'no' } }, { status: 400 });
    const telemetry = create({ capture: { inputs: true, outputs: true }, fetch });
    await chat(telemetry);
    expect(captured(telemetry)).toEqual({ 'gen_ai.input.messages': input });
  });
});

describe('the environment', () => {
  const name = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
  const both = { 'gen_ai.input.messages': input, 'gen_ai.output.messages': output };
  it.each<[string, TelemetryOptions['capture'], Record<string, unknown>]>([
    ['true', undefined, both],
    ['SPAN_ONLY', undefined, both],
    ['span_and_event', {}, both],
    ['EVENT_ONLY', undefined, {}],
    ['NO_CONTENT', undefined, {}],
    ['false', undefined, {}],
    ['true', { inputs: false }, { 'gen_ai.output.messages': output }],
    ['false', { inputs: true }, { 'gen_ai.input.messages': input }],
  ])('%s with %o', async (value, capture, expected) => {
    const telemetry = create({ ...(capture && { capture }), runtime: { env: { [name]: value } } });
    await chat(telemetry);
    expect(captured(telemetry)).toEqual(expected);
  });

  it('is reported where it is wrong', async () => {
    const errors: TelemetryError[] = [];
    const telemetry = create({ runtime: { env: { [name]: 'yes please' } }, onError: (error) => errors.push(error) });
    await chat(telemetry);
    expect(captured(telemetry)).toEqual({});
    expect(errors.map(({ code, option }) => [code, option])).toEqual([['invalid_environment', name]]);
  });

  it('options are checked', () => {
    expect(() => create({ capture: { inputs: -1 } })).toThrow(/capture\.inputs/);
    expect(() => create({ capture: { output: true } as never })).toThrow(/did you mean outputs/);
  });
});

describe('wrappers', () => {
  const all = { capture: { inputs: true, outputs: true } };

  it('of tools have arguments and results as JSON', async () => {
    const telemetry = create(all);
    const tool = telemetry.tool({ name: 'weather' }, async (where: { city: string }) => `sunny in ${where.city}`);
    await tool({ city: 'Oslo' });
    expect(captured(telemetry)).toEqual({
      'gen_ai.tool.call.arguments': '{"city":"Oslo"}',
      'gen_ai.tool.call.result': '"sunny in Oslo"',
    });
  });

  it('of retrievals have the question and what was found', async () => {
    const telemetry = create(all);
    const found = [
      { id: 'd1', score: 0.9, text: 'long' },
      { id: 7 },
      [{ id: 'd2' }, 0.5],
      'a text',
      { pageContent: 'no id' },
    ];
    await telemetry.retrieval({ name: 'docs' }, async (_query: string) => ({ documents: found }))('what?');
    expect(captured(telemetry)).toEqual({
      'gen_ai.retrieval.query.text': 'what?',
      'gen_ai.retrieval.documents': JSON.stringify([
        { id: 'd1', score: 0.9 },
        { id: '7' },
        { id: 'd2', score: 0.5 },
        'a text',
        { pageContent: 'no id' },
      ]),
    });
  });

  it('of agents, steps and objects have what went in and came out', async () => {
    for (const run of [
      (telemetry: Telemetry) => telemetry.agent({ name: 'a' }, (_: string, n: number) => n + 1)('x', 1),
      (telemetry: Telemetry) => telemetry.trace({ name: 's' }, async (_: string, n: number) => n + 1)('x', 1),
      (telemetry: Telemetry) => telemetry.wrap({ add: (_: string, n: number) => n + 1 }, { name: 'db' }).add('x', 1),
    ]) {
      const telemetry = create(all);
      await run(telemetry);
      expect(captured(telemetry)).toEqual({ 'edgespan.input': '["x",1]', 'edgespan.output': '2' });
    }
  });

  it('have a single text as it is', () => {
    const telemetry = create({ capture: { inputs: 8, outputs: true } });
    telemetry.agent({ name: 'a' }, (question: string) => `to ${question}`)('a long question');
    expect(captured(telemetry)).toEqual({ 'edgespan.input': 'a long …', 'edgespan.output': 'to a long question' });
  });

  it('have what a generator yields', async () => {
    const telemetry = create({ capture: { outputs: true } });
    const answer = telemetry.agent({ name: 'a' }, async function* () {
      yield 'Hel';
      yield 'lo';
    });
    for await (const _ of answer());
    expect(captured(telemetry)).toEqual({ 'edgespan.output': 'Hello' });
  });

  it('have nothing for what was thrown', () => {
    const telemetry = create(all);
    const tool = telemetry.tool({ name: 't' }, (_: number) => {
      throw new Error('no');
    });
    expect(() => tool(1)).toThrow('no');
    expect(captured(telemetry)).toEqual({ 'gen_ai.tool.call.arguments': '1' });
  });

  it('beat the option, one way and the other', async () => {
    const telemetry = create({ capture: { inputs: true } });
    telemetry.tool({ name: 'quiet', capture: { inputs: false } }, (_: number) => 2)(1);
    telemetry.tool({ name: 'loud', capture: { outputs: true } }, (_: number) => 2)(1);
    telemetry.wrap({ get: (_: number) => 2 }, { name: 'db', capture: { inputs: false, outputs: 1 } }).get(1);
    expect(
      telemetry.spans.map((span) => Object.entries(span.attributes).filter(([name]) => contentName.test(name))),
    ).toEqual([
      [],
      [
        ['gen_ai.tool.call.arguments', '1'],
        ['gen_ai.tool.call.result', '2'],
      ],
      [['edgespan.output', '2']],
    ]);
  });

  it('hand on what they were given, unread and unawaited', async () => {
    const telemetry = create(all);
    let thens = 0;
    // biome-ignore lint/suspicious/noThenProperty: what is like a promise
    const lazy = { then: () => void thens++ };
    const given = Object.freeze({
      lazy,
      get danger() {
        throw new Error('read');
      },
    });
    const result = telemetry.trace({ name: 's' }, (value: typeof given) => [value])(given);
    expect(result[0]).toBe(given);
    expect(thens).toBe(0);
    expect(captured(telemetry)['edgespan.input']).toBe('{"lazy":{"then":"[function]"},"danger":"[Getter]"}');
  });
});

describe('an llm wrapper', () => {
  const all = { capture: { inputs: true, outputs: true } };

  it.each<[string, object, object]>([
    ['OpenAI', { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }, chatCompletion()],
    [
      'Anthropic',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] },
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: 'Hello' }],
        stop_reason: 'stop',
        usage: {},
      },
    ],
  ])('around a call of %s that nothing else sees has its messages', async (_, request, reply) => {
    const telemetry = create(all);
    await telemetry.llm({ name: 'ask' }, async (_given: object) => reply)(request);
    expect(captured(telemetry)).toEqual({ 'gen_ai.input.messages': input, 'gen_ai.output.messages': output });
  });

  it('reads the words of another vendor by those of its format', async () => {
    const telemetry = create(all);
    const content = [{ type: 'tool_result', tool_use_id: 'c1', content: 'sunny' }];
    await telemetry.llm({ name: 'ask' }, async (_: object) => 1)({ messages: [{ role: 'user', content }] });
    expect(captured(telemetry)).toEqual({
      'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"tool_call_response","id":"c1","response":"sunny"}]}]',
      'edgespan.output': '1',
    });
  });

  it('has a text that went in and came out', async () => {
    const telemetry = create(all);
    await telemetry.llm({ name: 'ask' }, async (question: string) => `re: ${question}`)('Hi');
    expect(captured(telemetry)).toEqual({ 'edgespan.input': 'Hi', 'edgespan.output': 're: Hi' });
  });

  it('has what a stream says', async () => {
    const telemetry = create(all);
    const ask = telemetry.llm({ name: 'ask' }, async function* (_: string) {
      for (const content of ['Hel', 'lo'])
        yield { object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] };
      yield { object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    });
    for await (const _ of ask('Hi'));
    expect(captured(telemetry)['gen_ai.output.messages']).toBe(output);
  });

  it('leaves it to the call inside, unless it was told itself', async () => {
    const telemetry = create(all);
    const call = async (_: string) => chat(telemetry);
    await telemetry.llm({ name: 'ask' }, call)('x');
    const [inner, outer] = telemetry.spans;
    expect(inner!.attributes['gen_ai.input.messages']).toBe(input);
    expect(Object.keys(outer!.attributes).filter((name) => contentName.test(name))).toEqual([]);
    const quiet = create();
    await quiet.llm({ name: 'ask', capture: { inputs: true } }, async (_: string) => chat(quiet))('x');
    expect(captured(quiet)).toEqual({ 'edgespan.input': 'x' });
  });

  it('has what was given before the function changed it', async () => {
    const telemetry = create(all);
    const request = { messages: [{ role: 'user', content: 'Hi' }] };
    await telemetry.llm(
      { name: 'ask' },
      async (given: typeof request) => void given.messages.push({ role: 'user', content: 'more' }),
    )(request);
    expect(captured(telemetry)['gen_ai.input.messages']).toBe(input);
  });
});

describe('a session', () => {
  it('shows the beginning of the prompt where it is asked to, whatever is captured', async () => {
    const telemetry = create({ redact: /secret\w*/ });
    const session = telemetry.session({ preview: 20 });
    const content = `my secret1 is ${'x'.repeat(99)}`;
    await session.run(() =>
      chat(telemetry, {
        messages: [
          { role: 'system', content: 'Be brief' },
          { role: 'user', content },
        ],
      }),
    );
    expect(session.costs().map(({ preview }) => preview)).toEqual(['my [REDACTED] is xx…']);
    expect(captured(telemetry)).toEqual({});
  });

  it('shows none by default, and at most 100 characters', async () => {
    const telemetry = create();
    const session = telemetry.session();
    await session.run(() => chat(telemetry));
    expect(session.costs()[0]).not.toHaveProperty('preview');
    expect(() => telemetry.session({ preview: 101 })).toThrow(
      /session.preview is 101: it must be an integer from 0 to 100/,
    );
    const inner = telemetry.session({ preview: 1 });
    const outer = telemetry.session({ preview: 5 });
    await outer.run(() => inner.run(() => chat(telemetry)));
    expect([inner, outer].map((one) => one.costs()[0]!.preview)).toEqual(['…', 'Hi']);
  });
});
