import { describe, expect, it } from 'vitest';
import { perplexity } from '../../../src/llm/providers/perplexity.ts';
import { replayJson } from './replay.ts';
import { expectChatTwins, expectUnshakable, frames, readReply, typedFrames } from './replies.ts';

/** https://docs.perplexity.ai/api-reference/chat-completions-post and https://docs.perplexity.ai/api-reference/ */
const url = 'https://api.perplexity.ai/chat/completions';
const agentUrl = 'https://api.perplexity.ai/v1/responses';
const choice = { index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' };
const cost = { input_tokens_cost: 0.001, output_tokens_cost: 0.002, request_cost: 0.005, total_cost: 0.008 };
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, search_context_size: 'low', cost };
const chat = (counts: object = usage) =>
  readReply(perplexity, { url, body: JSON.stringify({ id: 'p1', model: 'sonar', choices: [choice], usage: counts }) });

describe('match', () => {
  it.each([
    ['https://api.perplexity.ai/chat/completions', 'chat'],
    ['https://api.perplexity.ai/v1/chat/completions', 'chat'],
    ['https://api.perplexity.ai/v1/sonar', 'chat'],
    ['https://api.perplexity.ai/v1/responses', 'chat'],
    ['https://api.perplexity.ai/v1/agent', 'chat'],
    ['https://api.perplexity.ai/v1/embeddings', 'embed'],
    ['https://api.perplexity.ai/v1/contextualizedembeddings', 'embed'],
    ['https://api.perplexity.ai/async/chat/completions', undefined],
    ['https://api.perplexity.ai/v1/async/sonar', undefined],
    ['https://api.perplexity.ai/v1/async/chat/completions', undefined],
    ['https://api.perplexity.ai/search', undefined],
    ['https://api.perplexity.ai/v1/responses/resp_1/cancel', undefined],
    ['https://example.com/chat/completions', undefined],
  ])('%s is %s', (address, operation) => {
    expect(perplexity.match({ url: new URL(address), method: 'POST' })).toBe(operation);
  });
});

it('reads the request', () => {
  const body = { model: 'sonar-pro', max_tokens: 9, stream: true, reasoning_effort: 'low' };
  expect(perplexity.request({ url: new URL(url), method: 'POST', headers: new Headers(), body })).toMatchObject({
    model: 'sonar-pro',
    stream: true,
    maxTokens: 9,
    parameters: { 'gen_ai.request.reasoning.level': 'low' },
  });
});

describe('a reply', () => {
  it('has the cost that Perplexity reports, and its searches', () => {
    const { response, parseErrors } = chat({ ...usage, num_search_queries: 3, citation_tokens: 200 });
    expect(response).toEqual({
      id: 'p1',
      model: 'sonar',
      usage: { input: 10, output: 5, total: 15, webSearches: 3 },
      costUsd: 0.008,
      attributes: { 'perplexity.citation_tokens': 200 },
      finishReasons: ['stop'],
    });
    expect(parseErrors).toBe(0);
  });

  it.each([
    ['that no total has', 15],
    ['that the total has', 85],
  ])('counts reasoning %s to the output', (_, total_tokens) => {
    const { response } = chat({ ...usage, total_tokens, reasoning_tokens: 70 });
    expect(response.usage).toEqual({ input: 10, output: 75, reasoning: 70, total: total_tokens });
  });

  it('leaves unknown what is null, and counts what is no number as one parse error', () => {
    const nothing = { citation_tokens: null, num_search_queries: null, reasoning_tokens: null, cost: null };
    expect(chat({ ...usage, ...nothing }).response).toEqual({
      id: 'p1',
      model: 'sonar',
      usage: { input: 10, output: 5, total: 15 },
      finishReasons: ['stop'],
    });
    const wrong = chat({ ...usage, num_search_queries: '3', cost: { total_cost: '1' } });
    expect(wrong.response.usage).toEqual({ input: 10, output: 5, total: 15 });
    expect(wrong.response.costUsd).toBeUndefined();
    expect(wrong.parseErrors).toBe(1);
  });

  it('without usage is one parse error', () => {
    const { response, parseErrors } = readReply(perplexity, { url, body: JSON.stringify({ choices: [choice] }) });
    expect(response.usage).toBeUndefined();
    expect(parseErrors).toBe(1);
  });

  it('that failed says why', () => {
    const error = { message: 'Invalid model', type: 'invalid_model', code: 400 };
    const reading = readReply(perplexity, { url, status: 400, body: JSON.stringify({ error }) });
    expect(reading.response.error).toEqual({ type: 'invalid_model', code: '400', message: 'Invalid model' });
  });

  it('of embeddings has its cost', () => {
    const body = JSON.stringify({
      object: 'list',
      model: 'pplx-embed',
      data: [{ object: 'embedding', index: 0, embedding: 'AAAA' }],
      usage: { prompt_tokens: 8, total_tokens: 8, cost: { input_cost: 0.001, total_cost: 0.001, currency: 'USD' } },
    });
    expect(readReply(perplexity, { url: 'https://api.perplexity.ai/v1/embeddings', body })).toMatchObject({
      parseErrors: 0,
      response: { usage: { input: 8 }, costUsd: 0.001 },
    });
  });

  // https://docs.perplexity.ai/docs/embeddings/best-practices
  it.each([
    ['int8', '/v1/embeddings', undefined, 128],
    ['int8', '/v1/embeddings', 'base64_int8', 128],
    ['packed bits', '/v1/embeddings', 'base64_binary', 1024],
    ['int8 in their context', '/v1/contextualizedembeddings', undefined, 128],
  ])('of embeddings as %s at %s has its dimensions', (_, path, encoding_format, dimensions) => {
    const part = { object: 'embedding', index: 0, embedding: Buffer.alloc(128).toString('base64') };
    const data = path.includes('context') ? [{ index: 0, data: [part, part] }] : [part];
    const json = { object: 'list', model: 'pplx-embed', data, usage: { prompt_tokens: 8, total_tokens: 8 } };
    const request = { model: 'pplx-embed', input: ['a'], encoding_format };
    const reading = replayJson(perplexity, `https://api.perplexity.ai${path}`, json, { request });
    expect(reading.response).toMatchObject({
      usage: { input: 8 },
      attributes: { 'gen_ai.embeddings.dimension.count': dimensions },
    });
    expect(reading.parseErrors).toBe(0);
  });
});

