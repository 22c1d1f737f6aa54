import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xai } from '../../../src/llm/providers/xai.ts';
import { anyCuts, anyText, count, expectNeverThrows, expectTwins, replayJson, replaySse } from './replay.ts';

const url = 'https://api.x.ai/v1/chat/completions';
const responses = 'https://api.x.ai/v1/responses';
const match = (href: string, method = 'POST') => xai.match({ url: new URL(href), method });
const chat = (usage: unknown) => ({
  id: 'c',
  model: 'grok-4',
  choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }],
  usage,
});

describe('match', () => {
  it.each([
    [url, 'chat'],
    [responses, 'chat'],
    ['https://api.x.ai/v1/messages', 'chat'],
    ['https://us-east-1.api.x.ai/v1/chat/completions', 'chat'],
    ['https://api.x.ai/v1/embeddings', 'embed'],
    ['https://api.x.ai/v1/completions', 'text_completion'],
    ['https://api.x.ai/v1/images/generations', undefined],
    ['https://api.x.ai/v1/tokenize-text', undefined],
    ['https://x.ai/v1/chat/completions', undefined],
    ['https://fakeapi.x.ai/v1/chat/completions', undefined],
  ])('%s is %s', (href, operation) => {
    expect(match(href)).toBe(operation);
  });

  it('only takes POST, and has the convention’s name', () => {
    expect(match('https://api.x.ai/v1/chat/deferred-completion/1', 'GET')).toBeUndefined();
    expect(xai.semconvName).toBe('x_ai');
  });
});

// https://docs.x.ai/docs/guides/deferred-chat-completions
it('what is deferred has nothing to say yet, which is no fault', () => {
  const submitted = { request_id: 'f15c114e-f47d-40ca-8d5c-8c23d656eeb6' };
  const ask = (body: object) =>
    replayJson(xai, url, submitted, { request: { model: 'grok-4', messages: [], ...body } });
  expect(ask({ deferred: true })).toMatchObject({ response: {}, parseErrors: 0 });
  expect(ask({ deferred: false }).parseErrors).toBe(1);
});

describe('usage', () => {
  it('adds the reasoning that chat completions leave out, and has the reported cost', () => {
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 1,
      total_tokens: 303,
      prompt_tokens_details: { cached_tokens: 11 },
      completion_tokens_details: { reasoning_tokens: 290 },
      num_sources_used: 4,
      cost_in_usd_ticks: 1_466_250,
    };
    const { response } = replayJson(xai, url, chat(usage));
    expect(response.usage).toEqual({ input: 12, cacheRead: 11, output: 291, reasoning: 290, total: 303 });
    expect(response.costUsd).toBe(0.000146625);
  });

  it('leaves the output of Responses, which has it, and counts the searches that were billed', () => {
    const json = {
      id: 'r',
      object: 'response',
      model: 'grok-4',
      status: 'completed',
      output: [{ type: 'web_search_call', action: { type: 'search' } }],
      usage: {
        input_tokens: 100,
        output_tokens: 50,
        total_tokens: 150,
        output_tokens_details: { reasoning_tokens: 30 },
        server_side_tool_usage_details: { web_search_calls: 3, x_search_calls: 2 },
        cost_in_usd_ticks: 20_000_000_000,
      },
    };
    const { response } = replayJson(xai, responses, json);
    expect(response.usage).toEqual({ input: 100, output: 50, reasoning: 30, total: 150, webSearches: 3 });
    expect(response.costUsd).toBe(2);
  });

  it('may be cached beyond the prompt: it stays as it was said', () => {
    const usage = {
      prompt_tokens: 5,
      completion_tokens: 1,
      total_tokens: 6,
      prompt_tokens_details: { cached_tokens: 8 },
    };
    expect(replayJson(xai, url, chat(usage)).response.usage).toMatchObject({ input: 5, cacheRead: 8 });
  });

  it.each(['37756000', -1, 1.5, {}])('a cost of %j is unknown, and counted once', (cost_in_usd_ticks) => {
    const usage = { prompt_tokens: 5, completion_tokens: 1, cost_in_usd_ticks };
    const { response, parseErrors } = replayJson(xai, url, chat(usage));
    expect(response.costUsd).toBeUndefined();
    expect(response.usage).toEqual({ input: 5, output: 1 });
    expect(parseErrors).toBe(1);
  });

  it('a cost of 0 is known', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 1, cost_in_usd_ticks: 0 };
    expect(replayJson(xai, url, chat(usage)).response.costUsd).toBe(0);
  });
});

