import { describe, expect, it } from 'vitest';
import { createTestTelemetry } from '../../../src/testing.ts';
import { concat } from '../../support/event-frames.ts';
import { chunk, event } from './bedrock-calls.ts';
import { toSse } from './replay.ts';

/** What vendors were seen to send beside what they document, as an application's call sees it. */
interface Odd {
  readonly url: string;
  readonly request?: object;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
  /** So many bytes arrive at once; all of them by default. */
  readonly pieces?: number;
}

async function call({ url, request = { model: 'm' }, body, headers = {}, pieces }: Odd) {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const end = at + (pieces ?? bytes.length);
      controller.enqueue(bytes.slice(at, end));
      at = end;
    },
  });
  const telemetry = createTestTelemetry({
    fetch: async () => new Response(stream, { headers }),
    onError: (error) => expect.unreachable(String(error)),
  });
  const response = await telemetry.fetch(url, { method: 'POST', body: JSON.stringify(request) });
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  const { attributes, status } = telemetry.spans[0]!;
  const provider = attributes['llm.provider'] as string;
  const parseErrors = telemetry.metrics.value('edgespan_parse_errors_total', { provider }) ?? 0;
  return { attributes, failed: status.code === 2, parseErrors };
}

const json = { 'content-type': 'application/json' };
const sse = { 'content-type': 'text/event-stream' };
const frames = { 'content-type': 'application/vnd.amazon.eventstream' };

const vertexModel =
  'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash';
const geminiModel = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash';

describe('Google’s words as numbers, which its clients for Python ask for by `enum-encoding=int`', () => {
  const part = (finishReason?: number) => ({
    candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, ...(finishReason && { finishReason }) }],
    usageMetadata: {
      promptTokenCount: 30,
      candidatesTokenCount: 5,
      totalTokenCount: 35,
      trafficType: 1,
      promptTokensDetails: [
        { modality: 1, tokenCount: 10 },
        { modality: 4, tokenCount: 20 },
      ],
    },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'r',
  });
  const suffix = '?%24alt=json%3Benum-encoding%3Dint';

  it.each([
    [vertexModel, 1, 'STOP'],
    [vertexModel, 2, 'MAX_TOKENS'],
    [vertexModel, 9, 'MALFORMED_FUNCTION_CALL'],
    [geminiModel, 9, 'SPII'],
    [geminiModel, 10, 'MALFORMED_FUNCTION_CALL'],
    [geminiModel, 13, 'TOO_MANY_TOOL_CALLS'],
    [geminiModel, 16, 'NO_IMAGE'],
    [geminiModel, 99, '99'],
  ])('%s: %i is %s', async (model, number, reason) => {
    const whole = await call({
      url: `${model}:generateContent${suffix}`,
      body: JSON.stringify(part(number)),
      headers: json,
    });
    const streamed = await call({
      url: `${model}:streamGenerateContent${suffix}`,
      body: JSON.stringify([part(), part(number)]),
      headers: json,
      pieces: 7,
    });
    for (const { attributes, failed, parseErrors } of [whole, streamed]) {
      expect(attributes['gen_ai.response.finish_reasons']).toEqual([reason]);
      expect(attributes['edgespan.service_tier']).toBe('ON_DEMAND');
      // 10 of text at 0.3, 20 of audio at 1, 5 of output at 2.5 USD a million.
      expect(attributes['llm.cost_usd']).toBe(0.0000355);
      expect([failed, parseErrors]).toEqual([false, 0]);
    }
  });

  // https://cloud.google.com/vertex-ai/docs/reference/rest/v1/GenerateContentResponse#traffictype
  it.each([
    [3, 'ON_DEMAND_PRIORITY'],
    [4, 'ON_DEMAND_FLEX'],
  ])('tell how a call was served, which has a price: %i is %s', async (number, word) => {
    const cost = async (trafficType: unknown) => {
      const { usageMetadata, ...rest } = part(1);
      const body = JSON.stringify({ ...rest, usageMetadata: { ...usageMetadata, trafficType } });
      const { attributes } = await call({ url: `${vertexModel}:generateContent${suffix}`, body, headers: json });
      return [attributes['edgespan.service_tier'], attributes['llm.cost_usd']];
    };
    expect(await cost(number)).toEqual(await cost(word));
    expect(await cost(number)).not.toEqual([word, (await cost(1))[1]]);
  });

  it('tell why a prompt was blocked', async () => {
    const body = JSON.stringify({ promptFeedback: { blockReason: 4 }, modelVersion: 'm', responseId: 'r' });
    const { attributes } = await call({ url: `${vertexModel}:generateContent${suffix}`, body, headers: json });
    expect(attributes['gen_ai.response.finish_reasons']).toEqual(['PROHIBITED_CONTENT']);
  });
});

