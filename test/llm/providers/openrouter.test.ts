import { describe, expect, it } from 'vitest';
import { openrouter } from '../../../src/llm/providers/openrouter.ts';
import { expectChatTwins, expectUnshakable, frames, readReply, typedFrames } from './replies.ts';

/**
 * https://openrouter.ai/docs/use-cases/usage-accounting, https://openrouter.ai/docs/api/reference/errors-and-debugging
 * and the schemas of https://openrouter.ai/docs/api/api-reference
 */
const url = 'https://openrouter.ai/api/v1/chat/completions';
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const choice = { index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' };
const completion = (over: object = {}) => ({ id: 'gen-1', model: 'openai/gpt-5', choices: [choice], usage, ...over });
const chat = (over: object = {}) => readReply(openrouter, { url, body: JSON.stringify(completion(over)) });
const cost = (fields: object) => chat({ usage: { ...usage, ...fields } });

describe('match', () => {
  it.each([
    ['https://openrouter.ai/api/v1/chat/completions', 'chat'],
    ['https://openrouter.ai/api/v1/presets/mine/chat/completions', 'chat'],
    ['https://openrouter.ai/api/v1/responses', 'chat'],
    ['https://openrouter.ai/api/v1/messages', 'chat'],
    ['https://openrouter.ai/api/v1/presets/mine/messages', 'chat'],
    ['https://openrouter.ai/api/v1/completions', 'text_completion'],
    ['https://openrouter.ai/api/v1/embeddings', 'embed'],
    ['https://openrouter.ai/api/v1/generation', undefined],
    ['https://openrouter.ai.example.com/api/v1/chat/completions', undefined],
    ['https://api.openai.com/v1/chat/completions', undefined],
  ])('%s is %s', (address, operation) => {
    expect(openrouter.match({ url: new URL(address), method: 'POST' })).toBe(operation);
    expect(openrouter.match({ url: new URL(address), method: 'GET' })).toBeUndefined();
  });

  it('names itself as the convention does', () => {
    expect(openrouter.name).toBe('openrouter');
    expect(openrouter.semconvName ?? openrouter.name).toBe('openrouter');
  });
});

it('reads the request by its format', () => {
  const ask = (path: string, body: unknown) =>
    openrouter.request({ url: new URL(path, url), method: 'POST', headers: new Headers(), body });
  const body = { model: 'openai/gpt-5', stream: true, max_tokens: 9, reasoning: { effort: 'high' } };
  expect(ask('/api/v1/chat/completions', body)).toMatchObject({
    model: 'openai/gpt-5',
    stream: true,
    maxTokens: 9,
    parameters: { 'gen_ai.request.reasoning.level': 'high' },
  });
  const message = { model: 'anthropic/claude', max_tokens: 5, stop_sequences: ['x'] };
  expect(ask('/api/v1/messages', message).parameters).toEqual({
    'gen_ai.request.max_tokens': 5,
    'gen_ai.request.stop_sequences': ['x'],
  });
});

it('never asks for usage, which always comes', () => {
  const body = { model: 'm', stream: true };
  const request = { url: new URL(url), method: 'POST', headers: new Headers(), body };
  expect(openrouter.includeUsage!(request)).toBeUndefined();
});

describe('cost', () => {
  it.each<[string, object, number | undefined, number]>([
    ['is what is charged', { cost: 0.25, is_byok: false }, 0.25, 0],
    ['does not add what is already in it', { cost: 0.25, cost_details: { upstream_inference_cost: 0.25 } }, 0.25, 0],
    [
      'of a key of one’s own is the fee and what the vendor behind takes',
      { cost: 0.25, is_byok: true, cost_details: { upstream_inference_cost: 5 } },
      5.25,
      0,
    ],
    [
      'of a key of one’s own is unknown without the vendor’s part',
      { cost: 0, is_byok: true, cost_details: { upstream_inference_cost: null } },
      undefined,
      0,
    ],
    ['of a free model is 0', { cost: 0 }, 0, 0],
    ['is unknown where it is absent', {}, undefined, 0],
    ['is unknown where it is null', { cost: null }, undefined, 0],
    ['is a fault where it is text', { cost: '0.25' }, undefined, 1],
    ['is a fault where it is negative', { cost: -1 }, undefined, 1],
  ])('%s', (_, fields, expected, parseErrors) => {
    const reading = cost(fields);
    expect(reading.response.costUsd).toBe(expected);
    expect(reading.parseErrors).toBe(parseErrors);
  });
});

describe('a reply', () => {
  it('names who served and why that stopped', () => {
    const reply = { provider: 'Google', choices: [{ ...choice, native_finish_reason: 'STOP' }] };
    expect(chat(reply).response.attributes).toEqual({
      'edgespan.upstream': 'Google',
      'openrouter.native_finish_reason': 'STOP',
    });
  });

  it('names who served by its metadata', () => {
    const available = [
      { provider: 'Azure', model: 'm', selected: false },
      { provider: 'OpenAI', model: 'm', selected: true },
    ];
    const { response } = chat({ openrouter_metadata: { endpoints: { available, total: 2 } } });
    expect(response.attributes).toEqual({ 'edgespan.upstream': 'OpenAI' });
  });

  it('has cache writes, searches, and more reasoning than output where the wire has', () => {
    const { response, parseErrors } = cost({
      prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 3, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 6 },
      server_tool_use_details: { web_search_requests: 2, tool_calls_requested: 2 },
    });
    const expected = { input: 10, output: 5, cacheRead: 4, cacheWrite: 3, reasoning: 6, webSearches: 2 };
    expect(response.usage).toEqual({ ...expected, total: 15, audioInput: 0 });
    expect(parseErrors).toBe(0);
  });

  it('that lost its usage, or renamed it, is one parse error and has none', () => {
    for (const fields of [{ usage: undefined }, { usage: { promptTokens: 5 } }]) {
      const { response, parseErrors } = chat(fields);
      expect(response.usage).toBeUndefined();
      expect(parseErrors).toBe(1);
    }
  });

  it('of embeddings has its cost', () => {
    const body = JSON.stringify({
      object: 'list',
      model: 'openai/text-embedding-3-small',
      data: [{ object: 'embedding', index: 0, embedding: [1, 2, 3] }],
      usage: { prompt_tokens: 8, total_tokens: 8, cost: 0.001 },
    });
    const reading = readReply(openrouter, { url: 'https://openrouter.ai/api/v1/embeddings', body });
    expect(reading).toMatchObject({
      parseErrors: 0,
      response: { usage: { input: 8 }, costUsd: 0.001, attributes: { 'gen_ai.embeddings.dimension.count': 3 } },
    });
  });

  it.each([
    [402, { code: 402, message: 'No credits' }, { type: '402', code: '402', message: 'No credits' }],
    [
      429,
      { code: 429, message: 'Slow', metadata: { error_type: 'rate_limit_exceeded' } },
      { type: 'rate_limit_exceeded', code: '429', message: 'Slow' },
    ],
  ])('of status %i says why', (status, error, expected) => {
    const reading = readReply(openrouter, { url, status, body: JSON.stringify({ error, user_id: 'u' }) });
    expect(reading.response.error).toEqual(expected);
    expect(reading.parseErrors).toBe(0);
  });
});

