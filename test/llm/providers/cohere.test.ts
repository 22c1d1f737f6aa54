import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeFaults } from '../../../src/llm/faults.ts';
import type { LlmResponse } from '../../../src/llm/provider.ts';
import { cohere } from '../../../src/llm/providers/cohere.ts';

const request = { provider: 'cohere', model: 'command-a-03-2025', operation: 'chat', stream: false };
const match = (url: string, method = 'POST') => cohere.match({ url: new URL(url), method });
const respond = (json: unknown, path = '/v2/chat', status = 200) =>
  cohere.response(json, { status, headers: new Headers(), request, url: new URL(`https://api.cohere.com${path}`) });
const ask = (body: unknown, path = '/v2/chat') =>
  cohere.request({ url: new URL(`https://api.cohere.com${path}`), method: 'POST', headers: new Headers(), body });

type Event = { type: string } & Record<string, unknown>;

function stream(events: readonly Event[]) {
  const reader = cohere.stream!({
    status: 200,
    headers: new Headers(),
    request: { ...request, stream: true },
    url: new URL('https://api.cohere.com/v2/chat'),
  });
  const outcomes = events.map((json) => reader.event({ type: json.type, json }));
  return { reader, outcomes, result: reader.result() };
}

/** Faults that reading has counted. */
function faulty<T>(read: () => T): [T, boolean] {
  takeFaults();
  const value = read();
  return [value, takeFaults()];
}

const usage = {
  billed_units: { input_tokens: 7, output_tokens: 109 },
  tokens: { input_tokens: 69, output_tokens: 110 },
  cached_tokens: 64,
};
const call = (id: string, name: string) => ({ id, type: 'function', function: { name, arguments: '{}' } });
const chat = (calls: unknown[] = []) => ({
  id: 'c-1',
  finish_reason: calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE',
  message: { role: 'assistant', content: [{ type: 'text', text: 'Hi' }], tool_calls: calls },
  usage,
});

describe('match', () => {
  it.each([
    ['https://api.cohere.com/v2/chat', 'chat'],
    ['https://api.cohere.ai/v1/chat', 'chat'],
    ['https://api.cohere.com/v2/embed', 'embed'],
    ['https://api.cohere.com/v2/rerank', 'rerank'],
    ['https://api.cohere.com/v1/generate', 'text_completion'],
    ['https://api.cohere.ai/compatibility/v1/chat/completions', 'chat'],
    ['https://api.cohere.ai/compatibility/v1/embeddings', 'embed'],
    ['https://api.cohere.com/v2/tokenize', undefined],
    ['https://api.cohere.com/v1/models', undefined],
    ['https://shop.example/v2/chat', undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match('https://api.cohere.com/v2/chat', 'GET')).toBeUndefined();
  });
});

describe('request', () => {
  it('reads the parameters of a chat', () => {
    const body = {
      model: 'command-a-03-2025',
      stream: true,
      max_tokens: 9,
      temperature: 0.3,
      p: 0.9,
      k: 40,
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      stop_sequences: ['end'],
    };
    expect(ask(body)).toEqual({
      model: 'command-a-03-2025',
      stream: true,
      maxTokens: 9,
      parameters: {
        'gen_ai.request.max_tokens': 9,
        'gen_ai.request.temperature': 0.3,
        'gen_ai.request.top_p': 0.9,
        'gen_ai.request.top_k': 40,
        'gen_ai.request.seed': 7,
        'gen_ai.request.frequency_penalty': 0.1,
        'gen_ai.request.presence_penalty': 0.2,
        'gen_ai.request.stop_sequences': ['end'],
        'gen_ai.request.stream': true,
      },
    });
  });

  it('reads those of embeddings, and nothing of what is no request', () => {
    expect(ask({ model: 'embed-v4.0', output_dimension: 512, embedding_types: ['float', 1] }, '/v2/embed')).toEqual({
      model: 'embed-v4.0',
      stream: false,
      parameters: { 'gen_ai.embeddings.dimension.count': 512, 'gen_ai.request.encoding_formats': ['float'] },
    });
    for (const body of [undefined, null, [], 'x', { temperature: '1', stop_sequences: [3], stream: 'yes' }]) {
      expect(ask(body)).toEqual({ stream: false, parameters: {} });
    }
  });

  it('reads the format of OpenAI where that is spoken', () => {
    expect(ask({ model: 'command-r7b', top_p: 0.5 }, '/compatibility/v1/chat/completions')).toMatchObject({
      model: 'command-r7b',
      parameters: { 'gen_ai.request.top_p': 0.5, 'openai.api.type': 'chat_completions' },
    });
  });
});

