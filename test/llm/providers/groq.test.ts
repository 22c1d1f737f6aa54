import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groq } from '../../../src/llm/providers/groq.ts';
import { anyCuts, anyText, count, expectNeverThrows, expectTwins, replayJson, replaySse } from './replay.ts';

const url = 'https://api.groq.com/openai/v1/chat/completions';
const match = (href: string, method = 'POST') => groq.match({ url: new URL(href), method });
const usage = {
  queue_time: 0.005,
  prompt_tokens: 30,
  prompt_time: 0.01,
  completion_tokens: 20,
  completion_time: 0.1,
  total_tokens: 50,
  total_time: 0.11,
  completion_tokens_details: { reasoning_tokens: 8 },
  prompt_tokens_details: { cached_tokens: 16 },
};
const times = {
  'groq.queue_time': 0.005,
  'groq.prompt_time': 0.01,
  'groq.completion_time': 0.1,
  'groq.total_time': 0.11,
};
const counted = { input: 30, cacheRead: 16, output: 20, reasoning: 8, total: 50 };
const chunk = (delta: object, finish_reason: string | null = null, rest: object = {}) => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  ...rest,
});
const completion = (rest: object = {}) => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, message: { content: 'a', reasoning: 'r' }, finish_reason: 'stop' }],
  usage,
  ...rest,
});

describe('match', () => {
  it.each([
    [url, 'chat'],
    ['https://api.groq.com/openai/v1/responses', 'chat'],
    ['https://api.groq.com/openai/v1/embeddings', 'embed'],
    ['https://api.groq.com/openai/v1/audio/transcriptions', undefined],
    ['https://api.groq.com/openai/v1/models', undefined],
    ['https://groq.internal/openai/v1/chat/completions', undefined],
  ])('%s is %s', (href, operation) => {
    expect(match(href)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match(url, 'GET')).toBeUndefined();
  });
});

describe('whole replies', () => {
  it('say how long they took', () => {
    const x_groq = { id: 'req', usage: { dram_cached_tokens: 7, sram_cached_tokens: 9 } };
    const { response, parseErrors } = replayJson(groq, url, completion({ x_groq }));
    expect(response).toEqual({ id: 'c', model: 'm', finishReasons: ['stop'], usage: counted, attributes: times });
    expect(parseErrors).toBe(0);
  });

  it('do not take what the cache’s hardware did for a usage', () => {
    const x_groq = { usage: { dram_cached_tokens: 7 } };
    const { response, parseErrors } = replayJson(groq, url, completion({ usage: undefined, x_groq }));
    expect(response.usage).toBeUndefined();
    expect(parseErrors).toBe(1);
  });

  it('of a compound system are priced as the one model behind, if it is one', () => {
    const part = (model: string) => ({ model, usage });
    const serving = (...models: string[]) =>
      replayJson(groq, url, completion({ usage_breakdown: { models: models.map(part) } })).response.attributes;
    expect(serving('llama-4')).toEqual({ ...times, 'edgespan.pricing.model': 'llama-4' });
    expect(serving('llama-4', 'gpt-oss')).toEqual(times);
    expect(serving()).toEqual(times);
  });

  it.each<[string, unknown]>([
    ['no usage', undefined],
    ['renamed', { inputs: 1 }],
    ['text for a count', { ...usage, prompt_tokens: '30' }],
    ['a negative count', { ...usage, completion_tokens: -20 }],
  ])('%s: unknown, and counted once', (_, usage) => {
    const { response, parseErrors } = replayJson(groq, url, completion({ usage }));
    expect(parseErrors).toBe(1);
    expect([30, undefined]).toContain(response.usage?.input);
    expect([20, undefined]).toContain(response.usage?.output);
  });

  it('with times of another type have none', () => {
    const odd = { prompt_tokens: 1, completion_tokens: 2, queue_time: '0.1', total_time: null };
    expect(replayJson(groq, url, completion({ usage: odd })).response.attributes).toBeUndefined();
  });
});