describe('a stream', () => {
  const chunk = (delta: object, more: object = {}, rest: object = {}) => ({
    id: 'gen-1',
    provider: 'OpenAI',
    model: 'openai/gpt-5',
    choices: [{ index: 0, delta, finish_reason: null, native_finish_reason: null, ...more }],
    ...rest,
  });

  it('agrees with its unstreamed twin', () => {
    expectChatTwins(openrouter, url, {
      head: { provider: 'OpenAI', system_fingerprint: 'fp' },
      choice: { native_finish_reason: 'completed' },
      usage: ({ input, output, cached, reasoning }) => ({
        prompt_tokens: input,
        completion_tokens: output,
        cost: input / 1000,
        is_byok: input % 2 === 0,
        cost_details: { upstream_inference_cost: output / 1000 },
        prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: reasoning },
        server_tool_use_details: { web_search_requests: 1 },
      }),
    });
  });

  it('keeps a reason whose native word is null', () => {
    const body = frames(
      chunk({ content: 'a' }),
      chunk({ content: 'b' }, { finish_reason: 'length', native_finish_reason: null }),
    );
    expect(readReply(openrouter, { url, body }).response.finishReasons).toEqual(['length']);
  });

  it('that fails keeps what it told by then', () => {
    const error = { code: 502, message: 'Upstream gone', metadata: { error_type: 'provider_unavailable' } };
    const body = frames(
      chunk({ content: 'a' }),
      chunk({ content: '' }, { finish_reason: 'error' }, { error, usage: { ...usage, cost: 0.5 } }),
    );
    const { response } = readReply(openrouter, { url, body: `: OPENROUTER PROCESSING\n\n${body}` });
    expect(response).toMatchObject({
      error: { type: 'provider_unavailable', code: '502', message: 'Upstream gone' },
      finishReasons: ['error'],
      usage: { input: 10, output: 5 },
      costUsd: 0.5,
      attributes: { 'edgespan.upstream': 'OpenAI' },
    });
  });

  it('repeats its reason beside its usage, which counts once', () => {
    const body = frames(
      chunk({ content: 'a' }),
      chunk({}, { finish_reason: 'stop' }),
      chunk({ content: '' }, { finish_reason: 'stop' }, { usage: { ...usage, cost: 0.5 } }),
    );
    expect(readReply(openrouter, { url, body }).response).toMatchObject({ finishReasons: ['stop'], costUsd: 0.5 });
  });
});