describe('response', () => {
  it('counts what is billed, and keeps what was consumed apart', () => {
    expect(respond(chat([call('t1', 'get_weather')]))).toEqual({
      id: 'c-1',
      usage: { input: 7, output: 109, cacheRead: 64 },
      finishReasons: ['TOOL_CALL'],
      toolCalls: [{ id: 't1', name: 'get_weather' }],
      attributes: {
        'edgespan.usage.consumed_input_tokens': 69,
        'edgespan.usage.consumed_output_tokens': 110,
      },
    });
  });

  it('takes what was consumed where nothing is billed', () => {
    const { billed_units: _, ...rest } = usage;
    expect(respond({ ...chat(), usage: rest }).usage).toEqual({ input: 69, output: 110, cacheRead: 64 });
  });

  // https://docs.cohere.com/reference/embed
  it('reads embeddings of either version', () => {
    const meta = { api_version: { version: '2' }, billed_units: { input_tokens: 208 } };
    const expected = { id: 'e', usage: { input: 208 }, attributes: { 'gen_ai.embeddings.dimension.count': 3 } };
    expect(respond({ id: 'e', embeddings: { float: [[1, 2, 3]] }, meta }, '/v2/embed')).toEqual(expected);
    expect(respond({ id: 'e', embeddings: { int8: [[1, 2, 3]] }, meta }, '/v2/embed')).toEqual(expected);
    expect(respond({ id: 'e', embeddings: [[1, 2, 3]], meta }, '/v1/embed')).toEqual(expected);
  });

  // https://docs.cohere.com/reference/rerank: priced by the search, https://cohere.com/pricing
  it('counts the searches of a ranking', () => {
    const json = {
      id: 'r',
      results: [{ index: 0, relevance_score: 0.9 }],
      meta: { billed_units: { search_units: 3 } },
    };
    const [response, fault] = faulty(() => respond(json, '/v2/rerank'));
    expect(response).toEqual({ id: 'r', usage: { requests: 3 } });
    expect(fault).toBe(false);
  });

  // https://docs.cohere.com/v1/reference/chat
  it('reads a chat of the first version', () => {
    const json = {
      response_id: 'r-1',
      text: 'Hi',
      finish_reason: 'COMPLETE',
      tool_calls: [{ name: 'search', parameters: {} }],
      meta: { billed_units: { input_tokens: 5, output_tokens: 6 }, tokens: { input_tokens: 50, output_tokens: 6 } },
    };
    expect(respond(json, '/v1/chat')).toMatchObject({
      id: 'r-1',
      usage: { input: 5, output: 6 },
      finishReasons: ['COMPLETE'],
      toolCalls: [{ name: 'search' }],
    });
  });

  // https://docs.cohere.com/reference/errors
  it.each([
    [401, { message: 'invalid api token' }, { type: '401', message: 'invalid api token' }],
    [429, { id: 'x', message: 'trial key' }, { type: '429', message: 'trial key' }],
    [500, {}, { type: '500' }],
  ])('an error of status %d', (status, json, error) => {
    expect(respond(json, '/v2/chat', status)).toEqual({ error });
  });
});

const start: Event = { type: 'message-start', id: 'c-1', delta: { message: { role: 'assistant', tool_calls: [] } } };
const text = (part: string): Event => ({
  type: 'content-delta',
  index: 0,
  delta: { message: { content: { text: part } } },
});
const callStart = (tool_calls: unknown): Event => ({ type: 'tool-call-start', delta: { message: { tool_calls } } });
const end = (delta: object): Event => ({ type: 'message-end', delta });

