import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeFaults } from '../../../src/llm/faults.ts';
import { cloudflare } from '../../../src/llm/providers/cloudflare.ts';
import { createReplyReader } from '../../../src/llm/reply-reader.ts';

// Nobody has published recordings of Workers AI: what is on the wire here is what its documentation shows.
const account = 'https://api.cloudflare.com/client/v4/accounts/a1';
const model = '@cf/meta/llama-3.1-8b-instruct';
const runUrl = `${account}/ai/run/${model}`;
const chatUrl = `${account}/ai/v1/chat/completions`;

const match = (url: string, method = 'POST') => cloudflare.match({ url: new URL(url), method });
const ask = (body: unknown, url = runUrl) =>
  cloudflare.request({ url: new URL(url), method: 'POST', headers: new Headers(), body });
const replyTo = (url: string, status = 200) => ({
  status,
  headers: new Headers(),
  request: { provider: 'cloudflare', model, operation: 'chat', stream: false },
  url: new URL(url),
});
const respond = (json: unknown, url = runUrl, status = 200) => cloudflare.response(json, replyTo(url, status));
/** https://developers.cloudflare.com/workers-ai/get-started/rest-api/ */
const envelope = (result: unknown) => ({ result, success: true, errors: [], messages: [] });

function stream(events: readonly unknown[], url = runUrl) {
  const reply = { ...replyTo(url), headers: new Headers({ 'content-type': 'text/event-stream' }) };
  const seen = { contents: 0, ends: 0, faults: 0 };
  const reader = createReplyReader(cloudflare, reply, {
    maxBodyBytes: 1e6,
    maxEventBytes: 1e6,
    onContent: () => seen.contents++,
    onEnd: () => seen.ends++,
    onParseError: () => seen.faults++,
  });
  const frames = events.map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  reader.chunk(new TextEncoder().encode(frames.join('')));
  return { response: reader.finish(), ...seen };
}

describe('match', () => {
  it.each([
    [runUrl, 'chat'],
    [`${account}/ai/run/@cf%2Fmeta%2Fllama-3.1-8b-instruct`, 'chat'],
    [`${account}/ai/run/@cf/baai/bge-base-en-v1.5`, 'embed'],
    [`${account}/ai/run/@cf/qwen/qwen3-embedding-0.6b`, 'embed'],
    [`${account}/ai/run/@cf/baai/bge-reranker-base`, 'rerank'],
    [`${account}/ai/run/@cf/black-forest-labs/flux-1-schnell`, 'image_generation'],
    [`${account}/ai/run/@cf/stabilityai/stable-diffusion-xl-base-1.0`, 'image_generation'],
    [`${account}/ai/run/@cf/leonardo/lucid-origin`, 'image_generation'],
    [`${account}/ai/run/@cf/lykon/dreamshaper-8-lcm`, 'image_generation'],
    [`${account}/ai/run/@cf/openai/whisper-large-v3-turbo`, 'speech'],
    [`${account}/ai/run/@cf/deepgram/aura-1`, 'speech'],
    [`${account}/ai/run/@cf/myshell-ai/melotts`, 'speech'],
    [`${account}/ai/run`, 'chat'],
    [chatUrl, 'chat'],
    [`${account}/ai/v1/responses`, 'chat'],
    [`${account}/ai/v1/embeddings`, 'embed'],
    [`${account}/ai/v1/messages`, 'chat'],
    [`${account}/ai/models/search`, undefined],
    [`${account}/ai-gateway/gateways`, undefined],
    [`${account}/workers/scripts/run`, undefined],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1', 'chat'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/openai/chat/completions', 'chat'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/openai/embeddings', 'embed'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/openai/files', undefined],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/anthropic/v1/messages', 'chat'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/workers-ai/@cf/meta/llama', 'chat'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/cohere/v2/chat', 'chat'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/google-ai-studio/v1beta/models/g:generateContent', 'chat'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/aws-bedrock/bedrock-runtime/us-east-1/model/m/converse', 'chat'],
    ['https://gateway.ai.cloudflare.com/v1/a1/g1/elevenlabs/v1/text-to-speech/x', undefined],
    ['https://example.com/client/v4/accounts/a1/ai/run/m', undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });
});

