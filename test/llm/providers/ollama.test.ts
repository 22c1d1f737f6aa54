import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeFaults } from '../../../src/llm/faults.ts';
import { ollama } from '../../../src/llm/providers/ollama.ts';
import { openai } from '../../../src/llm/providers/openai.ts';
import { createTestTelemetry } from '../../../src/testing.ts';

const base = 'http://127.0.0.1:11434';
const request = { provider: 'ollama', model: 'llama3', operation: 'chat', stream: false };
const match = (url: string, method = 'POST') => ollama.match({ url: new URL(url), method });
const ask = (body: unknown, url = `${base}/api/chat`) =>
  ollama.request({ url: new URL(url), method: 'POST', headers: new Headers(), body });
const replyTo = (status = 200) => ({ status, headers: new Headers(), request, url: new URL(`${base}/api/chat`) });
const respond = (json: unknown, status?: number) => ollama.response(json, replyTo(status));

function stream(lines: readonly unknown[]) {
  const reader = ollama.stream!(replyTo());
  const outcomes = lines.map((json) => reader.event({ json }));
  return { reader, outcomes, result: reader.result() };
}

const counts = {
  total_duration: 6_000_000_000,
  load_duration: 28_000_000,
  prompt_eval_count: 44,
  prompt_eval_duration: 182_000_000,
  eval_count: 113,
  eval_duration: 5_800_000_000,
};
const created_at = '2026-11-21T12:00:00Z';
const call = (name: string) => ({ function: { name, arguments: { city: 'Lisbon' } } });
const chat = (message: object, more: object = {}) => ({
  model: 'llama3',
  created_at,
  message: { role: 'assistant', content: '', ...message },
  done: true,
  done_reason: 'stop',
  ...counts,
  ...more,
});
const line = (message: object) => ({
  model: 'llama3',
  created_at,
  message: { role: 'assistant', ...message },
  done: false,
});

describe('match', () => {
  it.each([
    [`${base}/api/chat`, 'chat'],
    [`${base}/api/generate`, 'text_completion'],
    [`${base}/api/embed`, 'embed'],
    [`${base}/api/embeddings`, 'embed'],
    ['https://ollama.com/api/chat', 'chat'],
    ['http://gpu-box:11434/v1/chat/completions', 'chat'],
    ['http://gpu-box:11434/v1/embeddings', 'embed'],
    ['http://gpu-box:11434/v1/messages', 'chat'],
    ['http://ollama:8080/v1/chat/completions', 'chat'],
    ['https://ollama.corp.internal/api/chat', 'chat'],
    ['https://api.openai.com/v1/chat/completions', undefined],
    ['http://gpu-box:8000/v1/chat/completions', undefined],
    [`${base}/api/pull`, undefined],
    [`${base}/api/tags`, undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match(`${base}/api/chat`, 'GET')).toBeUndefined();
  });
});

describe('whose call it is', () => {
  async function record(url: string, body: unknown) {
    const telemetry = createTestTelemetry({
      providers: [openai, ollama],
      fetch: async () => Response.json(chat({ content: 'Hi' })),
    });
    await (await telemetry.fetch(url, { method: 'POST', body: JSON.stringify(body) })).text();
    return telemetry.spans.map(({ attributes }) => [attributes['llm.provider'], attributes['gen_ai.request.model']]);
  }
  const plain = { model: 'llama3', messages: [{ role: 'user', content: 'Hi' }], stream: false };

  it('is Ollama’s on its port, however plain', async () => {
    expect(await record(`${base}/api/chat`, plain)).toEqual([['ollama', 'llama3']]);
    expect(await record(`${base}/v1/chat/completions`, plain)).toEqual([['ollama', 'llama3']]);
  });

  it('is nobody’s at a route of an application that happens to have the path', async () => {
    expect(await record('https://shop.example/api/chat', plain)).toEqual([]);
    expect(await record('https://shop.example/api/chat', { id: 'x', messages: [] })).toEqual([]);
    expect(await record('https://shop.example/api/embed', { url: 'https://video.example/1' })).toEqual([]);
  });

  it('is Ollama’s anywhere once the body says so', async () => {
    expect(await record('https://llm.example/api/chat', { ...plain, options: { temperature: 0 } })).toEqual([
      ['ollama', 'llama3'],
    ]);
    expect(await record('https://llm.example/api/chat', { ...plain, keep_alive: '5m' })).toEqual([
      ['ollama', 'llama3'],
    ]);
  });
});

