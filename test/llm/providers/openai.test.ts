import { describe, expect, it } from 'vitest';
import type { LlmRequest, LlmUsage } from '../../../src/llm/provider.ts';
import { openai } from '../../../src/llm/providers/openai.ts';
import { parseUsage } from '../../../src/llm/providers/openai-dialect.ts';

const match = (url: string, method = 'POST') => openai.match({ url: new URL(url), method });
const request = (body: unknown, path = '/v1/chat/completions') =>
  openai.request({ url: new URL(`https://api.openai.com${path}`), method: 'POST', headers: new Headers(), body });

function replyTo(parameters: LlmRequest['parameters'] = {}) {
  const request: LlmRequest = { provider: 'openai', model: 'm', operation: 'chat', stream: true, parameters };
  return { status: 200, headers: new Headers(), request };
}

const response = (json: unknown) => openai.response(json, replyTo());

function stream(events: readonly unknown[], parameters?: LlmRequest['parameters']) {
  const reader = openai.stream!(replyTo(parameters));
  const outcomes = events.map((json) => reader.event({ type: (json as { type?: string }).type, json }));
  return { reader, outcomes, result: reader.result() };
}

const delta = (index: number, delta: unknown, finish_reason: string | null = null) => ({
  choices: [{ index, delta, finish_reason }],
});

describe('match', () => {
  it.each([
    ['https://api.openai.com/v1/chat/completions', 'chat'],
    ['https://eu.api.openai.com/v1/responses', 'chat'],
    ['https://api.openai.com/v1/responses/compact', 'chat'],
    ['https://api.openai.com/v1/embeddings', 'embed'],
    ['https://llm.internal:8000/v1/completions', 'text_completion'],
    ['https://llm.internal/chat/completions?api-version=1', 'chat'],
    ['https://api.openai.com/v1/responses/resp_1/cancel', undefined],
    ['https://api.openai.com/v1/responses/input_tokens', undefined],
    ['https://api.openai.com/v1/models', undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match('https://api.openai.com/v1/chat/completions', 'GET')).toBeUndefined();
  });
});

describe('request', () => {
  it('reads the parameters', () => {
    const body = {
      model: 'gpt-5',
      max_completion_tokens: 9,
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      frequency_penalty: 1,
      presence_penalty: -1,
      seed: 7,
      stop: 'end',
      n: 2,
      stream: true,
      reasoning_effort: 'low',
      service_tier: 'flex',
    };
    expect(request(body)).toEqual({
      model: 'gpt-5',
      stream: true,
      maxTokens: 9,
      parameters: {
        'gen_ai.request.max_tokens': 9,
        'gen_ai.request.temperature': 0,
        'gen_ai.request.top_p': 0.5,
        'gen_ai.request.top_k': 3,
        'gen_ai.request.frequency_penalty': 1,
        'gen_ai.request.presence_penalty': -1,
        'gen_ai.request.seed': 7,
        'gen_ai.request.stop_sequences': ['end'],
        'gen_ai.request.choice.count': 2,
        'gen_ai.request.stream': true,
        'gen_ai.request.reasoning.level': 'low',
        'openai.request.service_tier': 'flex',
        'openai.api.type': 'chat_completions',
      },
    });
  });

  it('leaves out what is the default, absent or of another type', () => {
    const body = { model: '', n: 1, stream: false, service_tier: 'auto', temperature: '1', seed: null, stop: [1] };
    expect(request(body)).toEqual({ stream: false, parameters: { 'openai.api.type': 'chat_completions' } });
    expect(request(undefined, '/v1/embeddings')).toEqual({ stream: false, parameters: {} });
  });

  it('reads Responses and embeddings', () => {
    const responses = { model: 'o3', max_output_tokens: 5, reasoning: { effort: 'high' } };
    expect(request(responses, '/v1/responses').parameters).toEqual({
      'gen_ai.request.max_tokens': 5,
      'gen_ai.request.reasoning.level': 'high',
      'openai.api.type': 'responses',
    });
    expect(request({ dimensions: 256, encoding_format: 'base64' }, '/v1/embeddings').parameters).toEqual({
      'gen_ai.embeddings.dimension.count': 256,
      'gen_ai.request.encoding_formats': ['base64'],
    });
  });
});

