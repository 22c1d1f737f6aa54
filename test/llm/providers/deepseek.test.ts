import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepseek } from '../../../src/llm/providers/deepseek.ts';
import { anyCuts, anyText, count, expectNeverThrows, expectTwins, replayJson, replaySse } from './replay.ts';

const url = 'https://api.deepseek.com/chat/completions';
const match = (href: string, method = 'POST') => deepseek.match({ url: new URL(href), method });
const usage = {
  prompt_tokens: 30,
  completion_tokens: 20,
  total_tokens: 50,
  completion_tokens_details: { reasoning_tokens: 12 },
  prompt_cache_hit_tokens: 10,
  prompt_cache_miss_tokens: 20,
};
const completion = (rest: object = {}) => ({
  id: 'c',
  object: 'chat.completion',
  model: 'deepseek-reasoner',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', reasoning_content: 'r', content: 'a' } }],
  usage,
  ...rest,
});

describe('match', () => {
  it.each([
    [url, 'chat'],
    ['https://api.deepseek.com/v1/chat/completions', 'chat'],
    ['https://api.deepseek.com/beta/chat/completions', 'chat'],
    ['https://api.deepseek.com/beta/completions', 'text_completion'],
    ['https://api.deepseek.com/responses', 'chat'],
    ['https://api.deepseek.com/anthropic/v1/messages', 'chat'],
    ['https://api.deepseek.com/user/balance', undefined],
    ['https://api.deepseek.com.evil.dev/chat/completions', undefined],
    ['https://deepseek.internal/chat/completions', undefined],
  ])('%s is %s', (href, operation) => {
    expect(match(href)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match(url, 'GET')).toBeUndefined();
  });
});

describe('replies', () => {
  it('count the cached prompt within the prompt, the reasoning within the output', () => {
    const { response, parseErrors } = replayJson(deepseek, url, completion());
    expect(response).toEqual({
      id: 'c',
      model: 'deepseek-reasoner',
      finishReasons: ['stop'],
      usage: { input: 30, cacheRead: 10, output: 20, reasoning: 12, total: 50 },
    });
    expect(parseErrors).toBe(0);
  });

  it('have a first token where the reasoning begins', () => {
    const chunk = (delta: object, finish_reason: string | null = null, usage: unknown = null) => ({
      id: 'c',
      choices: [{ index: 0, delta, finish_reason }],
      usage,
    });
    const first = [chunk({ role: 'assistant', content: null, reasoning_content: '' })];
    expect(replaySse(deepseek, url, first).contents).toBe(0);
    expect(replaySse(deepseek, url, [...first, chunk({ content: null, reasoning_content: 'H' })]).contents).toBe(1);
  });

  it('of Anthropic’s API are read as such', () => {
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'deepseek-chat',
      content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }],
      stop_reason: 'tool_use',
      usage: { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 3 },
    };
    const { response } = replayJson(deepseek, 'https://api.deepseek.com/anthropic/v1/messages', message);
    expect(response.usage).toEqual({ input: 7, cacheRead: 2, output: 3 });
    expect(response.toolCalls).toEqual([{ id: 't', name: 'f' }]);
  });

  it('agree, streamed or not', () => {
    fc.assert(
      fc.property(count, count, count, fc.array(anyText), anyCuts, (hit, miss, output, texts, cuts) => {
        const usage = {
          prompt_tokens: hit + miss,
          completion_tokens: output,
          total_tokens: hit + miss + output,
          prompt_cache_hit_tokens: hit,
          prompt_cache_miss_tokens: miss,
        };
        const head = { id: 'c', model: 'm', system_fingerprint: 'fp' };
        const message = { content: texts.join('') };
        const json = { ...head, choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
        const chunk = (delta: object, finish_reason: string | null = null, usage: unknown = null) => ({
          ...head,
          choices: [{ index: 0, delta, finish_reason }],
          usage,
        });
        const events = [...texts.map((content) => chunk({ content })), chunk({ content: '' }, 'stop', usage), '[DONE]'];
        expectTwins(deepseek, url, json, events, cuts);
      }),
    );
  });

  it.each([
    [
      { message: 'Authentication Fails', type: 'authentication_error', param: null, code: 'invalid_request_error' },
      401,
    ],
    [{ message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' }, 402],
  ])('may be errors: %j', (error, status) => {
    const { response, parseErrors } = replayJson(deepseek, url, { error }, { status });
    expect(response.error).toEqual({ type: error.type, code: error.code, message: error.message });
    expect(parseErrors).toBe(0);
  });
});

describe('what is missing or of another type is unknown and counted once', () => {
  it.each<[string, unknown]>([
    ['no usage', completion({ usage: undefined })],
    ['renamed', completion({ usage: { inputs: 1, outputs: 2 } })],
    ['text for counts', completion({ usage: { ...usage, prompt_tokens: '30', prompt_cache_hit_tokens: '10' } })],
    ['negative', completion({ usage: { ...usage, completion_tokens: -1 } })],
    ['a fraction', completion({ usage: { ...usage, prompt_cache_hit_tokens: 0.5 } })],
  ])('%s', (_, json) => {
    const { response, parseErrors } = replayJson(deepseek, url, json);
    expect(parseErrors).toBe(1);
    for (const value of Object.values(response.usage ?? {})) expect([30, 20, 50, 12, 10]).toContain(value);
    expect(response.finishReasons).toEqual(['stop']);
  });

  it('never throws', () => {
    expectNeverThrows(deepseek, url);
  });
});

it('streams are asked for their usage', () => {
  const ask = (body: unknown, href = url) =>
    deepseek.includeUsage!({ url: new URL(href), method: 'POST', headers: new Headers(), body });
  const body = { model: 'deepseek-chat', stream: true };
  expect(ask(body)).toEqual({ ...body, stream_options: { include_usage: true } });
  expect(ask(body, 'https://api.deepseek.com/anthropic/v1/messages')).toBeUndefined();
  expect(ask({ ...body, stream: false })).toBeUndefined();
});