it('Responses agree, streamed or not', () => {
  const head = { id: 'gen-1', object: 'response', model: 'openai/gpt-5' };
  const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' };
  const whole = {
    ...head,
    status: 'completed',
    output: [{ type: 'web_search_call', action: { type: 'search' } }, call],
    error: null,
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 15,
      cost: 0.25,
      is_byok: true,
      cost_details: { upstream_inference_cost: 1 },
      server_tool_use_details: { web_search_requests: 3 },
    },
  };
  const address = 'https://openrouter.ai/api/v1/responses';
  const unstreamed = readReply(openrouter, { url: address, body: JSON.stringify(whole) });
  const events = [
    { type: 'response.created', response: { ...head, status: 'in_progress', output: [], usage: null } },
    { type: 'response.output_text.delta', delta: 'a' },
    { type: 'response.completed', response: whole },
  ];
  const streamed = readReply(openrouter, { url: address, body: typedFrames(...events) });
  expect(streamed.response).toEqual(unstreamed.response);
  expect(unstreamed.response).toEqual({
    id: 'gen-1',
    model: 'openai/gpt-5',
    usage: { input: 10, output: 5, cacheRead: 4, cacheWrite: 2, reasoning: 1, total: 15, webSearches: 3 },
    finishReasons: ['completed'],
    toolCalls: [{ id: 'call_1', name: 'f' }],
    costUsd: 1.25,
  });
  expect([unstreamed.parseErrors, streamed.parseErrors]).toEqual([0, 0]);
});

it('Responses that fail have OpenRouter’s word for it', () => {
  const response = { id: 'gen-1', status: 'failed', error: { code: 'server_error', message: 'm' }, usage: null };
  const body = typedFrames(
    { type: 'response.created', response: { id: 'gen-1', status: 'in_progress' } },
    { type: 'response.failed', response: { ...response, error_type: 'provider_overloaded' } },
  );
  const reading = readReply(openrouter, { url: 'https://openrouter.ai/api/v1/responses', body });
  expect(reading.response).toMatchObject({
    finishReasons: ['failed'],
    error: { type: 'provider_overloaded', code: 'server_error', message: 'm' },
  });
});

it('Anthropic’s messages agree, streamed or not, and have their cost', () => {
  const head = { id: 'gen-1', type: 'message', role: 'assistant', model: 'anthropic/claude', provider: 'Anthropic' };
  const tool = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} };
  const counts = { input_tokens: 10, cache_read_input_tokens: 4, output_tokens: 5 };
  const paid = { cost: 0.25, is_byok: false, cost_details: { upstream_inference_cost: 0.25 } };
  const whole = { ...head, content: [tool], stop_reason: 'tool_use', usage: { ...counts, ...paid } };
  const address = 'https://openrouter.ai/api/v1/messages';
  const unstreamed = readReply(openrouter, { url: address, body: JSON.stringify(whole) });
  const streamed = readReply(openrouter, {
    url: address,
    body: typedFrames(
      { type: 'message_start', message: { ...head, content: [], usage: { ...counts, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: tool },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta' } },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5, ...paid } },
      { type: 'message_stop' },
    ),
  });
  expect(streamed.response).toEqual(unstreamed.response);
  expect(unstreamed.response).toEqual({
    id: 'gen-1',
    model: 'anthropic/claude',
    usage: { input: 14, cacheRead: 4, output: 5 },
    finishReasons: ['tool_use'],
    toolCalls: [{ id: 'toolu_1', name: 'f' }],
    costUsd: 0.25,
    attributes: { 'edgespan.upstream': 'Anthropic' },
  });
  expect(streamed).toMatchObject({ contents: 1, ends: 1, parseErrors: 0 });
});

it.each(['chat/completions', 'responses', 'messages'])('no JSON of %s shakes it', (path) => {
  expectUnshakable(openrouter, `https://openrouter.ai/api/v1/${path}`);
});