describe('usage', () => {
  it.each<[string, unknown, LlmUsage | undefined]>([
    ['null', null, undefined],
    ['an empty object', {}, undefined],
    [
      'wrong types',
      { prompt_tokens: '5', completion_tokens: -1, total_tokens: Number.NaN, prompt_tokens_details: [] },
      undefined,
    ],
    ['a count of 0', { prompt_tokens: 0 }, { input: 0 }],
    [
      'reasoning inside the output',
      { prompt_tokens: 1, completion_tokens: 5, total_tokens: 6, completion_tokens_details: { reasoning_tokens: 3 } },
      { input: 1, output: 5, reasoning: 3, total: 6 },
    ],
    [
      'reasoning beside the output',
      { prompt_tokens: 1, completion_tokens: 5, total_tokens: 9, completion_tokens_details: { reasoning_tokens: 3 } },
      { input: 1, output: 8, reasoning: 3, total: 9 },
    ],
    [
      'reasoning at the top',
      { prompt_tokens: 1, completion_tokens: 5, total_tokens: 9, reasoning_tokens: 3 },
      { input: 1, output: 8, reasoning: 3, total: 9 },
    ],
  ])('%s', (_, wire, expected) => {
    expect(parseUsage(wire)).toEqual(expected);
  });
});

describe('a chat stream', () => {
  it('marks the first token, not the role, and reads no usage from null', () => {
    const { outcomes, result } = stream([
      { id: '', model: '', choices: [], prompt_filter_results: [] },
      { id: 'c', model: 'gpt', usage: null, ...delta(0, { role: 'assistant', content: '' }) },
      delta(0, { content: 'a' }),
      delta(0, { reasoning_content: 'b' }),
      delta(0, {}, 'stop'),
    ]);
    expect(outcomes).toEqual([undefined, undefined, 'content', 'content', undefined]);
    expect(result).toEqual({ id: 'c', model: 'gpt', finishReasons: ['stop'] });
  });

  it('lets later usage replace earlier field by field', () => {
    const { result } = stream([
      { usage: { prompt_tokens: 5, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 2 } } },
      { usage: { completion_tokens: 3, prompt_tokens: null } },
      { usage: null },
    ]);
    expect(result.usage).toEqual({ input: 5, cacheRead: 2, output: 3 });
  });

  it('tells tool calls apart by choice and index, whatever servers leave out', () => {
    const { result } = stream([
      delta(1, { tool_calls: [{ index: 1, id: 'b', function: { name: 'two', arguments: '' } }] }),
      delta(0, { tool_calls: [{ index: 1, id: 'a', function: { name: 'one', arguments: '' } }] }),
      delta(0, { tool_calls: [{ index: 1, function: { name: '', arguments: '{' } }] }),
      delta(0, { tool_calls: [{ index: 2, id: 'c', type: 'custom', custom: { name: 'three', input: '' } }] }),
      delta(2, { tool_calls: [{ id: 'd', function: { name: 'four' } }] }),
      delta(2, { tool_calls: [{ id: 'e', function: { name: 'five' } }] }),
    ]);
    expect(result.toolCalls?.map(({ name }) => name)).toEqual(['one', 'three', 'two', 'four', 'five']);
  });

  it('that is cut off has an error for each choice without a reason', () => {
    const events = [delta(1, { content: 'b' }), delta(0, { content: 'a' }), delta(1, {}, 'stop')];
    expect(stream(events).result.finishReasons).toEqual(['error', 'stop']);
    expect(stream([]).result).toEqual({});
  });

  it('may fail with status 200', () => {
    const { result } = stream([
      delta(0, { content: 'a' }),
      { error: { message: 'm', type: 'server_error', code: 500 } },
    ]);
    expect(result.error).toEqual({ type: 'server_error', code: '500', message: 'm' });
    // The error says why: no reason is made up.
    expect(result.finishReasons).toBeUndefined();
  });

  it('only parses what can matter, and all of several choices', () => {
    const { reader } = stream([delta(0, { content: 'a' })]);
    const text = (rest: object, reason: string | null = null) =>
      JSON.stringify({ ...delta(0, { content: 'x' }, reason), ...rest });
    expect(reader.matters!(text({ usage: null }), undefined)).toBe(false);
    expect(reader.matters!(text({ usage: { prompt_tokens: 1 } }), undefined)).toBe(true);
    expect(reader.matters!(text({}, 'stop'), undefined)).toBe(true);
    expect(reader.matters!(text({ error: {} }), undefined)).toBe(true);
    expect(reader.matters!(JSON.stringify(delta(0, { tool_calls: [{ index: 0 }] })), undefined)).toBe(true);
    const several = stream([delta(0, { content: 'a' })], { 'gen_ai.request.choice.count': 2 });
    expect(several.reader.matters!(text({}), undefined)).toBe(true);
  });
});

