import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../../src/errors.ts';
import { openai } from '../../../src/llm/providers/openai.ts';
import { openaiCompatible } from '../../../src/llm/providers/openai-compatible.ts';
import { expectChatTwins, expectUnshakable, frames, readReply } from './replies.ts';

const url = 'https://ai.corp.internal/v1/chat/completions';
const server = openaiCompatible({ name: 'gateway', hosts: ['ai.corp.internal'] });
const match = (hosts: readonly string[], address: string) =>
  openaiCompatible({ name: 'x', hosts }).match({ url: new URL(address), method: 'POST' });

describe('hosts', () => {
  it.each([
    ['ai.corp.internal', 'https://ai.corp.internal/v1/chat/completions', true],
    ['ai.corp.internal', 'https://AI.corp.internal:8443/v1/chat/completions', true],
    ['AI.Corp.Internal', 'https://ai.corp.internal/v1/chat/completions', true],
    ['ai.corp.internal', 'https://x.ai.corp.internal/v1/chat/completions', false],
    ['ai.corp.internal', 'https://evilai.corp.internal/v1/chat/completions', false],
    ['*.corp.internal', 'https://a.b.corp.internal/v1/chat/completions', true],
    ['*.corp.internal', 'https://corp.internal/v1/chat/completions', false],
    ['*.corp.internal', 'https://evilcorp.internal/v1/chat/completions', false],
    [':8080', 'http://127.0.0.1:8080/v1/chat/completions', true],
    [':8080', 'http://127.0.0.1:8081/v1/chat/completions', false],
    ['localhost', 'http://localhost:1234/v1/chat/completions', true],
    ['127.0.0.1', 'http://127.0.0.1:8000/v1/chat/completions', true],
    ['[::1]', 'http://[::1]:8000/v1/chat/completions', true],
    ['bücher.example', 'https://xn--bcher-kva.example/v1/chat/completions', true],
  ])('%s and %s: %s', (host, address, expected) => {
    expect(match([host], address)).toBe(expected ? 'chat' : undefined);
  });

  it('may be several', () => {
    const hosts = ['a.example', ':9000'];
    expect(match(hosts, 'https://a.example/embeddings')).toBe('embed');
    expect(match(hosts, 'http://other.example:9000/v1/completions')).toBe('text_completion');
    expect(match(hosts, 'http://other.example/v1/completions')).toBeUndefined();
  });

  it('are asked before those who take any', () => {
    expect(server.priority ?? 0).toBeGreaterThan(openai.priority ?? 0);
  });
});

describe('set-up throws', () => {
  const make = (options: unknown) => () => openaiCompatible(options as { name: string; hosts: readonly string[] });

  it.each([
    [{ name: '', hosts: ['a'] }, 'name', 'a non-empty string'],
    [{ hosts: ['a'] }, 'name', 'a non-empty string'],
    [{ name: 5, hosts: ['a'] }, 'name', 'a non-empty string'],
    [{ name: 'x' }, 'hosts', '"ai.corp.internal"'],
    [{ name: 'x', hosts: [] }, 'hosts', '"*.corp.internal"'],
    [{ name: 'x', hosts: 'a.example' }, 'hosts', '":8080"'],
    [{ name: 'x', hosts: [undefined] }, 'hosts', 'hosts, as'],
    [{ name: 'x', hosts: [''] }, 'hosts', 'hosts, as'],
    [{ name: 'x', hosts: ['a b'] }, 'hosts', 'hosts, as'],
    [{ name: 'x', hosts: [':99999'] }, 'hosts', 'hosts, as'],
    [{ name: 'x', hosts: [':http'] }, 'hosts', 'hosts, as'],
    [{ name: 'x', hosts: ['*'] }, 'hosts', 'hosts, as'],
    [{ name: 'x', hosts: ['a.*.example'] }, 'hosts', 'hosts, as'],
    [{ name: 'x', hosts: ['localhost:8080'] }, 'hosts', 'is it "localhost"?'],
    [{ name: 'x', hosts: ['a.example/v1'] }, 'hosts', 'is it "a.example"?'],
    [{ name: 'x', hosts: ['https://a.example/v1'] }, 'hosts', 'is it "a.example"?'],
    [{ name: 'x', hosts: ['ok.example', 'https://b.example'] }, 'hosts', 'is it "b.example"?'],
  ])('%j', (options, option, words) => {
    expect(make(options)).toThrow(TelemetryError);
    expect(make(options)).toThrow(expect.objectContaining({ code: 'invalid_option', option }));
    expect(make(options)).toThrow(words);
  });

  it('and shows no secret of a URL', () => {
    const hosts = ['https://user:hunter2@a.example/v1?key=hunter2'];
    try {
      openaiCompatible({ name: 'x', hosts });
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toContain('hunter2');
      expect((error as Error).message).toContain('a.example');
    }
  });
});

