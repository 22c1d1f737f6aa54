import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeFaults } from '../../../src/llm/faults.ts';
import { anthropic } from '../../../src/llm/providers/anthropic.ts';
import { google } from '../../../src/llm/providers/google.ts';
import { vertex } from '../../../src/llm/providers/vertex.ts';

const regional = 'https://europe-west4-aiplatform.googleapis.com';
const global = 'https://aiplatform.googleapis.com';
const place = '/v1/projects/p/locations/europe-west4';
const models = `${regional}${place}/publishers/google/models`;
const content = `${models}/gemini-2.5-flash:generateContent`;
const predict = `${models}/text-embedding-005:predict`;
const claude = `${regional}${place}/publishers/anthropic/models/claude-sonnet-4-5@20250929`;
const openapi = `${regional}${place}/endpoints/openapi/chat/completions`;

const match = (url: string, method = 'POST') => vertex.match({ url: new URL(url), method });
const readRequest = (url: string, body: unknown = {}) =>
  vertex.request({ url: new URL(url), method: 'POST', headers: new Headers(), body });

const reply = (url: string, status = 200) => ({
  status,
  headers: new Headers(),
  request: { provider: 'vertex', model: undefined, operation: 'chat', stream: true },
  url: new URL(url),
});
/** A whole reply, and whether something in it was amiss. */
function readWhole(url: string, json: unknown, status?: number) {
  takeFaults();
  const response = vertex.response(json, reply(url, status));
  return { response, faults: takeFaults() };
}
function readEvents(url: string, events: readonly { type?: string; json: unknown }[]) {
  const reader = vertex.stream!(reply(url));
  const outcomes = events.map((event) => reader.event(event));
  return { outcomes, response: reader.result() };
}

