import { describe, expect, it } from 'vitest';
import { together } from '../../../src/llm/providers/together.ts';
import { expectChatTwins, expectUnshakable, frames, readReply } from './replies.ts';

/** https://docs.together.ai/reference/chat-completions, …/completions, …/embeddings */
const url = 'https://api.together.ai/v1/chat/completions';
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

describe('match', () => {
  it.each([
    ['https://api.together.xyz/v1/chat/completions', 'chat'],
    ['https://api.together.ai/v1/chat/completions', 'chat'],
    ['https://api.together.xyz/v1/completions', 'text_completion'],
    ['https://api.together.ai/v1/embeddings', 'embed'],
    ['https://api.together.ai/v1/images/generations', undefined],
    ['https://docs.together.ai/v1/chat/completions', undefined],
  ])('%s is %s', (address, operation) => {
    expect(together.match({ url: new URL(address), method: 'POST' })).toBe(operation);
  });
});

it('reads the request of each operation', () => {
  const read = (path: string, body: unknown) =>
    together.request({ url: new URL(path, url), method: 'POST', headers: new Headers(), body });
  expect(read('/v1/chat/completions', { model: 'm', top_k: 3, stop: ['x'] })).toEqual({
    model: 'm',
    stream: false,
    parameters: {
      'gen_ai.request.top_k': 3,
      'gen_ai.request.stop_sequences': ['x'],
      'openai.api.type': 'chat_completions',
    },
  });
  expect(read('/v1/embeddings', { model: 'bge', input: 'x' })).toEqual({ model: 'bge', stream: false, parameters: {} });
});

describe('chat', () => {
  it('agrees, streamed or not', () => {
    expectChatTwins(together, url, {
      choice: { seed: 15_092_511_270_073_158_000, text: '' },
      usage: ({ input, output, cached }) => ({
        prompt_tokens: input,
        completion_tokens: output,
        total_tokens: input + output,
        cached_tokens: cached,
      }),
    });
  });

  it('streams have usage without being asked', () => {
    const delta = { token_id: 1, role: 'assistant', content: 'Hi', tool_calls: null };
    const body = frames(
      { id: 't', model: 'm', choices: [{ index: 0, text: 'Hi', finish_reason: null, delta }], usage: null },
      { id: 't', model: 'm', choices: [{ index: 0, text: '', finish_reason: 'eos', delta: { content: '' } }], usage },
    );
    const reading = readReply(together, { url, body });
    expect(reading.response).toEqual({
      id: 't',
      model: 'm',
      usage: { input: 10, output: 5, total: 15 },
      finishReasons: ['eos'],
    });
    expect(reading).toMatchObject({ contents: 1, ends: 1, parseErrors: 0 });
    const request = { url: new URL(url), method: 'POST', headers: new Headers(), body: { model: 'm', stream: true } };
    expect(together.includeUsage!(request)).toBeUndefined();
  });

  it('that lost its usage is one parse error', () => {
    const choices = [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }];
    expect(readReply(together, { url, body: JSON.stringify({ choices }) }).parseErrors).toBe(1);
  });

  it('that failed says why', () => {
    const error = { message: 'Unable to access model x', type: 'invalid_request_error', code: 'model_not_available' };
    const body = JSON.stringify({ id: 'r', error: { ...error, param: null } });
    expect(readReply(together, { url, status: 404, body }).response).toEqual({ id: 'r', error });
    expect(readReply(together, { url, body: frames({ error }) }).response.error).toEqual(error);
  });
});

it('legacy completions, streamed or not', () => {
  const address = 'https://api.together.ai/v1/completions';
  const head = { id: 't', model: 'm' };
  const choices = [{ text: 'Paris', finish_reason: 'stop', seed: 1 }];
  const whole = JSON.stringify({ ...head, object: 'text.completion', prompt: [], choices, usage });
  const body = frames(
    { ...head, choices: [{ index: 0, text: 'Par', delta: { content: 'Par' }, finish_reason: null }], usage: null },
    { ...head, choices: [{ index: 0, text: 'is', delta: { content: 'is' }, finish_reason: 'stop' }], usage },
  );
  const unstreamed = readReply(together, { url: address, body: whole });
  const streamed = readReply(together, { url: address, body });
  expect(streamed.response).toEqual(unstreamed.response);
  expect(unstreamed.response).toMatchObject({ usage: { input: 10, output: 5 }, finishReasons: ['stop'] });
  expect([streamed.contents, streamed.parseErrors, unstreamed.parseErrors]).toEqual([1, 0, 0]);
});

describe('embeddings', () => {
  const read = (rest: object) =>
    readReply(together, {
      url: 'https://api.together.ai/v1/embeddings',
      body: JSON.stringify({ object: 'list', model: 'bge', data: [{ embedding: [1, 2] }], ...rest }),
    });

  it('have no usage, which is no fault of theirs', () => {
    const attributes = { 'gen_ai.embeddings.dimension.count': 2 };
    expect(read({})).toMatchObject({ response: { model: 'bge', attributes }, parseErrors: 0 });
    expect(read({}).response.usage).toBeUndefined();
  });

  it('have it where it is sent', () => {
    expect(read({ usage: { prompt_tokens: 3, total_tokens: 3 } }).response.usage).toEqual({ input: 3, total: 3 });
    expect(read({ usage: { prompt_tokens: '3' } })).toMatchObject({ parseErrors: 1 });
  });
});

it.each(['chat/completions', 'embeddings'])('no JSON of %s shakes it', (path) => {
  expectUnshakable(together, `https://api.together.xyz/v1/${path}`);
});