describe('request', () => {
  // https://docs.ollama.com/api/chat
  it('reads the parameters, and streams unless it is told not to', () => {
    const options = {
      temperature: 0.5,
      num_predict: 64,
      top_p: 0.9,
      top_k: 40,
      seed: 1,
      frequency_penalty: 1,
      presence_penalty: 2,
      stop: ['\n'],
    };
    expect(ask({ model: 'llama3', messages: [], think: 'high', options })).toEqual({
      model: 'llama3',
      stream: true,
      maxTokens: 64,
      parameters: {
        'gen_ai.request.temperature': 0.5,
        'gen_ai.request.max_tokens': 64,
        'gen_ai.request.top_p': 0.9,
        'gen_ai.request.top_k': 40,
        'gen_ai.request.seed': 1,
        'gen_ai.request.frequency_penalty': 1,
        'gen_ai.request.presence_penalty': 2,
        'gen_ai.request.stop_sequences': ['\n'],
        'gen_ai.request.reasoning.level': 'high',
        'gen_ai.request.stream': true,
      },
    });
    expect(ask({ model: 'llama3', stream: false })).toEqual({ model: 'llama3', stream: false, parameters: {} });
    expect(ask({ model: 'm', options: { num_predict: -1 } })).toMatchObject({ parameters: {} });
    expect(ask({ model: 'm', options: { num_predict: -1 } }).maxTokens).toBeUndefined();
  });

  it('does not stream embeddings', () => {
    expect(ask({ model: 'nomic', input: 'x', dimensions: 256 }, `${base}/api/embed`)).toEqual({
      model: 'nomic',
      stream: false,
      parameters: { 'gen_ai.embeddings.dimension.count': 256 },
    });
  });
});

describe('response', () => {
  it('reads counts, tools and how long it took', () => {
    expect(respond(chat({ tool_calls: [call('get_weather'), call('get_time')] }))).toEqual({
      model: 'llama3',
      usage: { input: 44, output: 113 },
      finishReasons: ['stop'],
      toolCalls: [{ name: 'get_weather' }, { name: 'get_time' }],
      attributes: {
        'edgespan.ollama.total_seconds': 6,
        'edgespan.ollama.load_seconds': 0.028,
        'edgespan.ollama.prompt_eval_seconds': 0.182,
        'edgespan.ollama.eval_seconds': 5.8,
      },
    });
  });

  it('takes a prompt without a count for cached, not for faulty', () => {
    takeFaults();
    const { prompt_eval_count: _, ...rest } = chat({ content: 'Hi' });
    expect(respond(rest).usage).toEqual({ output: 113 });
    expect(takeFaults()).toBe(false);
    expect(respond({ model: 'm', message: {}, done: true, done_reason: 'load' }).finishReasons).toEqual(['load']);
    expect(takeFaults()).toBe(false);
  });

  it.each([
    ['a count that is gone', { eval_count: undefined }, { input: 44 }],
    ['a count of another type', { eval_count: '113' }, { input: 44 }],
    ['counts below 0', { eval_count: -1, prompt_eval_count: -1 }, undefined],
  ])('%s is a fault and no number', (_, more, usage) => {
    takeFaults();
    expect(respond(chat({ content: 'Hi' }, more)).usage).toEqual(usage);
    expect(takeFaults()).toBe(true);
  });

  it('reads completions and embeddings', () => {
    expect(respond({ model: 'm', response: 'Hi', done: true, done_reason: 'length', ...counts })).toMatchObject({
      usage: { input: 44, output: 113 },
      finishReasons: ['length'],
    });
    const embedded = {
      model: 'nomic',
      embeddings: [
        [1, 2],
        [3, 4],
      ],
      total_duration: 1e9,
      prompt_eval_count: 8,
    };
    expect(respond(embedded)).toEqual({
      model: 'nomic',
      usage: { input: 8 },
      attributes: { 'edgespan.ollama.total_seconds': 1, 'gen_ai.embeddings.dimension.count': 2 },
    });
    expect(respond({ embedding: [1, 2, 3] })).toEqual({ attributes: { 'gen_ai.embeddings.dimension.count': 3 } });
  });

  it('of a picture has neither text nor count, which is no fault', () => {
    takeFaults();
    const picture = { model: 'm', created_at, image: 'iVBORw0KGgo=', done: true, done_reason: 'stop' };
    expect(respond(picture).finishReasons).toEqual(['stop']);
    expect(stream([{ model: 'm', created_at, completed: 1, total: 4, done: false }, picture]).outcomes).toEqual([
      undefined,
      'end',
    ]);
    expect(takeFaults()).toBe(false);
  });

  it('an error is a text', () => {
    const message = "model 'x' not found";
    expect(respond({ error: message }, 404)).toEqual({ error: { type: '404', message } });
  });
});

