import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/llm/providers/anthropic.ts';

const match = (url: string, method = 'POST') => anthropic.match({ url: new URL(url), method });
const reply = {
  status: 200,
  headers: new Headers(),
  request: { provider: 'anthropic', model: 'm', operation: 'chat', stream: true },
};
const usageOf = (usage: unknown) => anthropic.response({ type: 'message', content: [], usage }, reply).usage;

function stream(events: readonly { type: string }[]) {
  const reader = anthropic.stream!(reply);
  const outcomes = events.map((json) => reader.event({ type: json.type, json }));
  return { outcomes, result: reader.result() };
}

const start = (id: string, usage: object) => ({ type: 'message_start', message: { id, model: 'claude', usage } });

describe('match', () => {
  it.each([
    ['https://api.anthropic.com/v1/messages', 'chat'],
    ['https://api.anthropic.com/v1/messages?beta=true', 'chat'],
    ['https://proxy.internal/anthropic/v1/messages', 'chat'],
    ['https://api.anthropic.com/v1/messages/count_tokens?beta=true', 'count_tokens'],
    ['https://api.anthropic.com/v1/messages/batches', undefined],
    ['https://api.anthropic.com/v1/models', undefined],
    ['https://chat.example/messages', undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match('https://api.anthropic.com/v1/messages', 'GET')).toBeUndefined();
  });
});

it('request reads the parameters', () => {
  const body = {
    model: 'claude',
    max_tokens: 9,
    temperature: 0,
    top_p: 1,
    top_k: 4,
    stop_sequences: ['x'],
    stream: true,
    output_config: { effort: 'high' },
  };
  expect(
    anthropic.request({ url: new URL('https://a.example'), method: 'POST', headers: new Headers(), body }),
  ).toEqual({
    model: 'claude',
    stream: true,
    maxTokens: 9,
    parameters: {
      'gen_ai.request.max_tokens': 9,
      'gen_ai.request.temperature': 0,
      'gen_ai.request.top_p': 1,
      'gen_ai.request.top_k': 4,
      'gen_ai.request.stop_sequences': ['x'],
      'gen_ai.request.stream': true,
      'gen_ai.request.reasoning.level': 'high',
    },
  });
});

describe('usage', () => {
  it('adds cache reads and writes to the input', () => {
    const usage = {
      input_tokens: 3,
      output_tokens: 9,
      cache_read_input_tokens: 10,
      cache_creation_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 60, ephemeral_1h_input_tokens: 40 },
      output_tokens_details: { thinking_tokens: 4 },
      server_tool_use: { web_search_requests: 2 },
    };
    expect(usageOf(usage)).toEqual({
      input: 113,
      cacheRead: 10,
      cacheWrite: 100,
      cacheWrite1h: 40,
      output: 9,
      reasoning: 4,
      webSearches: 2,
    });
  });

  it('says nothing of what is not there', () => {
    expect(usageOf(undefined)).toBeUndefined();
    expect(usageOf({})).toBeUndefined();
    expect(usageOf({ input_tokens: 1, cache_read_input_tokens: null, output_tokens: -1 })).toEqual({ input: 1 });
  });

  it('adds compactions, which the counts leave out, and no other iteration', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 100, output_tokens: 10, cache_read_input_tokens: 5 },
      { type: 'message', input_tokens: 7, output_tokens: 1 },
      { type: 'advisor_message', input_tokens: 1000, output_tokens: 1000 },
    ];
    expect(usageOf({ input_tokens: 7, output_tokens: 1, iterations })).toEqual({
      input: 112,
      cacheRead: 5,
      output: 11,
    });
  });
});

describe('a stream', () => {
  it('marks text, thinking and tool input as content, signatures and citations not', () => {
    const delta = (type: string) => ({ type: 'content_block_delta', index: 0, delta: { type } });
    const types = ['signature_delta', 'text_delta', 'thinking_delta', 'input_json_delta', 'citations_delta'];
    expect(stream(types.map(delta)).outcomes).toEqual([undefined, 'content', 'content', 'content', undefined]);
    expect(stream([{ type: 'ping' }, { type: 'message_stop' }]).outcomes).toEqual([undefined, 'end']);
  });

  it('lets later counts replace earlier ones, up or down, and keeps them over null', () => {
    const { result } = stream([
      start('a', { input_tokens: 2, cache_read_input_tokens: 50, output_tokens: 1 }),
      {
        type: 'message_delta',
        ...{
          delta: { stop_reason: 'end_turn' },
          usage: { input_tokens: null, cache_read_input_tokens: 0, output_tokens: 7 },
        },
      },
    ]);
    expect(result).toEqual({
      id: 'a',
      model: 'claude',
      usage: { input: 2, cacheRead: 0, output: 7 },
      finishReasons: ['end_turn'],
    });
  });

  it('takes a repeated start for the same message, another id for another', () => {
    const tool = { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f' } };
    const first = start('a', { input_tokens: 2, output_tokens: 1 });
    const repeated = stream([first, tool, start('a', { input_tokens: 3 })]).result;
    expect(repeated).toMatchObject({ usage: { input: 3, output: 1 }, toolCalls: [{ id: 't', name: 'f' }] });
    const other = stream([first, tool, start('b', { input_tokens: 3 })]).result;
    expect(other).toEqual({ id: 'b', model: 'claude', usage: { input: 3 }, finishReasons: ['error'] });
  });

  it('may fail with status 200', () => {
    const error = { type: 'error', ...{ error: { type: 'overloaded_error', message: 'm' }, request_id: 'r' } };
    expect(stream([start('a', {}), error]).result).toEqual({
      id: 'a',
      model: 'claude',
      finishReasons: ['error'],
      error: { type: 'overloaded_error', message: 'm' },
    });
    expect(stream([error]).result).toEqual({ error: { type: 'overloaded_error', message: 'm' } });
  });
});

it('counts the tools of the application, not those of the server', () => {
  const content = [
    { type: 'server_tool_use', id: 's', name: 'web_search' },
    { type: 'tool_use', id: 't', name: 'f' },
  ];
  expect(anthropic.response({ type: 'message', content }, reply).toolCalls).toEqual([{ id: 't', name: 'f' }]);
});

it('names the model that answered in place of another', () => {
  const content = [{ type: 'fallback', from: { model: 'a' }, to: { model: 'b' } }];
  expect(anthropic.response({ type: 'message', model: 'a', content }, reply)).toEqual({
    model: 'a',
    attributes: { 'edgespan.pricing.model': 'b', 'edgespan.fallback.from': 'a' },
  });
});

it('accepts a message and nothing else', () => {
  expect(anthropic.accepts!({ type: 'message', role: 'assistant', content: [] })).toBe(true);
  expect(anthropic.accepts!({ type: 'message', role: 'user', content: [] })).toBe(false);
  expect(anthropic.accepts!({ choices: [] })).toBe(false);
});