describe('Responses', () => {
  it('derives the reason of an incomplete one, and none of one that runs', () => {
    const incomplete = {
      object: 'response',
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    };
    expect(response(incomplete).finishReasons).toEqual(['max_output_tokens']);
    expect(response({ object: 'response', status: 'queued' }).finishReasons).toBeUndefined();
  });

  it('counts searches, not the pages opened', () => {
    const search = (type: string) => ({ type: 'web_search_call', action: { type } });
    const body = {
      object: 'response',
      output: [search('search'), search('open_page'), { type: 'web_search_call' }],
      usage: { input_tokens: 1 },
    };
    expect(response(body).usage).toEqual({ input: 1, webSearches: 2 });
  });

  it.each([
    [
      { type: 'error', code: 'server_error', message: 'm' },
      { type: 'server_error', code: 'server_error', message: 'm' },
    ],
    [
      { type: 'error', error: { type: 'server_error', code: 'x', message: 'm' } },
      { type: 'server_error', code: 'x', message: 'm' },
    ],
  ])('fails in the stream: %j', (event, error) => {
    const started = { type: 'response.created', response: { id: 'r', status: 'in_progress', usage: null } };
    const failed = {
      type: 'response.failed',
      response: { id: 'r', status: 'failed', error: { code: 'server_error' }, usage: null },
    };
    expect(stream([started, event]).result).toEqual({ id: 'r', finishReasons: ['error'], error });
    const { result, outcomes } = stream([started, event, failed]);
    expect(result).toEqual({ id: 'r', finishReasons: ['failed'], error });
    expect(outcomes.at(-1)).toBe('end');
  });

  it('keeps the tool calls of a stream that is cut off', () => {
    const { result } = stream([
      { type: 'response.created', response: { id: 'r', model: 'm', status: 'in_progress' } },
      { type: 'response.output_item.added', output_index: 0, item: { type: 'function_call', call_id: 'c', name: 'f' } },
    ]);
    expect(result).toEqual({ id: 'r', model: 'm', finishReasons: ['error'], toolCalls: [{ id: 'c', name: 'f' }] });
  });
});

describe('other replies', () => {
  it('reads embeddings as floats and as base64', () => {
    const body = (embedding: unknown) => ({
      object: 'list',
      model: 'e',
      data: [{ embedding }],
      usage: { prompt_tokens: 8, total_tokens: 8 },
    });
    const base64 = btoa(String.fromCharCode(...new Uint8Array(new Float32Array(5).buffer)));
    for (const embedding of [[1, 2, 3, 4, 5], base64]) {
      expect(response(body(embedding))).toEqual({
        model: 'e',
        usage: { input: 8, total: 8 },
        attributes: { 'gen_ai.embeddings.dimension.count': 5 },
      });
    }
  });

  it('reads the function calls of old models', () => {
    const message = { content: null, function_call: { name: 'f', arguments: '{}' } };
    expect(response({ choices: [{ message, finish_reason: 'function_call' }] }).toolCalls).toEqual([{ name: 'f' }]);
  });

  it('reads tier and fingerprint', () => {
    expect(response({ service_tier: 'default', system_fingerprint: 'fp', choices: [] }).attributes).toEqual({
      'openai.response.service_tier': 'default',
      'openai.response.system_fingerprint': 'fp',
    });
  });

  it.each([
    [{ error: 'overloaded' }, { type: 'error', message: 'overloaded' }],
    [{ error: { code: 'x' } }, { type: 'x', code: 'x' }],
    [{ error: null }, undefined],
  ])('error %j', (body, error) => {
    expect(response(body).error).toEqual(error);
  });
});

describe('accepts', () => {
  it.each([
    [{ choices: [{ message: { content: 'a' } }] }, true],
    [{ choices: [{ text: 'a' }] }, true],
    [{ object: 'response', output: [] }, true],
    [{ object: 'list', data: [{ embedding: [1] }] }, true],
    [{ object: 'list', data: [{ id: 'model' }] }, false],
    [{ choices: [] }, false],
    [null, false],
    ['text', false],
  ])('%j: %s', (value, expected) => {
    expect(openai.accepts!(value)).toBe(expected);
  });
});