it('audio out of Gemini’s cache is paid once, at its own price', async () => {
  const usageMetadata = {
    promptTokenCount: 1000,
    cachedContentTokenCount: 900,
    candidatesTokenCount: 10,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 200 },
      { modality: 'AUDIO', tokenCount: 800 },
    ],
    cacheTokensDetails: [
      { modality: 'TEXT', tokenCount: 100 },
      { modality: 'AUDIO', tokenCount: 800 },
    ],
  };
  const candidates = [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }];
  const body = JSON.stringify({ candidates, usageMetadata, modelVersion: 'gemini-2.5-flash', responseId: 'r' });
  const { attributes } = await call({ url: `${geminiModel}:generateContent`, body, headers: json });
  // 100 at 0.3, 100 at 0.03, 800 at 0.1, 10 at 2.5 USD a million: https://ai.google.dev/gemini-api/docs/pricing
  expect(attributes['llm.cost_usd']).toBe(0.000138);
});

it('an interaction that is not stored has no id, which is no fault', async () => {
  const usage = { total_input_tokens: 10, total_output_tokens: 33, total_thought_tokens: 276, total_tokens: 319 };
  const body = JSON.stringify({
    status: 'completed',
    usage,
    steps: [],
    object: 'interaction',
    model: 'gemini-2.5-flash',
  });
  const url = 'https://generativelanguage.googleapis.com/v1beta/interactions';
  const { attributes, parseErrors } = await call({ url, body, headers: json });
  expect([attributes['gen_ai.usage.output_tokens'], parseErrors]).toEqual([309, 0]);
});

describe('a stream without its content type', () => {
  const line = { model: 'llama3', created_at: '2026-01-01T00:00:00Z' };
  const lines = [
    { ...line, message: { role: 'assistant', content: 'Hi' }, done: false },
    { ...line, message: { content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 21, eval_count: 9 },
  ];
  const body = lines.map((one) => `${JSON.stringify(one)}\n`).join('');
  const url = 'http://127.0.0.1:11434/api/chat';

  it.each([{}, json, { 'content-type': 'text/plain' }])('of lines of JSON is read in the end: %j', async (headers) => {
    for (const pieces of [1, 10, body.length]) {
      const { attributes, failed, parseErrors } = await call({ url, body, headers, pieces });
      expect(attributes).toMatchObject({
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.usage.input_tokens': 21,
        'gen_ai.usage.output_tokens': 9,
      });
      // When its first token came is not known.
      expect(attributes['gen_ai.response.time_to_first_chunk']).toBeUndefined();
      expect([failed, parseErrors]).toEqual([false, 0]);
    }
  });

  it('that broke off in a line keeps what it said', async () => {
    const { attributes, failed } = await call({ url, body: body.slice(0, -20) });
    expect([attributes['gen_ai.response.model'], failed]).toEqual(['llama3', true]);
  });

  it('of frames is known by the bytes', async () => {
    const frames = concat([
      event('messageStart', { role: 'assistant' }),
      event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } }),
      event('messageStop', { stopReason: 'end_turn' }),
      event('metadata', { usage: { inputTokens: 18, outputTokens: 181, totalTokens: 199 } }),
    ]);
    for (const pieces of [1, 3, frames.length]) {
      const url =
        'https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream';
      const { attributes, failed, parseErrors } = await call({ url, body: frames, pieces });
      expect(attributes['gen_ai.response.finish_reasons']).toEqual(['end_turn']);
      expect(attributes['gen_ai.usage.output_tokens']).toBe(181);
      expect([failed, parseErrors]).toEqual([false, 0]);
    }
  });
});

