import { describe, expect, it } from 'vitest';
import { fireworks } from '../../../src/llm/providers/fireworks.ts';
import { expectChatTwins, expectUnshakable, frames, readReply, typedFrames } from './replies.ts';

/**
 * Exchanges as documented in https://docs.fireworks.ai/api-reference/post-chatcompletions,
 * https://docs.fireworks.ai/api-reference/creates-an-embedding-vector-representing-the-input-text,
 * https://docs.fireworks.ai/guides/prompt-caching,
 * https://docs.fireworks.ai/faq-new/models-inference/how-to-get-performance-metrics-for-streaming-responses,
 * https://docs.fireworks.ai/guides/inference-error-codes and
 * https://docs.fireworks.ai/tools-sdks/anthropic-compatibility
 */
const url = 'https://api.fireworks.ai/inference/v1/chat/completions';
const model = 'accounts/fireworks/models/deepseek-v3p1';
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const choice = { index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' };
const chat = (over: object, headers: Record<string, string> = {}) =>
  readReply(fireworks, { url, headers, body: JSON.stringify({ id: 'f', model, choices: [choice], usage, ...over }) });

describe('match', () => {
  it.each([
    ['https://api.fireworks.ai/inference/v1/chat/completions', 'chat'],
    ['https://us.api.fireworks.ai/inference/v1/chat/completions', 'chat'],
    ['https://api.fireworks.ai/inference/v1/responses', 'chat'],
    ['https://api.fireworks.ai/inference/v1/messages', 'chat'],
    ['https://api.fireworks.ai/inference/v1/completions', 'text_completion'],
    ['https://api.fireworks.ai/inference/v1/embeddings', 'embed'],
    ['https://api.fireworks.ai/v1/accounts/a/models', undefined],
    ['https://fireworks.ai/inference/v1/chat/completions', undefined],
  ])('%s is %s', (address, operation) => {
    expect(fireworks.match({ url: new URL(address), method: 'POST' })).toBe(operation);
  });
});

describe('chat', () => {
  it('agrees, streamed or not', () => {
    expectChatTwins(fireworks, url, {
      usage: ({ input, output, cached }) => ({
        prompt_tokens: input,
        completion_tokens: output,
        total_tokens: input + output,
        prompt_tokens_details: { cached_tokens: cached },
      }),
    });
  });

  it('has the usage of the body before that of the headers', () => {
    const headers = { 'fireworks-prompt-tokens': '99', 'fireworks-cached-prompt-tokens': '98' };
    const details = { prompt_tokens_details: { cached_tokens: 4 } };
    const { response } = chat({ usage: { ...usage, ...details } }, headers);
    expect(response.usage).toEqual({ input: 10, output: 5, total: 15, cacheRead: 4 });
  });

  it('has the cached tokens of the headers where the body does not say', () => {
    const { response, parseErrors } = chat({}, { 'fireworks-cached-prompt-tokens': '8' });
    expect(response.usage).toEqual({ input: 10, output: 5, total: 15, cacheRead: 8 });
    expect(parseErrors).toBe(0);
  });

  it('has the prompt of the headers where there is no usage, which is one parse error', () => {
    const { response, parseErrors } = chat({ usage: undefined }, { 'fireworks-prompt-tokens': '10' });
    expect(response.usage).toEqual({ input: 10 });
    expect(parseErrors).toBe(1);
  });

  it.each(['', 'many', '-1', '1.5', '1e3', '99999999999999999999'])('has no count of the header %j', (value) => {
    expect(chat({}, { 'fireworks-cached-prompt-tokens': value }).response.usage).toEqual({
      input: 10,
      output: 5,
      total: 15,
    });
  });

  it('streams with metrics in their last chunk', () => {
    const head = { id: 'f', model, object: 'chat.completion.chunk' };
    const metrics = { 'prompt-tokens': '10', 'cached-prompt-tokens': '8', 'server-time-to-first-token': '0.021' };
    const reading = readReply(fireworks, {
      url,
      headers: { 'fireworks-server-time-to-first-token': '0.021' },
      body: frames(
        { ...head, choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: null }], usage: null },
        { ...head, choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }], usage: null },
        { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage, perf_metrics: metrics },
      ),
    });
    expect(reading.response).toEqual({
      id: 'f',
      model,
      usage: { input: 10, output: 5, total: 15, cacheRead: 8 },
      finishReasons: ['stop'],
    });
    expect(reading).toMatchObject({ contents: 1, ends: 1, parseErrors: 0 });
  });

  it.each([
    [404, { message: 'Model not found', object: 'error', type: 'invalid_request_error', code: 'NOT_FOUND' }],
    [429, { message: 'Too many', object: 'error', type: 'rate_limit_error', code: 'RATE_LIMIT' }],
  ])('that failed with %i says why and has no usage', (status, error) => {
    const body = JSON.stringify({ error });
    const { response } = readReply(fireworks, { url, status, body, headers: { 'fireworks-prompt-tokens': '9' } });
    const { type, code, message } = error;
    expect(response).toEqual({ error: { type, code, message } });
  });
});

it('embeddings', () => {
  const body = {
    object: 'list',
    model: 'nomic',
    data: [{ embedding: [1, 2] }],
    usage: { prompt_tokens: 3, total_tokens: 3 },
  };
  const address = 'https://api.fireworks.ai/inference/v1/embeddings';
  expect(readReply(fireworks, { url: address, body: JSON.stringify(body) })).toMatchObject({
    parseErrors: 0,
    response: { usage: { input: 3, total: 3 }, attributes: { 'gen_ai.embeddings.dimension.count': 2 } },
  });
});

it('Anthropic’s messages', () => {
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model };
  const content = [{ type: 'tool_use', id: 't', name: 'f', input: {} }];
  const whole = { ...head, content, stop_reason: 'tool_use', usage: { input_tokens: 10, output_tokens: 5 } };
  const address = 'https://api.fireworks.ai/inference/v1/messages';
  const body = typedFrames(
    { type: 'message_start', message: { ...head, content: [], usage: { input_tokens: 10, output_tokens: 0 } } },
    { type: 'content_block_start', index: 0, content_block: content[0] },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  );
  const { response } = readReply(fireworks, { url: address, body });
  expect(response).toEqual(readReply(fireworks, { url: address, body: JSON.stringify(whole) }).response);
  expect(response).toMatchObject({ usage: { input: 10, output: 5 }, toolCalls: [{ id: 't', name: 'f' }] });
});

it('no JSON shakes it', () => {
  expectUnshakable(fireworks, url);
});