describe('stream', () => {
  it('marks thoughts, texts and tools as content, and the last line as the end', () => {
    const { outcomes } = stream([
      line({ content: '' }),
      line({ content: '', thinking: 'Hm' }),
      line({ content: 'Hi' }),
      line({ content: '', tool_calls: [call('get_weather')] }),
      chat({ content: '' }),
    ]);
    expect(outcomes).toEqual([undefined, 'content', 'content', 'content', 'end']);
  });

  it('lets lines of text pass unread', () => {
    const { reader } = stream([]);
    expect(reader.matters!(JSON.stringify(line({ content: 'say "tool_calls"' })), undefined)).toBe(false);
    expect(reader.matters!(JSON.stringify(line({ content: '', tool_calls: [call('x')] })), undefined)).toBe(true);
    expect(reader.matters!(JSON.stringify(chat({})), undefined)).toBe(true);
    expect(reader.matters!('{"error":"out of memory"}', undefined)).toBe(true);
  });

  it('gives what the unstreamed call gives', () => {
    const count = fc.option(fc.nat(1e6), { nil: undefined });
    const arbitrary = fc.record({
      texts: fc.array(fc.string()),
      thoughts: fc.array(fc.string()),
      calls: fc.array(fc.array(fc.stringMatching(/^[a-z_]{1,9}$/), { maxLength: 2 }), { maxLength: 3 }),
      done_reason: fc.constantFrom('stop', 'length', undefined),
      prompt_eval_count: count,
      eval_count: count,
    });
    fc.assert(
      fc.property(arbitrary, ({ texts, thoughts, calls, ...end }) => {
        const message = {
          content: texts.join(''),
          thinking: thoughts.join(''),
          tool_calls: calls.flat().map(call),
        };
        const { result } = stream([
          ...thoughts.map((thinking) => line({ content: '', thinking })),
          ...texts.map((content) => line({ content })),
          ...calls.map((names) => line({ content: '', tool_calls: names.map(call) })),
          chat({ content: '' }, end),
        ]);
        expect(result).toEqual(respond(chat(message, end)));
      }),
    );
  });

  it('reads an error in the middle', () => {
    const { outcomes, result } = stream([line({ content: 'Hi' }), { error: 'out of memory' }]);
    expect(outcomes).toEqual(['content', 'end']);
    expect(result).toEqual({
      model: 'llama3',
      finishReasons: ['error'],
      error: { type: 'error', message: 'out of memory' },
    });
    expect(stream([{ error: 'out of memory' }]).result.error).toEqual({ type: 'error', message: 'out of memory' });
  });

  it('says that it was cut off', () => {
    expect(stream([line({ content: 'Hi' })]).result).toEqual({ model: 'llama3', finishReasons: ['error'] });
    expect(stream([]).result).toEqual({});
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (json, lines) => {
        expect(() => respond(json)).not.toThrow();
        expect(() => stream(lines)).not.toThrow();
      }),
    );
  });
});

it('knows values that its SDK returned', () => {
  expect(ollama.accepts!(chat({ content: 'Hi' }))).toBe(true);
  expect(ollama.accepts!({ model: 'm', response: 'Hi', done: true })).toBe(true);
  expect(ollama.accepts!({ model: 'm', embeddings: [[1]], total_duration: 1 })).toBe(true);
  expect(ollama.read!(chat({ content: 'Hi' })).usage).toEqual({ input: 44, output: 113 });
  const openai = { model: 'm', object: 'chat.completion', choices: [{ message: { role: 'assistant' } }] };
  for (const other of [openai, {}, null, 'x', { done: true }]) expect(ollama.accepts!(other)).toBe(false);
});

describe('what a call costs', () => {
  const reply = { model: 'gpt-oss:120b', message: { content: 'Hi' }, done: true, prompt_eval_count: 5, eval_count: 7 };
  async function cost(host: string, more: object = {}) {
    const telemetry = createTestTelemetry({ fetch: async () => Response.json({ ...reply, ...more }) });
    const body = JSON.stringify({ model: 'gpt-oss:120b', messages: [], stream: false });
    await (await telemetry.fetch(`${host}/api/chat`, { method: 'POST', body })).text();
    const { attributes } = telemetry.spans[0]!;
    return [attributes['gen_ai.usage.output_tokens'], attributes['llm.cost_usd']];
  }

  it('is nothing at home, and unknown in the cloud', async () => {
    expect(await cost('http://localhost:11434')).toEqual([7, 0]);
    expect(await cost('https://ollama.com')).toEqual([7, undefined]);
  });

  // A model made at home from one of the cloud has a name of its own; `remote_*` say who answered.
  it('is unknown where a server at home asks the cloud', async () => {
    const home = 'http://localhost:11434';
    const remote = { model: 'mine', remote_model: 'gpt-oss:120b' };
    expect(await cost(home, { ...remote, remote_host: 'https://ollama.com:443' })).toEqual([7, undefined]);
    expect(await cost(home, { ...remote, remote_host: 'http://other.local:11434' })).toEqual([7, 0]);
  });
});