describe('streams', () => {
  it('of chats give what the unstreamed call gives', () => {
    fc.assert(
      fc.property(
        count,
        count,
        fc.nat(1000),
        count,
        fc.array(anyText),
        anyCuts,
        (input, text, reasoning, ticks, texts, cuts) => {
          const usage = {
            prompt_tokens: input,
            completion_tokens: text,
            total_tokens: input + text + reasoning,
            completion_tokens_details: { reasoning_tokens: reasoning },
            cost_in_usd_ticks: ticks,
          };
          const head = { id: 'c', model: 'grok-4', system_fingerprint: 'fp' };
          const json = { ...head, choices: [{ index: 0, message: { content: '' }, finish_reason: 'stop' }], usage };
          const chunk = (delta: object, rest: object = {}) => ({ ...head, choices: [{ index: 0, delta, ...rest }] });
          const events = [
            chunk({ role: 'assistant', reasoning_content: 'r' }),
            ...texts.map((content) => chunk({ content })),
            chunk({}, { finish_reason: 'stop' }),
            { ...head, choices: [], usage },
            '[DONE]',
          ];
          expectTwins(xai, url, json, events, cuts);
        },
      ),
    );
  });

  it('of Responses end by one of two names, with or without lines that say so', () => {
    const response = {
      id: 'r',
      object: 'response',
      model: 'grok-4',
      status: 'completed',
      output: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }],
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5, cost_in_usd_ticks: 10 },
    };
    const { response: whole } = replayJson(xai, responses, response);
    expect(whole).toMatchObject({ toolCalls: [{ id: 'c', name: 'f' }], costUsd: 1e-9, finishReasons: ['completed'] });
    for (const type of ['response.completed', 'response.done']) {
      const events: [string, { type: string }][] = [
        [
          'response.created',
          { type: 'response.created', ...{ response: { ...response, status: 'in_progress', usage: null } } },
        ],
        ['response.output_text.delta', { type: 'response.output_text.delta' }],
        [type, { type, ...{ response } }],
      ];
      const named = replaySse(xai, responses, events);
      const unnamed = replaySse(
        xai,
        responses,
        events.map(([, json]) => json),
      );
      for (const read of [named, unnamed])
        expect(read).toEqual({ response: whole, contents: 1, ends: 1, parseErrors: 0 });
    }
  });
});

describe('errors', () => {
  it.each([
    [
      { code: 'invalid-argument', error: 'Incorrect API key provided.' },
      { type: 'invalid-argument', code: 'invalid-argument', message: 'Incorrect API key provided.' },
    ],
    [{ error: 'Bad Gateway' }, { type: 'error', message: 'Bad Gateway' }],
    [
      { error: { message: 'm', type: 'invalid_request_error', code: 'c' } },
      { type: 'invalid_request_error', code: 'c', message: 'm' },
    ],
  ])('%j', (body, error) => {
    expect(replayJson(xai, url, body, { status: 400 }).response.error).toEqual(error);
  });

  it('inside a stream', () => {
    const event = { type: 'error', code: 'internal', message: 'm', param: null };
    const { response, ends } = replaySse(xai, responses, [['error', event]]);
    expect(response.error).toEqual({ type: 'internal', code: 'internal', message: 'm' });
    expect(ends).toBe(0);
  });

  it('never throws', () => {
    expectNeverThrows(xai, url);
    expectNeverThrows(xai, responses, ['response.created', 'response.done']);
  });
});

it('streams bring their usage unasked', () => {
  const request = { url: new URL(url), method: 'POST', headers: new Headers(), body: { stream: true } };
  expect(xai.includeUsage?.(request)).toBeUndefined();
});