describe('request', () => {
  it('has its model in the path, encoded or not', () => {
    const expected = {
      model,
      stream: true,
      operation: 'chat',
      maxTokens: 256,
      parameters: {
        'gen_ai.request.max_tokens': 256,
        'gen_ai.request.temperature': 0.6,
        'gen_ai.request.seed': 3,
        'gen_ai.request.stream': true,
      },
    };
    const body = { messages: [], max_tokens: 256, temperature: 0.6, seed: 3, stream: true };
    expect(ask(body)).toEqual(expected);
    expect(ask(body, `${account}/ai/run/${encodeURIComponent(model)}`)).toEqual(expected);
    expect(ask(undefined, `${account}/ai/run/%E0%A4%A`).model).toBe('%E0%A4%A');
  });

  // https://developers.cloudflare.com/ai-gateway/usage/rest-api/
  it('has its model beside the input', () => {
    const input = { messages: [], max_tokens: 512 };
    expect(ask({ model: '@cf/moonshotai/kimi-k2.6', input }, `${account}/ai/run`)).toMatchObject({
      model: '@cf/moonshotai/kimi-k2.6',
      operation: 'chat',
      maxTokens: 512,
    });
    expect(ask({ model: '@cf/baai/bge-m3', input: { text: ['a'] } }, `${account}/ai/run`).operation).toBe('embed');
  });
});

const usage = { prompt_tokens: 26, completion_tokens: 12, total_tokens: 38 };
const counted = { input: 26, output: 12, total: 38 };

describe('response of ai/run', () => {
  it('is Cloudflare’s own, in an envelope or as the binding returns it', () => {
    const result = { response: 'Hello, World first appeared in 1974.', usage: { ...usage, neurons: 3.5 } };
    const expected = { usage: counted, attributes: { 'edgespan.usage.neurons': 3.5 } };
    expect(respond(envelope(result))).toEqual(expected);
    expect(cloudflare.accepts!(result)).toBe(true);
    expect(cloudflare.read!(result)).toEqual(expected);
  });

  // https://developers.cloudflare.com/workers-ai/features/function-calling/traditional/
  it('asks for tools', () => {
    const tool_calls = [{ arguments: { latitude: '51.5074', longitude: '-0.1278' }, name: 'getWeather' }];
    expect(respond(envelope({ response: null, tool_calls, usage }))).toEqual({
      usage: counted,
      toolCalls: [{ name: 'getWeather' }],
    });
  });

  it('without usage has none, which is no fault', () => {
    takeFaults();
    expect(respond(envelope({ response: 'Hi' }))).toEqual({});
    expect(respond(envelope({ image: 'aGk=' }))).toEqual({});
    expect(takeFaults()).toBe(false);
  });

  // https://developers.cloudflare.com/workers-ai/models/bge-base-en-v1.5/
  it('may be embeddings', () => {
    const result = {
      shape: [2, 3],
      data: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      pooling: 'mean',
    };
    const expected = { attributes: { 'gen_ai.embeddings.dimension.count': 3 } };
    expect(respond(envelope(result), `${account}/ai/run/@cf/baai/bge-base-en-v1.5`)).toEqual(expected);
    expect(cloudflare.accepts!(result)).toBe(true);
  });

  const completion = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: '@cf/moonshotai/kimi-k2.6',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage: { ...usage, prompt_tokens_details: { cached_tokens: 16 }, neurons: 2 },
  };

  it('may be a chat completion', () => {
    const expected = {
      id: 'chatcmpl-1',
      model: '@cf/moonshotai/kimi-k2.6',
      usage: { ...counted, cacheRead: 16 },
      finishReasons: ['stop'],
      attributes: { 'edgespan.usage.neurons': 2 },
    };
    expect(respond(envelope(completion))).toEqual(expected);
    expect(respond(completion, chatUrl)).toEqual(expected);
    expect(cloudflare.read!(completion)).toEqual(expected);
  });

  it('leaves a model that is named for its route to the request', () => {
    expect(respond(envelope({ ...completion, model: 'kimi-k2.6-external' })).model).toBeUndefined();
  });

  it('may be a response, or a message', () => {
    const output = [{ type: 'function_call', name: 'lookup', call_id: 'c1' }];
    const tokens = { input_tokens: 26, output_tokens: 12, total_tokens: 38 };
    const answer = { id: 'resp_1', object: 'response', status: 'completed', model: '@cf/openai/gpt-oss-120b', output };
    expect(respond(envelope({ ...answer, usage: tokens }))).toMatchObject({
      id: 'resp_1',
      usage: counted,
      finishReasons: ['completed'],
      toolCalls: [{ id: 'c1', name: 'lookup' }],
    });
    const message = { id: 'msg_1', type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn' };
    expect(respond(envelope({ ...message, usage: { input_tokens: 2, output_tokens: 3 } }))).toMatchObject({
      id: 'msg_1',
      usage: { input: 2, output: 3 },
    });
  });

  it('does not claim values that have nothing of its own', () => {
    const { usage: _, ...openai } = { ...completion, model: 'gpt-4o' };
    const message = { type: 'message', role: 'assistant', content: [] };
    const shaped = { shape: [3, 2], data: [1, 2, 3] };
    for (const other of [openai, message, { response: 'x' }, { response: completion }, shaped, {}, null, 'x', []]) {
      expect(cloudflare.accepts!(other)).toBe(false);
    }
  });
});