describe('streams', () => {
  it('of a compound system are priced as the one model behind, too', () => {
    const usage_breakdown = { models: [{ model: 'llama-4', usage }] };
    const last = chunk({}, 'stop', { x_groq: { id: 'req', usage, usage_breakdown } });
    const { response } = replaySse(groq, url, [chunk({ content: 'a' }), last, '[DONE]']);
    expect(response.attributes).toEqual({ ...times, 'edgespan.pricing.model': 'llama-4' });
  });

  it('bring their usage unasked, in one place or the other or both, and it is taken once', () => {
    const start = chunk({ role: 'assistant', content: '' }, null, { x_groq: { id: 'req' } });
    for (const last of [{ x_groq: { usage } }, { usage }, { x_groq: { usage }, usage }]) {
      const { response } = replaySse(groq, url, [start, chunk({ content: 'a' }), chunk({}, 'stop', last), '[DONE]']);
      expect(response).toEqual({ id: 'c', model: 'm', finishReasons: ['stop'], usage: counted, attributes: times });
    }
    const request = { url: new URL(url), method: 'POST', headers: new Headers(), body: { stream: true } };
    expect(groq.includeUsage?.(request)).toBeUndefined();
  });

  it('may say what the cache’s hardware did, which is no usage', () => {
    const first = chunk({ content: 'a' }, null, { x_groq: { usage: { dram_cached_tokens: 7 } } });
    const { response, parseErrors } = replaySse(groq, url, [first, chunk({}, 'stop', { usage }), '[DONE]']);
    expect(response.usage).toEqual(counted);
    expect(parseErrors).toBe(0);
  });

  it('begin with the reasoning', () => {
    const first = chunk({ role: 'assistant', content: '' });
    expect(replaySse(groq, url, [first]).contents).toBe(0);
    expect(replaySse(groq, url, [first, chunk({ reasoning: 'We', channel: 'analysis' })]).contents).toBe(1);
  });

  it('fail by an event after the status of success', () => {
    const error = { message: 'm', type: 'invalid_request_error', code: 'tool_use_failed', status_code: 400 };
    const { response, ends } = replaySse(groq, url, [chunk({ content: 'a' }), ['error', { error }]]);
    expect(response.error).toEqual({ type: 'invalid_request_error', code: 'tool_use_failed', message: 'm' });
    expect(response.usage).toBeUndefined();
    expect(ends).toBe(0);
  });

  it.each([
    ['over_capacity', 'over_capacity'],
    ['The model is over its capacity.', 'error'],
  ])('stop early, and say why beside the text: %s', (error, type) => {
    const late = chunk({ content: 'b' }, null, { x_groq: { id: 'req', error } });
    const { response } = replaySse(groq, url, [chunk({ content: 'a' }), late]);
    expect(response.error).toEqual({ type, message: error });
  });

  it('give what the unstreamed call gives', () => {
    const call = fc.record({ id: fc.constantFrom('a', 'b'), name: fc.constantFrom('f', 'g') });
    fc.assert(
      fc.property(
        count,
        count,
        fc.array(anyText),
        fc.array(call, { maxLength: 3 }),
        anyCuts,
        (input, output, texts, calls, cuts) => {
          const usage = {
            queue_time: 0.1,
            prompt_tokens: input,
            completion_tokens: output,
            total_tokens: input + output,
          };
          const head = { id: 'c', model: 'm', system_fingerprint: 'fp' };
          const toolCalls = calls.map(({ id, name }, index) => ({ id, index, function: { name, arguments: '{}' } }));
          const message = { content: texts.join(''), tool_calls: toolCalls };
          const json = { ...head, choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
          const events = [
            { ...chunk({ role: 'assistant', content: '' }, null, head), x_groq: { id: 'req', seed: 1 } },
            ...texts.map((content) => chunk({ content }, null, head)),
            ...toolCalls.map((call) => chunk({ tool_calls: [call] }, null, head)),
            chunk({}, 'stop', { ...head, x_groq: { id: 'req', usage }, usage }),
            '[DONE]',
          ];
          expectTwins(groq, url, json, events, cuts);
        },
      ),
    );
  });

  it('never throws', () => {
    expectNeverThrows(groq, url, ['response.created', 'response.completed']);
  });
});