describe('a stream', () => {
  const chunk = (
    content: string,
    completion_tokens: number,
    rest: object = {},
    finish_reason: string | null = null,
  ) => ({
    id: 'p1',
    model: 'sonar',
    object: 'chat.completion.chunk',
    usage: { ...usage, completion_tokens, cost: undefined },
    choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason }],
    ...rest,
  });
  const done = { object: 'chat.completion.done', usage };

  it('agrees with its unstreamed twin, whatever usage its chunks have', () => {
    expectChatTwins(perplexity, url, {
      head: { citations: ['https://example.com'] },
      cumulative: true,
      usage: ({ input, output, reasoning }) => ({
        prompt_tokens: input,
        completion_tokens: output,
        total_tokens: input + output,
        reasoning_tokens: reasoning,
        num_search_queries: 2,
        citation_tokens: 4,
        cost: { total_cost: input / 1000 },
      }),
    });
  });

  it('has usage that grows: the last counts', () => {
    const reading = readReply(perplexity, {
      url,
      body: frames(chunk('a', 1), chunk('b', 2), chunk('', 5, done, 'stop')),
    });
    expect(reading.response).toMatchObject({ usage: { input: 10, output: 5, total: 15 }, costUsd: 0.008 });
    expect(reading).toMatchObject({ contents: 1, ends: 1, parseErrors: 0 });
  });

  it('ends with its last object, with or without a terminator', () => {
    const body = frames(chunk('a', 1), chunk('', 5, done, 'stop'));
    for (const text of [body, body.replace('data: [DONE]\n\n', '')]) {
      const reading = readReply(perplexity, { url, body: text });
      expect(reading).toMatchObject({ ends: 1, parseErrors: 0, response: { finishReasons: ['stop'] } });
    }
  });

  it('that breaks off keeps the usage up to there', () => {
    const [first] = frames(chunk('a', 1)).split('\n\n');
    const { response, ends } = readReply(perplexity, { url, body: `${first}\n\n` });
    expect(response).toMatchObject({ usage: { input: 10, output: 1 }, finishReasons: ['error'] });
    expect(response.costUsd).toBeUndefined();
    expect(ends).toBe(0);
  });
});

it('the agent’s Responses agree, streamed or not', () => {
  const head = { id: 'resp_1', object: 'response', model: 'openai/gpt-5', created_at: 1 };
  const whole = {
    ...head,
    status: 'completed',
    output: [
      { type: 'search_results', queries: ['q'], results: [] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    ],
    usage: {
      input_tokens: 10,
      output_tokens: 5,
      total_tokens: 15,
      input_tokens_details: { cache_read_input_tokens: 4, cache_creation_input_tokens: 2 },
      tool_calls_details: { search_web: { invocation: 2 }, fetch_url: { invocation: 1 } },
      cost: { currency: 'USD', input_cost: 0.1, output_cost: 0.2, tool_calls_cost: 0.1, total_cost: 0.4 },
    },
  };
  const unstreamed = readReply(perplexity, { url: agentUrl, body: JSON.stringify(whole) });
  const body = typedFrames(
    { type: 'response.created', sequence_number: 0, response: { ...head, status: 'in_progress', output: [] } },
    { type: 'response.reasoning.started', sequence_number: 1 },
    { type: 'response.reasoning.search_queries', sequence_number: 2, queries: ['q'], usage: { input_tokens: 1 } },
    { type: 'response.output_text.delta', sequence_number: 3, delta: 'Hi' },
    { type: 'response.completed', sequence_number: 4, response: whole },
  );
  const streamed = readReply(perplexity, { url: agentUrl, body });
  expect(streamed.response).toEqual(unstreamed.response);
  expect(unstreamed.response).toEqual({
    id: 'resp_1',
    model: 'openai/gpt-5',
    usage: { input: 10, output: 5, cacheRead: 4, cacheWrite: 2, total: 15, webSearches: 2 },
    finishReasons: ['completed'],
    toolCalls: [{ id: 'c', name: 'f' }],
    costUsd: 0.4,
  });
  expect(streamed).toMatchObject({ contents: 1, ends: 1, parseErrors: 0 });
});

it.each([url, agentUrl])('no JSON of %s shakes it', (address) => {
  expectUnshakable(perplexity, address);
});
