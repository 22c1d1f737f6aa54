import { describe, expect, it } from 'vitest';
import { cerebras } from '../../../src/llm/providers/cerebras.ts';
import { expectChatTwins, expectUnshakable, frames, readReply } from './replies.ts';

/**
 * Exchanges as documented in https://inference-docs.cerebras.ai/api-reference/chat-completions,
 * https://inference-docs.cerebras.ai/api-reference/completions, https://inference-docs.cerebras.ai/capabilities/streaming
 * and https://inference-docs.cerebras.ai/support/error
 */
const url = 'https://api.cerebras.ai/v1/chat/completions';
const timeInfo = { queue_time: 0.0001, prompt_time: 0.001, completion_time: 0.005, total_time: 0.02, created: 1 };
const usage = {
  prompt_tokens: 12,
  completion_tokens: 10,
  total_tokens: 22,
  prompt_tokens_details: { cached_tokens: 3 },
  completion_tokens_details: { accepted_prediction_tokens: 0, reasoning_tokens: 6 },
};
const head = { id: 'chatcmpl-1', model: 'gpt-oss-120b', system_fingerprint: 'fp' };
const timed = {
  'cerebras.queue_time': 0.0001,
  'cerebras.prompt_time': 0.001,
  'cerebras.completion_time': 0.005,
  'cerebras.total_time': 0.02,
};
const counted = { input: 12, output: 10, total: 22, cacheRead: 3, reasoning: 6 };

describe('match', () => {
  it.each([
    ['https://api.cerebras.ai/v1/chat/completions', 'chat'],
    ['https://api.cerebras.ai/v1/completions', 'text_completion'],
    ['https://api.cerebras.ai/v1/models', undefined],
    ['https://cloud.cerebras.ai/v1/chat/completions', undefined],
  ])('%s is %s', (address, operation) => {
    expect(cerebras.match({ url: new URL(address), method: 'POST' })).toBe(operation);
  });
});

describe('chat', () => {
  it('has its usage, reasoning inside of the output', () => {
    const message = { role: 'assistant', content: 'Hi', reasoning: 'A greeting.' };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    const reading = readReply(cerebras, {
      url,
      body: JSON.stringify({ ...head, choices, usage, time_info: timeInfo }),
    });
    expect(reading.response).toEqual({
      id: 'chatcmpl-1',
      model: 'gpt-oss-120b',
      usage: counted,
      attributes: { 'openai.response.system_fingerprint': 'fp', ...timed },
      finishReasons: ['stop'],
    });
    expect(reading.parseErrors).toBe(0);
  });

  it('agrees, streamed or not', () => {
    expectChatTwins(cerebras, url, {
      head: { system_fingerprint: 'fp' },
      usage: ({ input, output, cached, reasoning }) => ({
        prompt_tokens: input,
        completion_tokens: output,
        prompt_tokens_details: { cached_tokens: cached },
        completion_tokens_details: { reasoning_tokens: reasoning },
      }),
    });
  });

  it('streams reasoning first, and usage with the last chunk', () => {
    const chunk = (delta: object, rest: object = {}) => ({ ...head, choices: [{ delta, index: 0, ...rest }] });
    const body = frames(chunk({ role: 'assistant' }), chunk({ reasoning: 'A' }), chunk({ content: 'Hi' }), {
      ...chunk({}, { finish_reason: 'stop' }),
      usage,
      time_info: timeInfo,
    });
    const reading = readReply(cerebras, { url, body });
    expect(reading.response).toMatchObject({ usage: counted, finishReasons: ['stop'], attributes: timed });
    expect(reading).toMatchObject({ contents: 1, ends: 1, parseErrors: 0 });
  });

  it.each([
    [404, { message: 'Model does not exist', type: 'not_found_error', param: 'model', code: 'model_not_found' }],
    [401, { message: 'Wrong API Key', type: 'invalid_request_error', param: 'api_key', code: 'wrong_api_key' }],
    [429, { message: 'Too many', type: 'too_many_requests_error', param: 'quota', code: 'request_quota_exceeded' }],
  ])('that failed with %i says why in the body itself', (status, body) => {
    const { type, code, message } = body;
    const reading = readReply(cerebras, { url, status, body: JSON.stringify(body) });
    expect(reading.response).toEqual({ error: { type, code, message } });
    expect(reading.parseErrors).toBe(0);
  });

  it('that fails in its stream says why', () => {
    const chunk = { ...head, choices: [{ index: 0, delta: { content: 'Hi' } }] };
    const error = { message: 'Gone', type: 'server_error', code: 'internal' };
    const { response } = readReply(cerebras, { url, body: frames(chunk, { error, status_code: 500 }) });
    expect(response).toMatchObject({ id: 'chatcmpl-1', error });
  });

  it('that lost its usage is one parse error', () => {
    const choices = [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }];
    const { response, parseErrors } = readReply(cerebras, { url, body: JSON.stringify({ ...head, choices }) });
    expect([response.usage, parseErrors]).toEqual([undefined, 1]);
  });
});

it('legacy completions, streamed or not', () => {
  const address = 'https://api.cerebras.ai/v1/completions';
  const choices = [{ index: 0, text: 'Hello', finish_reason: 'length' }];
  const whole = JSON.stringify({ ...head, object: 'text_completion', choices, usage, time_info: timeInfo });
  const chunks = [
    { ...head, object: 'text_completion', choices: [{ index: 0, text: 'Hel' }] },
    {
      ...head,
      object: 'text_completion',
      choices: [{ index: 0, text: 'lo', finish_reason: 'length' }],
      usage,
      time_info: timeInfo,
    },
  ];
  const { response } = readReply(cerebras, { url: address, body: whole });
  expect(readReply(cerebras, { url: address, body: frames(...chunks) }).response).toEqual(response);
  expect(response).toMatchObject({ usage: counted, finishReasons: ['length'] });
});

it('no JSON shakes it', () => {
  expectUnshakable(cerebras, url);
});