it('a stream that a guardrail answers in the model’s place is whole, though nothing says why it ended', async () => {
  const blocked = {
    outputText: 'Input blocked',
    index: 0,
    totalOutputTextTokenCount: 3,
    inputTextTokenCount: 6,
    'amazon-bedrock-guardrailAction': 'INTERVENED',
  };
  const url =
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-text-express-v1/invoke-with-response-stream';
  const { attributes, failed } = await call({ url, body: concat([chunk(blocked)]), headers: frames });
  expect(attributes['gen_ai.usage.input_tokens']).toBe(6);
  expect(attributes['error.type']).toBeUndefined();
  expect(failed).toBe(false);
});

it('embeddings whose usage has a total alone have it as their input', async () => {
  // https://docs.voyageai.com/reference/embeddings-api
  const body = JSON.stringify({
    object: 'list',
    data: [{ object: 'embedding', embedding: [0.1], index: 0 }],
    model: 'voyage-3.5',
    usage: { total_tokens: 10 },
  });
  const { attributes, parseErrors } = await call({
    url: 'https://api.voyageai.com/v1/embeddings',
    body,
    headers: json,
  });
  expect([attributes['gen_ai.usage.input_tokens'], parseErrors]).toEqual([10, 0]);
});

describe('Claude on Bedrock, whose own reply names the model without the place where it runs', () => {
  const message = {
    id: 'msg',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 1000, output_tokens: 100 },
  };
  const profile = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/';

  it.each([
    // https://aws.amazon.com/bedrock/pricing/: 3 and 15 USD a million for the whole world's, a tenth more for a region's.
    ['global.anthropic.claude-sonnet-4-5-20250929-v1:0', 0.0045],
    [`${profile}global.anthropic.claude-sonnet-4-5-20250929-v1:0`, 0.0045],
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 0.00495],
    ['anthropic.claude-sonnet-4-5-20250929-v1:0', 0.00495],
    [`${profile.replace('inference', 'application-inference')}abc`, 0.00495],
  ])('costs by whom was asked: %s', async (model, usd) => {
    const url = `https://bedrock-runtime.us-east-1.amazonaws.com/model/${encodeURIComponent(model)}`;
    const { input_tokens, output_tokens } = message.usage;
    const metrics = { inputTokenCount: input_tokens, outputTokenCount: output_tokens };
    const events = [
      { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens } },
      { type: 'message_stop', 'amazon-bedrock-invocationMetrics': metrics },
    ];
    const whole = await call({ url: `${url}/invoke`, body: JSON.stringify(message), headers: json });
    const streamed = await call({
      url: `${url}/invoke-with-response-stream`,
      body: concat(events.map(chunk)),
      headers: frames,
    });
    expect([whole.attributes['llm.cost_usd'], streamed.attributes['llm.cost_usd']]).toEqual([usd, usd]);
  });
});

it('Azure leaves the message out of a choice that its filters held back', async () => {
  const choice = { content_filter_results: { hate: { filtered: true } }, finish_reason: 'content_filter', index: 0 };
  const usage = { prompt_tokens: 15, completion_tokens: 19, total_tokens: 34 };
  const body = JSON.stringify({ id: 'c', model: 'gpt-35-turbo', object: 'chat.completion', choices: [choice], usage });
  const url = 'https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-02-01';
  const { attributes, parseErrors } = await call({ url, body, headers: json });
  expect([attributes['gen_ai.response.finish_reasons'], parseErrors]).toEqual([['content_filter'], 0]);
});