// https://developers.cloudflare.com/workers-ai/platform/errors/
describe('errors', () => {
  it.each([
    [3036, 'rate_limit_exceeded'],
    [3040, 'rate_limit_exceeded'],
    [3007, 'timeout'],
    [5007, 'not_found'],
    [9999, 'error'],
  ])('%d is %s', (code, type) => {
    const body = { result: {}, success: false, errors: [{ code, message: 'no' }], messages: [] };
    const error = { type, code: String(code), message: 'no' };
    expect(respond(body, runUrl, 429)).toEqual({ error });
    expect(respond(body, chatUrl, 429)).toEqual({ error });
    expect(stream([{ response: 'Hi' }, { errors: [{ code, message: 'no' }] }]).response.error).toEqual(error);
  });

  it('may look like those of others', () => {
    const error = { message: 'bad', type: 'invalid_request_error', code: 'x' };
    expect(respond({ error }, chatUrl, 400).error).toEqual({
      type: 'invalid_request_error',
      code: 'x',
      message: 'bad',
    });
    const failed = { state: 'Failed', error: { code: 'provider_unavailable', message: 'All are busy.' } };
    expect(respond(failed, `${account}/ai/run`, 500).error).toMatchObject({ code: 'provider_unavailable' });
  });
});

describe('stream', () => {
  const words = (...texts: string[]) => texts.map((response) => ({ response, p: 'abcdefgh' }));

  it('of Cloudflare’s own events', () => {
    expect(stream([...words('He', 'llo'), { response: '', usage: { ...usage, neurons: 1 } }, '[DONE]'])).toEqual({
      response: { usage: counted, attributes: { 'edgespan.usage.neurons': 1 } },
      contents: 1,
      ends: 1,
      faults: 0,
    });
  });

  it('of Cloudflare’s own events with tools', () => {
    const tool_calls = [{ name: 'getWeather', arguments: {} }];
    const events = [{ response: null, tool_calls }, { response: '', usage }, '[DONE]'];
    expect(stream(events)).toMatchObject({
      response: respond(envelope({ response: null, tool_calls, usage })),
      contents: 1,
    });
  });

  const chunk = (delta: object, finish_reason: string | null, tokens?: object) => ({
    id: 'id-1',
    object: 'chat.completion.chunk',
    model: '@cf/zai-org/glm-4.7-flash',
    choices: [{ index: 0, delta, finish_reason }],
    ...(tokens && { usage: tokens }),
  });
  const tokens = (input: number, output: number) => ({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
  });

  const outputs = fc.array(fc.nat(3), { minLength: 1, maxLength: 20 });
  const whole = (input: number, output: number) =>
    respond(
      {
        id: 'id-1',
        object: 'chat.completion',
        model: '@cf/zai-org/glm-4.7-flash',
        choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }],
        usage: tokens(input, output),
      },
      chatUrl,
    );
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  const steps = fc.record({ input: fc.integer({ min: 1, max: 9999 }), outputs, native: fc.boolean() });

  it.each([runUrl, chatUrl])('that counts each chunk for itself: %s', (url) => {
    fc.assert(
      fc.property(steps, ({ input, outputs, native }) => {
        const events = [
          chunk({ role: 'assistant', content: '' }, null, tokens(input, 0)),
          ...outputs.map((output) => chunk({ content: 'x' }, null, tokens(0, output))),
          chunk({}, 'stop', tokens(0, 0)),
          ...(native ? [{ response: '', usage: tokens(input, sum(outputs)) }] : []),
          '[DONE]',
        ];
        expect(stream(events, url)).toMatchObject({ response: whole(input, sum(outputs)), faults: 0 });
      }),
    );
  });

  it('that counts all until then, or all at the end, or first one and then the other', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom('each', 'end', 'both'), ({ input, outputs }, how) => {
        let output = 0;
        const texts = outputs.map((step) => {
          output += step;
          const known = how === 'each' ? tokens(input, output) : how === 'both' ? tokens(0, step) : undefined;
          return chunk({ content: 'x' }, null, known);
        });
        const first = how === 'end' ? undefined : tokens(input, 0);
        const last = { ...chunk({}, 'stop', tokens(input, sum(outputs))), choices: [] };
        const events = [chunk({ content: '' }, null, first), ...texts, chunk({}, 'stop'), last, '[DONE]'];
        expect(stream(events, chatUrl).response).toEqual(whole(input, sum(outputs)));
      }),
    );
  });

  it('whose own last event has the last word', () => {
    const events = [
      chunk({ content: 'x' }, null, tokens(10, 0)),
      chunk({ content: 'x' }, 'stop', tokens(0, 3)),
      { response: '', usage: tokens(10, 2) },
      '[DONE]',
    ];
    expect(stream(events).response.usage).toEqual({ input: 10, output: 2, total: 12 });
  });

  it('of a response or a message', () => {
    const answer = { id: 'resp_1', object: 'response', status: 'completed', model, output: [] };
    const response = { ...answer, usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } };
    const events = [
      { type: 'response.created', response: { ...answer, status: 'in_progress' } },
      { type: 'response.output_text.delta', delta: 'Hi' },
      { type: 'response.completed', response },
    ];
    expect(stream(events, `${account}/ai/v1/responses`)).toMatchObject({
      response: respond(response),
      contents: 1,
      ends: 1,
    });
    const message = { id: 'msg_1', model, usage: { input_tokens: 2, output_tokens: 1 } };
    expect(
      stream([
        { type: 'message_start', message },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } },
        { type: 'message_stop' },
      ]),
    ).toMatchObject({ response: { id: 'msg_1', usage: { input: 2, output: 3 } }, contents: 1, ends: 1 });
  });

  it('that breaks off keeps what it knows', () => {
    expect(stream(words('Hi')).response).toEqual({});
    expect(stream([chunk({ content: 'x' }, null, tokens(5, 1))]).response).toMatchObject({
      usage: { input: 5, output: 1 },
      finishReasons: ['error'],
    });
  });
});

describe('what should not be', () => {
  it.each([
    ['counts of other types', { prompt_tokens: '26', completion_tokens: -1 }, undefined],
    ['other names', { tokens_in: 26, tokens_out: 12 }, undefined],
    ['half a count', { prompt_tokens: 26.5, completion_tokens: 12 }, { output: 12 }],
  ])('%s are a fault and no number', (_, wire, expected) => {
    takeFaults();
    expect(respond(envelope({ response: 'Hi', usage: wire })).usage).toEqual(expected);
    expect(takeFaults()).toBe(true);
    const seen = stream([{ response: 'Hi' }, { response: '', usage: wire }, '[DONE]']);
    expect(seen.response.usage).toEqual(expected);
    expect(seen.faults).toBe(1);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.jsonValue()), (json, events) => {
        for (const url of [runUrl, chatUrl]) expect(() => respond(json, url)).not.toThrow();
        expect(() => cloudflare.accepts!(json)).not.toThrow();
        const reader = cloudflare.stream!(replyTo(runUrl));
        expect(() => events.map((value) => reader.event({ json: value }))).not.toThrow();
        expect(() => reader.result()).not.toThrow();
      }),
    );
  });
});