it('is called by its name', () => {
  expect(server.name).toBe('gateway');
  expect(server.semconvName).toBeUndefined();
});

it('asks streams for usage that do not say', () => {
  const ask = (body: unknown, path = '/v1/chat/completions') =>
    server.includeUsage!({ url: new URL(path, url), method: 'POST', headers: new Headers(), body });
  const stream = { model: 'm', stream: true };
  expect(ask(stream)).toEqual({ ...stream, stream_options: { include_usage: true } });
  expect(ask(stream, '/v1/completions')).toEqual({ ...stream, stream_options: { include_usage: true } });
  const other = { ...stream, stream_options: { continuous_usage_stats: true } };
  expect(ask(other)).toEqual({ ...stream, stream_options: { continuous_usage_stats: true, include_usage: true } });
  for (const include_usage of [true, false])
    expect(ask({ ...stream, stream_options: { include_usage } })).toBeUndefined();
  expect(ask({ model: 'm' })).toBeUndefined();
  expect(ask(stream, '/v1/responses')).toBeUndefined();
  expect(ask(undefined)).toBeUndefined();
});

describe('servers', () => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  const chunk = (delta: object, finish_reason: string | null = null, rest: object = {}) => ({
    id: 'c',
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
    ...rest,
  });
  const tool = (call: object) => chunk({ tool_calls: [call] });
  const read = (...events: unknown[]) => readReply(server, { url, body: frames(...events) });

  it('agree with themselves, streamed or not', () => {
    expectChatTwins(server, url, {
      cumulative: true,
      usage: ({ input, output, cached }) => ({
        prompt_tokens: input,
        completion_tokens: output,
        prompt_tokens_details: { cached_tokens: cached },
      }),
    });
  });

  // https://docs.litellm.ai/docs/completion/prompt_caching
  // https://github.com/Portkey-AI/gateway/blob/main/src/providers/anthropic/chatComplete.ts
  it.each([
    ['LiteLLM: in the prompt', { prompt_tokens: 115, prompt_tokens_details: { cached_tokens: 80 } }],
    ['Portkey: beside the prompt', { prompt_tokens: 10 }],
  ])('before Anthropic say what its cache took and gave, as %s', (_, counts) => {
    const cache = { cache_read_input_tokens: 80, cache_creation_input_tokens: 25 };
    const usage = { ...counts, completion_tokens: 5, total_tokens: 120, ...cache };
    const { response, parseErrors } = read(chunk({ content: 'a' }), chunk({}, 'stop', { usage }));
    expect(response.usage).toEqual({ input: 115, cacheRead: 80, cacheWrite: 25, output: 5, total: 120 });
    expect(parseErrors).toBe(0);
  });

  it('before Anthropic say what its cache keeps for an hour', () => {
    const cache_creation_token_details = { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 20 };
    const prompt_tokens_details = { cached_tokens: 0, cache_creation_tokens: 25, cache_creation_token_details };
    const counts = { prompt_tokens: 35, completion_tokens: 5, total_tokens: 40, cache_creation_input_tokens: 25 };
    const { response } = read(chunk({}, 'stop', { usage: { ...counts, prompt_tokens_details } }));
    expect(response.usage).toMatchObject({ input: 35, cacheRead: 0, cacheWrite: 25, cacheWrite1h: 20 });
  });

  // https://docs.vllm.ai/en/latest/api/vllm/entrypoints/openai/protocol.html
  it('like vLLM have usage that grows, or null details', () => {
    const growing = (completion_tokens: number) => ({
      usage: {
        prompt_tokens: 10,
        completion_tokens,
        total_tokens: 10 + completion_tokens,
        prompt_tokens_details: null,
      },
    });
    const { response, parseErrors } = read(
      chunk({ role: 'assistant', content: '' }, null, growing(0)),
      chunk({ content: 'a' }, null, growing(1)),
      chunk({ content: 'b' }, null, growing(2)),
      chunk({ content: '' }, 'stop', growing(3)),
      { id: 'c', model: 'm', choices: [], ...growing(3) },
    );
    expect(response.usage).toEqual({ input: 10, output: 3, total: 13 });
    expect(parseErrors).toBe(0);
  });

  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
  it('like llama.cpp have timings, which stand in for usage', () => {
    const timings = { cache_n: 236, prompt_n: 1, prompt_ms: 30.9, predicted_n: 35, predicted_ms: 661.06 };
    const streamed = read(chunk({ content: 'a' }), chunk({}, 'stop', { timings }));
    expect(streamed.response).toMatchObject({
      usage: { input: 237, cacheRead: 236, output: 35 },
      finishReasons: ['stop'],
    });
    const both = read(chunk({ content: 'a' }), chunk({}, 'stop', { timings }), {
      choices: [],
      timings,
      usage: { prompt_tokens: 237, completion_tokens: 35, total_tokens: 272 },
    });
    expect(both.response.usage).toEqual({ input: 237, cacheRead: 236, output: 35, total: 272 });
    const wrong = read(chunk({ content: 'a' }), chunk({}, 'stop', { timings: { prompt_n: 'x', predicted_n: -1 } }));
    expect([wrong.response.usage, wrong.parseErrors]).toEqual([undefined, 1]);
  });

  it('like LM Studio repeat the name of a tool as an empty one, and count from 1', () => {
    const { response } = read(
      tool({ index: 1, id: 'a', type: 'function', function: { name: 'one', arguments: '' } }),
      tool({ index: 1, id: '', type: 'function', function: { name: '', arguments: '{' } }),
      tool({ index: 1, function: { name: '', arguments: '}' } }),
      tool({ index: 2, id: 'b', type: 'function', function: { name: 'two', arguments: '{}' } }),
      chunk({}, 'tool_calls', { usage }),
    );
    expect(response.toolCalls).toEqual([
      { id: 'a', name: 'one' },
      { id: 'b', name: 'two' },
    ]);
  });

  it('leave out the id or the index of a tool call', () => {
    const { response } = read(
      tool({ function: { name: 'one', arguments: '{}' } }),
      tool({ function: { arguments: '' } }),
      tool({ id: 'b', function: { name: 'two', arguments: '{}' } }),
      chunk({}, 'tool_calls'),
    );
    expect(response.toolCalls).toEqual([{ name: 'one' }, { id: 'b', name: 'two' }]);
  });

  // https://huggingface.co/docs/inference-providers
  it('like Hugging Face’s router have the cached tokens beside the others', () => {
    const { response } = read(chunk({ content: 'a' }), chunk({}, 'stop', { usage: { ...usage, cached_tokens: 4 } }));
    expect(response.usage).toEqual({ input: 10, cacheRead: 4, output: 5, total: 15 });
  });

  // https://platform.moonshot.ai/docs/api/chat
  it('like Moonshot have the usage inside of the choice', () => {
    const last = { index: 0, delta: {}, finish_reason: 'stop', usage: { ...usage, cached_tokens: 2 } };
    const { response } = read(chunk({ content: 'a' }), { id: 'c', model: 'm', choices: [last] });
    expect(response.usage).toEqual({ input: 10, cacheRead: 2, output: 5, total: 15 });
  });

  it('send errors as text or as objects, also in a stream', () => {
    const error = { message: 'No slot', type: 'unavailable_error', code: 503 };
    const expected = { type: 'unavailable_error', code: '503', message: 'No slot' };
    expect(read(chunk({ content: 'a' }), { error }).response.error).toEqual(expected);
    expect(readReply(server, { url, status: 503, body: JSON.stringify({ error }) }).response.error).toEqual(expected);
    expect(readReply(server, { url, status: 500, body: '{"error":"No"}' }).response.error).toEqual({
      type: 'error',
      message: 'No',
    });
  });

  it('may send what is no JSON, which is one parse error', () => {
    const body = `data: {oops\n\ndata: {"a"\n\n${frames(chunk({ content: 'a' }, 'stop'))}`;
    const reading = readReply(server, { url, body });
    expect(reading).toMatchObject({ parseErrors: 1, response: { finishReasons: ['stop'] } });
  });
});

it('no JSON shakes it', () => {
  expectUnshakable(server, url);
});