describe('streams in OpenAI’s format', () => {
  const url = 'https://llm.internal/v1/chat/completions';
  const request = { model: 'm', stream: true };
  const part = (delta: object, finish_reason: string | null = null) => ({
    id: 'c',
    model: 'm',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason }],
  });
  const stream = (...parts: unknown[]) => call({ url, request, body: toSse(parts), headers: sse });
  const start = (id: string, name: string, more: object = { index: 0 }) => ({
    tool_calls: [{ ...more, id, type: 'function', function: { name, arguments: '{}' } }],
  });

  it('may give parallel calls the same index, told apart by their ids', async () => {
    // So do servers that turn Gemini's parts into chunks: https://github.com/su-kaka/gcli2api/pull/406
    const { attributes } = await stream(
      part(start('a', 'weather')),
      part(start('b', 'weather')),
      part(start('c', 'time'), 'tool_calls'),
      '[DONE]',
    );
    expect(attributes['llm.tool_names']).toEqual(['weather', 'weather', 'time']);
  });

  it('may repeat a call’s id or invent another one for each of its fragments', async () => {
    const more = (id: string) => ({ tool_calls: [{ index: 0, id, function: { arguments: '{' } }] });
    const { attributes } = await stream(
      part(start('a', 'weather')),
      part(more('a')),
      part(more('x'), 'tool_calls'),
      '[DONE]',
    );
    expect(attributes['llm.tool_names']).toEqual(['weather']);
  });

  it('may keep alive by empty data, and end with more than the mark', async () => {
    const { attributes, failed, parseErrors } = await stream(
      '',
      part({ content: 'Hi' }),
      '',
      part({}, 'stop'),
      '[DONE] ',
    );
    expect(attributes['gen_ai.response.finish_reasons']).toEqual(['stop']);
    expect([failed, parseErrors]).toEqual([false, 0]);
  });

  it('may fail with an error that is no member of anything', async () => {
    const error = { object: 'error', message: 'out of memory', type: 'InternalServerError', param: null, code: 500 };
    const { attributes, failed } = await stream(part({ content: 'Hi' }), error, '[DONE]');
    expect(attributes).toMatchObject({ 'error.type': '500', 'edgespan.error_class': 'provider_error' });
    expect(failed).toBe(true);
  });
});

describe('the oldest of Cohere’s APIs', () => {
  const url = 'https://api.cohere.com/v1/generate';
  const generations = [{ id: 'g', text: 'Hi', finish_reason: 'COMPLETE' }];
  const whole = { id: 'c', generations, meta: { billed_units: { input_tokens: 5, output_tokens: 55 } } };
  const expected = { 'gen_ai.response.finish_reasons': ['COMPLETE'], 'gen_ai.usage.output_tokens': 55 };

  it('is read, whole and streamed', async () => {
    const lines = [
      { text: 'Hi', is_finished: false, event_type: 'text-generation' },
      { is_finished: true, event_type: 'stream-end', finish_reason: 'COMPLETE', response: whole },
    ];
    const asked = { model: 'command', stream: true };
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const replies = [
      await call({ url, request: { model: 'command' }, body: JSON.stringify(whole), headers: json }),
      await call({ url, request: asked, body, headers: { 'content-type': 'application/stream+json' } }),
    ];
    for (const { attributes, parseErrors } of replies) {
      expect(attributes).toMatchObject(expected);
      expect(parseErrors).toBe(0);
    }
  });
});

it('Cohere bills images by their number, which is no fault', async () => {
  const meta = { billed_units: { images: 1 } };
  const body = JSON.stringify({ id: 'c', embeddings: { float: [[0.1, 0.2]] }, images: [{}], meta });
  const request = { model: 'embed-v4.0', input_type: 'image', images: ['data:…'] };
  const { attributes, parseErrors } = await call({
    url: 'https://api.cohere.com/v2/embed',
    request,
    body,
    headers: json,
  });
  expect(attributes['llm.cost_usd']).toBeUndefined();
  expect(parseErrors).toBe(0);
});

describe('values that SDKs returned', () => {
  const read = async (provider: string | undefined, value: object) => {
    const telemetry = createTestTelemetry();
    await telemetry.llm({ name: 'f', ...(provider && { provider }) }, async () => value)();
    return telemetry.spans[0]!.attributes;
  };
  const meta = { billedUnits: { inputTokens: 23, outputTokens: 60 } };

  it.each([
    ['cohere', { responseId: 'r', generationId: 'g', text: 'Hi', finishReason: 'COMPLETE', meta }],
    ['cohere', { generationId: 'g', text: 'Hi', finishReason: 'COMPLETE', meta }],
    [
      'google',
      {
        object: 'interaction',
        status: 'completed',
        steps: [],
        model: 'gemini-2.5-flash',
        usage: { total_input_tokens: 23, total_output_tokens: 60 },
      },
    ],
    [
      'azure',
      {
        choices: [{ finish_reason: 'content_filter', index: 0, content_filter_results: {} }],
        usage: { prompt_tokens: 23, completion_tokens: 60 },
      },
    ],
  ])('of %s are known without an id or a message of their own', async (provider, value) => {
    for (const named of [provider, undefined]) {
      expect(await read(named, value)).toMatchObject({
        'llm.provider': provider,
        'gen_ai.usage.input_tokens': 23,
        'gen_ai.usage.output_tokens': 60,
      });
    }
  });
});