describe('stream', () => {
  it('marks the first token and the end', () => {
    const events = [start, { type: 'content-start' }, text('Hi'), end({ finish_reason: 'COMPLETE', usage })];
    expect(stream(events).outcomes).toEqual([undefined, undefined, 'content', 'end']);
  });

  it('leaves events of text alone when nothing depends on them', () => {
    const { reader } = stream([]);
    expect(reader.matters!('{"type":"content-delta"}', 'content-delta')).toBe(false);
    expect(reader.matters!('{"type":"tool-call-delta"}', 'tool-call-delta')).toBe(false);
    expect(reader.matters!('{"type":"tool-call-start"}', 'tool-call-start')).toBe(true);
    expect(reader.matters!('{"type":"content-delta"}', undefined)).toBe(true);
  });

  it('gives what the unstreamed call gives', () => {
    const count = fc.nat(1e6);
    const counts = fc.record({ input_tokens: count, output_tokens: count });
    const arbitrary = fc.record({
      id: fc.uuid(),
      texts: fc.array(fc.string()),
      calls: fc.array(fc.record({ id: fc.uuid(), name: fc.stringMatching(/^[a-z_]{1,9}$/) }), { maxLength: 3 }),
      reason: fc.constantFrom('COMPLETE', 'MAX_TOKENS', 'TOOL_CALL', 'STOP_SEQUENCE'),
      billed_units: counts,
      tokens: counts,
      cached_tokens: fc.option(count, { nil: undefined }),
    });
    fc.assert(
      fc.property(arbitrary, ({ id, texts, calls, reason, ...wire }) => {
        const tool_calls = calls.map((one) => call(one.id, one.name));
        const message = { role: 'assistant', content: [{ type: 'text', text: texts.join('') }], tool_calls };
        const whole = respond({ id, finish_reason: reason, message, usage: wire });
        const { result } = stream([
          { type: 'message-start', id },
          ...texts.map(text),
          ...tool_calls.map(callStart),
          end({ finish_reason: reason, usage: wire }),
        ]);
        expect(result).toEqual(whole);
        expect(whole.usage?.input).toBe(wire.billed_units.input_tokens);
      }),
    );
  });

  it('reads an error at the end', () => {
    const { result } = stream([start, text('Hi'), end({ finish_reason: 'ERROR', error: 'model overloaded' })]);
    expect(result).toEqual({
      id: 'c-1',
      finishReasons: ['ERROR'],
      error: { type: 'error', message: 'model overloaded' },
    });
  });

  it('says that it was cut off', () => {
    const [cut, fault] = faulty(() => stream([start, text('Hi')]).result);
    expect(cut).toEqual({ id: 'c-1', finishReasons: ['error'] });
    expect(fault).toBe(false);
    expect(stream([]).result).toEqual({});
  });

  it('reads the end of a stream of the first version', () => {
    const { outcomes, result } = stream([
      { type: 'text-generation', event_type: 'text-generation', text: 'Hi' },
      {
        type: 'stream-end',
        event_type: 'stream-end',
        finish_reason: 'COMPLETE',
        response: { response_id: 'r', text: 'Hi', meta: { billed_units: { input_tokens: 1, output_tokens: 2 } } },
      },
    ]);
    expect(outcomes).toEqual(['content', 'end']);
    expect(result).toEqual({ id: 'r', usage: { input: 1, output: 2 }, finishReasons: ['COMPLETE'] });
  });
});

describe('what should not be', () => {
  it.each<[string, unknown, LlmResponse['usage']]>([
    ['no usage', undefined, undefined],
    ['usage of another type', 'many', undefined],
    ['counts of other types', { billed_units: { input_tokens: '7', output_tokens: -1 } }, undefined],
    ['half a count', { billed_units: { input_tokens: 7.5, output_tokens: 3 } }, { output: 3 }],
    ['other names', { billed: { input: 7 } }, undefined],
  ])('%s is a fault and no number', (_, wire, expected) => {
    const [response, fault] = faulty(() => respond({ ...chat(), usage: wire }));
    expect(response.usage).toEqual(expected);
    expect(fault).toBe(true);
  });

  it('a whole reply is none', () => {
    expect(faulty(() => respond(chat()))[1]).toBe(false);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (json, events) => {
        expect(() => respond(json)).not.toThrow();
        const types = ['message-start', 'tool-call-start', 'message-end', 'stream-end', 'content-delta'];
        expect(() =>
          stream(events.map((value, i) => ({ ...(value as object), type: types[i % types.length]! }))),
        ).not.toThrow();
      }),
    );
  });
});

describe('values of the SDK, which spells names its own way', () => {
  const value = {
    id: 'c-1',
    finishReason: 'COMPLETE',
    message: { role: 'assistant', toolCalls: [call('t1', 'get_weather')] },
    usage: {
      billedUnits: { inputTokens: 7, outputTokens: 109 },
      tokens: { inputTokens: 69, outputTokens: 110 },
      cachedTokens: 64,
    },
  };

  it('are known and read', () => {
    expect(cohere.accepts!(value)).toBe(true);
    expect(cohere.read!(value)).toMatchObject({
      id: 'c-1',
      usage: { input: 7, output: 109, cacheRead: 64 },
      finishReasons: ['COMPLETE'],
      toolCalls: [{ name: 'get_weather' }],
    });
  });

  it('of others are left alone', () => {
    const openai = { object: 'chat.completion', choices: [{ message: { role: 'assistant', content: 'Hi' } }] };
    for (const other of [openai, {}, null, 'x', [value]]) expect(cohere.accepts!(other)).toBe(false);
  });
});