describe('match', () => {
  it.each([
    [content, 'generate_content'],
    [`${models}/gemini-2.5-flash:streamGenerateContent?alt=sse`, 'generate_content'],
    [`${models}/gemini-2.5-flash:countTokens`, 'count_tokens'],
    [`${models}/gemini-embedding-2:embedContent`, 'embed'],
    [predict, 'embed'],
    [`${claude}:rawPredict`, 'chat'],
    [`${claude}:streamRawPredict`, 'chat'],
    [`${regional}${place}/publishers/anthropic/models/count-tokens:rawPredict`, 'count_tokens'],
    [`${regional}${place}/publishers/mistralai/models/mistral-medium-3:rawPredict`, 'chat'],
    [`${regional}${place}/endpoints/1234:generateContent`, 'generate_content'],
    [openapi, 'chat'],
    [`${regional}${place}/interactions`, 'chat'],
    [
      `${global}/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.0-flash:generateContent`,
      'generate_content',
    ],
    [`${global}/v1/publishers/google/models/gemini-2.5-flash:streamGenerateContent`, 'generate_content'],
    ['https://aiplatform.eu.rep.googleapis.com/v1/publishers/google/models/m:generateContent', 'generate_content'],
    ['https://aiplatform.us.rep.googleapis.com/v1/projects/p/locations/us/endpoints/openapi/chat/completions', 'chat'],
    ['https://proxy.internal/vertex/v1/publishers/google/models/gemini-2.5-flash:generateContent', 'generate_content'],
    [`https://proxy.internal${place}/publishers/anthropic/models/claude:streamRawPredict`, 'chat'],
    [`${models}/imagen-4.0-generate-001:predict`, undefined],
    [`${models}/veo-3:predictLongRunning`, undefined],
    [`${regional}${place}/endpoints/1234:predict`, undefined],
    [`${regional}${place}/publishers/mistralai/models/mistral-ocr-2505:rawPredict`, undefined],
    [`${regional}${place}/publishers/anthropic/models/claude:predict`, undefined],
    [`${regional}${place}/cachedContents`, undefined],
    ['https://proxy.internal/v1beta/models/gemini-2.5-flash:generateContent', undefined],
    ['https://proxy.internal/v1/endpoints/openapi/chat/completions', undefined],
    ['https://aiplatform.googleapis.com.evil.example/v1/chat/completions', undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match(content, 'GET')).toBeUndefined();
  });

  it('shares no address with the Gemini API', () => {
    const url = fc
      .tuple(
        fc.constantFrom(regional, global, 'https://generativelanguage.googleapis.com', 'https://proxy.internal'),
        fc.constantFrom('/v1', place, '/gemini/v1beta'),
        fc.constantFrom('', '/publishers/google', '/publishers/anthropic'),
        fc.constantFrom('/models/m', '/tunedModels/m', '/endpoints/m'),
        fc.constantFrom(':generateContent', ':rawPredict', ':embedContent', ':countTokens'),
      )
      .map((parts) => new URL(parts.join('')));
    fc.assert(
      fc.property(url, (url) => {
        const found = [google, vertex].filter((provider) => provider.match({ url, method: 'POST' }));
        expect(found.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('request', () => {
  const region = { 'cloud.region': 'europe-west4' };

  it('names model and location by the address', () => {
    expect(readRequest(content)).toEqual({ model: 'gemini-2.5-flash', stream: false, parameters: region });
    expect(readRequest(`${regional}${place}/endpoints/1234:streamGenerateContent`)).toEqual({
      model: 'endpoints/1234',
      stream: true,
      parameters: { ...region, 'gen_ai.request.stream': true },
    });
  });

  it('knows no location in express mode', () => {
    const url = `${global}/v1/publishers/google/models/gemini-2.5-flash:generateContent?key=k`;
    expect(readRequest(url, { generationConfig: { temperature: 1 } })).toEqual({
      model: 'gemini-2.5-flash',
      stream: false,
      parameters: { 'gen_ai.request.temperature': 1 },
    });
  });

  it('reads what a partner’s own API asks for', () => {
    const body = { anthropic_version: 'vertex-2023-10-16', max_tokens: 9, messages: [] };
    expect(readRequest(`${claude}:streamRawPredict`, body)).toEqual({
      model: 'claude-sonnet-4-5@20250929',
      stream: true,
      maxTokens: 9,
      parameters: { ...region, 'gen_ai.request.max_tokens': 9, 'gen_ai.request.stream': true },
    });
    expect(readRequest(`${claude}:rawPredict`, body).stream).toBe(false);
    const counter = `${regional}${place}/publishers/anthropic/models/count-tokens:rawPredict`;
    expect(readRequest(counter, { model: 'claude-x' }).model).toBe('claude-x');
    const mistral = `${regional}${place}/publishers/mistralai/models/mistral-medium-3:rawPredict`;
    expect(readRequest(mistral, { model: 'mistral-medium', temperature: 0 })).toMatchObject({
      model: 'mistral-medium-3',
      parameters: { ...region, 'gen_ai.request.temperature': 0 },
    });
  });

  it('reads the dimensions of embeddings', () => {
    const parameters = { ...region, 'gen_ai.embeddings.dimension.count': 256 };
    const instances = [{ content: 'a' }];
    expect(readRequest(predict, { instances, parameters: { outputDimensionality: 256 } }).parameters).toEqual(
      parameters,
    );
    const url = `${models}/gemini-embedding-2:embedContent`;
    const body = { content: {}, embedContentConfig: { outputDimensionality: 256 } };
    expect(readRequest(url, body).parameters).toEqual(parameters);
  });

  it('reads OpenAI’s', () => {
    expect(readRequest(openapi, { model: 'google/gemini-2.5-flash', stream: true })).toMatchObject({
      model: 'google/gemini-2.5-flash',
      stream: true,
      parameters: region,
    });
  });
});

describe('content', () => {
  it('names the kind of traffic', () => {
    const usageMetadata = {
      promptTokenCount: 13,
      candidatesTokenCount: 8,
      totalTokenCount: 21,
      trafficType: 'ON_DEMAND',
    };
    const candidates = [{ content: { parts: [{ text: 'x' }] }, finishReason: 'STOP' }];
    const json = { candidates, usageMetadata, modelVersion: 'gemini-2.0-flash', responseId: 'r', createTime: 't' };
    const expected = {
      id: 'r',
      model: 'gemini-2.0-flash',
      usage: { input: 13, output: 8, total: 21 },
      finishReasons: ['STOP'],
      attributes: { 'edgespan.service_tier': 'ON_DEMAND' },
    };
    expect(readWhole(content, json)).toEqual({ response: expected, faults: false });
    expect(readEvents(content.replace('generate', 'streamGenerate'), [{ json }]).response).toEqual(expected);
  });

  it('of a blocked prompt has no counts, which is no fault', () => {
    const json = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { trafficType: 'ON_DEMAND' } };
    expect(readWhole(content, json)).toEqual({
      response: { finishReasons: ['PROHIBITED_CONTENT'], attributes: { 'edgespan.service_tier': 'ON_DEMAND' } },
      faults: false,
    });
  });
});

describe('embeddings by :predict', () => {
  const text = (token_count: unknown) => ({
    embeddings: { values: [1, 2], statistics: { token_count, truncated: false } },
  });
  const attributes = { 'gen_ai.embeddings.dimension.count': 2 };

  it('add the tokens of all texts', () => {
    const json = { predictions: [text(4), text(0), text(7)], metadata: { billableCharacterCount: 40 } };
    expect(readWhole(predict, json)).toEqual({ response: { usage: { input: 11 }, attributes }, faults: false });
  });

  it.each([
    ['missing', undefined],
    ['text', '4'],
    ['negative', -1],
  ])('know no sum where a count is %s', (_, count) => {
    const json = { predictions: [text(4), text(count)] };
    expect(readWhole(predict, json)).toEqual({ response: { attributes }, faults: true });
  });

  it('of several modalities have no counts', () => {
    const json = { predictions: [{ textEmbedding: [1], imageEmbedding: [2] }] };
    expect(readWhole(predict, json)).toEqual({ response: {}, faults: false });
  });
});

describe('a partner’s own API', () => {
  const message = {
    id: 'msg_vrtx_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }],
    stop_reason: 'tool_use',
    usage: { input_tokens: 3, cache_read_input_tokens: 10, output_tokens: 7 },
  };
  const expected = {
    id: 'msg_vrtx_1',
    model: 'claude-sonnet-4-5-20250929',
    usage: { input: 13, cacheRead: 10, output: 7 },
    finishReasons: ['tool_use'],
    toolCalls: [{ id: 't', name: 'f' }],
  };

  it('of Anthropic is read, whole and streamed', () => {
    expect(readWhole(`${claude}:rawPredict`, message)).toEqual({ response: expected, faults: false });
    const event = (type: string, fields: object = {}) => ({ type, json: { type, ...fields } });
    const { outcomes, response } = readEvents(`${claude}:streamRawPredict`, [
      event('vertex_event'),
      event('message_start', { message: { ...message, content: [], stop_reason: null } }),
      event('content_block_start', { index: 0, content_block: message.content[0] }),
      event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: '{}' } }),
      event('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 7 } }),
      event('message_stop'),
    ]);
    expect(response).toEqual(expected);
    expect(outcomes).toEqual([undefined, undefined, undefined, 'content', undefined, 'end']);
  });

  it('of others is read as OpenAI’s', () => {
    const json = {
      id: 'm',
      model: 'mistral-medium-3',
      choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    };
    const url = `${regional}${place}/publishers/mistralai/models/mistral-medium-3:rawPredict`;
    expect(readWhole(url, json).response).toMatchObject({ usage: { input: 3, output: 2 }, finishReasons: ['stop'] });
  });

  it('fails in the partner’s words or in Google’s', () => {
    const own = { type: 'error', error: { type: 'invalid_request_error', message: 'm' } };
    expect(readWhole(`${claude}:rawPredict`, own, 400).response).toEqual({
      error: { type: 'invalid_request_error', message: 'm' },
    });
    const error = { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED' };
    for (const body of [{ error }, [{ error }]]) {
      expect(readWhole(`${claude}:streamRawPredict`, body, 429).response).toEqual({
        error: { type: 'RESOURCE_EXHAUSTED', code: '429', message: 'm' },
      });
    }
  });
});

it('OpenAI’s API has thoughts beside the completion, and a model with its publisher', () => {
  const usage = {
    prompt_tokens: 27,
    completion_tokens: 45,
    completion_tokens_details: { reasoning_tokens: 504 },
    extra_properties: { google: { traffic_type: 'PROVISIONED_THROUGHPUT' } },
    total_tokens: 576,
  };
  const head = { id: 'c', model: 'google/gemini-3.1-pro-preview' };
  const choice = (fields: object) => [{ index: 0, finish_reason: 'stop', ...fields }];
  const expected = {
    ...head,
    usage: { input: 27, output: 549, reasoning: 504, total: 576 },
    finishReasons: ['stop'],
    attributes: {
      'edgespan.pricing.model': 'gemini-3.1-pro-preview',
      'edgespan.service_tier': 'PROVISIONED_THROUGHPUT',
    },
  };
  const whole = { ...head, choices: choice({ message: { content: 'x' } }), usage };
  expect(readWhole(openapi, whole)).toEqual({ response: expected, faults: false });
  const chunk = { ...head, choices: choice({ delta: { content: 'x' } }), usage };
  expect(readEvents(openapi, [{ json: chunk }]).response).toEqual(expected);
});

describe('values that SDKs returned', () => {
  it('are Vertex AI’s where they say what the Gemini API never does', () => {
    const candidates = [{ content: { parts: [] }, finishReason: 'STOP' }];
    const made = { candidates, createTime: '2026-01-01T00:00:00Z' };
    const counted = {
      embeddings: [
        { values: [1], statistics: { tokenCount: 6 } },
        { values: [2], statistics: { tokenCount: 1 } },
      ],
    };
    for (const value of [made, counted]) {
      expect([vertex, google].map((provider) => provider.accepts!(value))).toEqual([true, false]);
    }
    expect(vertex.read!(counted).usage).toEqual({ input: 7 });
    expect(vertex.accepts!({ candidates })).toBe(false);
  });

  it('of partners are left to them', () => {
    const message = { type: 'message', role: 'assistant', content: [] };
    expect([vertex, anthropic].map((provider) => provider.accepts!(message))).toEqual([false, true]);
    expect(vertex.accepts!({ choices: [{ message: { content: 'x' } }] })).toBe(false);
  });
});

it('never throws, whatever the JSON', () => {
  const any = fc.jsonValue({ maxDepth: 3 });
  const key = fc.constantFrom(
    'predictions',
    'embeddings',
    'statistics',
    'candidates',
    'error',
    'usage',
    'model',
    'type',
  );
  const likely = fc.dictionary(key, fc.oneof(any, fc.array(fc.dictionary(key, any))));
  const url = fc.constantFrom(content, predict, `${claude}:rawPredict`, openapi);
  fc.assert(
    fc.property(fc.oneof(any, likely), url, (json, url) => {
      readEvents(url, [{ json }]);
      readWhole(url, json);
      readRequest(url, json);
      if (vertex.accepts!(json)) vertex.read!(json);
    }),
  );
});
