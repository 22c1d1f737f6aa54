import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeFaults } from '../../../src/llm/faults.ts';
import type { LlmRequest, LlmResponse } from '../../../src/llm/provider.ts';
import { google } from '../../../src/llm/providers/google.ts';
import { openai } from '../../../src/llm/providers/openai.ts';
import { createReplyReader } from '../../../src/llm/reply-reader.ts';

const host = 'https://generativelanguage.googleapis.com';
const content = `${host}/v1beta/models/gemini-2.5-flash:generateContent`;
const streamed = `${host}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse`;
const interactions = `${host}/v1beta/interactions`;
const compatible = `${host}/v1beta/openai/chat/completions`;

const match = (url: string, method = 'POST') => google.match({ url: new URL(url), method });
const readRequest = (url: string, body: unknown) =>
  google.request({ url: new URL(url), method: 'POST', headers: new Headers(), body });

/** What the telemetry reads of a reply's bytes. */
function read(url: string, body: string | readonly string[], contentType = 'application/json', status = 200) {
  const request: LlmRequest = {
    provider: 'google',
    model: undefined,
    operation: 'chat',
    stream: /sse|event/.test(contentType) || url.includes('streamGenerate'),
    ...readRequest(url, {}),
  };
  const seen = { contents: 0, ends: 0, faults: 0 };
  const reader = createReplyReader(
    google,
    { status, headers: new Headers({ 'content-type': contentType }), request, url: new URL(url) },
    {
      maxBodyBytes: 1e6,
      maxEventBytes: 1e6,
      onContent: () => seen.contents++,
      onEnd: () => seen.ends++,
      onParseError: () => seen.faults++,
    },
  );
  for (const chunk of typeof body === 'string' ? [body] : body) reader.chunk(new TextEncoder().encode(chunk));
  return { response: reader.finish(), ...seen };
}

const readWhole = (json: unknown, url = content) => read(url, JSON.stringify(json));
const toEvents = (chunks: readonly unknown[]) => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`);
const readEvents = (chunks: readonly unknown[], url = streamed) => read(url, toEvents(chunks), 'text/event-stream');

const answer = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r-1',
};
const usageOf = (usageMetadata: object) => readWhole({ ...answer, usageMetadata }).response.usage;

describe('match', () => {
  it.each([
    [content, 'generate_content'],
    [streamed, 'generate_content'],
    [`${host}/v1beta/tunedModels/mine:generateContent`, 'generate_content'],
    [`${host}/v1/models/text-embedding-004:embedContent`, 'embed'],
    [`${host}/v1beta/models/gemini-embedding-001:batchEmbedContents`, 'embed'],
    [`${host}/v1beta/models/gemini-2.5-flash:countTokens`, 'count_tokens'],
    [interactions, 'chat'],
    [compatible, 'chat'],
    [`${host}/v1beta/openai/embeddings`, 'embed'],
    ['https://gateway.corp.internal/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent', 'generate_content'],
    ['http://127.0.0.1:8080/v1beta/models/text-embedding-004:embedContent', 'embed'],
    [`${host}/v1beta/interactions/v1_abc/cancel`, undefined],
    [`${host}/v1beta/models/gemini-2.5-flash`, undefined],
    [`${host}/v1beta/models/gemini-2.5-flash:batchGenerateContent`, undefined],
    [`${host}/v1beta/models/imagen-4:predict`, undefined],
    [`${host}/v1beta/models/gemini-2.5-flash:constructor`, undefined],
    [`${host}/v1beta/cachedContents`, undefined],
    ['https://proxy.internal/v1/publishers/google/models/gemini-2.5-pro:generateContent', undefined],
    ['https://proxy.internal/v1/chat/completions', undefined],
    ['https://proxy.internal/v1beta/interactions', undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match(content, 'GET')).toBeUndefined();
  });

  it('is asked after those who know their hosts, before those who know none', () => {
    expect(google.priority).toBeLessThan(0);
    expect(google.priority).toBeGreaterThan(openai.priority!);
  });
});

describe('request', () => {
  const parameters = {
    'gen_ai.request.max_tokens': 100,
    'gen_ai.request.temperature': 0,
    'gen_ai.request.top_p': 0.9,
    'gen_ai.request.top_k': 40,
    'gen_ai.request.frequency_penalty': 0.1,
    'gen_ai.request.presence_penalty': -0.1,
    'gen_ai.request.seed': 7,
    'gen_ai.request.stop_sequences': ['END'],
    'gen_ai.request.choice.count': 2,
    'gen_ai.request.reasoning.level': 'LOW',
  };

  it.each([
    [
      'camelCase',
      {
        generationConfig: {
          maxOutputTokens: 100,
          temperature: 0,
          topP: 0.9,
          topK: 40,
          frequencyPenalty: 0.1,
          presencePenalty: -0.1,
          seed: 7,
          stopSequences: ['END', 1],
          candidateCount: 2,
          thinkingConfig: { thinkingLevel: 'LOW' },
        },
      },
    ],
    [
      'snake_case',
      {
        generation_config: {
          max_output_tokens: 100,
          temperature: 0,
          top_p: 0.9,
          top_k: 40,
          frequency_penalty: 0.1,
          presence_penalty: -0.1,
          seed: 7,
          stop_sequences: ['END'],
          candidate_count: 2,
          thinking_config: { thinking_level: 'LOW' },
        },
      },
    ],
  ])('reads the generation config in %s', (_, body) => {
    expect(readRequest(content, body)).toEqual({
      model: 'gemini-2.5-flash',
      stream: false,
      maxTokens: 100,
      parameters,
    });
  });

  it('knows model and stream by the address, whatever the body', () => {
    const stream = { 'gen_ai.request.stream': true };
    expect(readRequest(streamed, undefined)).toEqual({ model: 'gemini-2.5-flash', stream: true, parameters: stream });
    expect(readRequest(streamed, 'nonsense').model).toBe('gemini-2.5-flash');
    expect(readRequest(`${host}/v1beta/tunedModels/my%2Dmodel:generateContent`, {}).model).toBe('tunedModels/my-model');
    expect(readRequest(`${host}/v1beta/models/a%ZZ:generateContent`, {}).model).toBe('a%ZZ');
    expect(readRequest(content, { generationConfig: { candidateCount: 1 } }).parameters).toEqual({});
  });

  it('reads the dimensions of an embedding', () => {
    const { parameters } = readRequest(`${host}/v1beta/models/gemini-embedding-001:embedContent`, {
      outputDimensionality: 768,
    });
    expect(parameters).toEqual({ 'gen_ai.embeddings.dimension.count': 768 });
  });

  it('reads an interaction with a model, and one with an agent in its place', () => {
    const generation_config = { max_output_tokens: 9, thinking_level: 'high' };
    expect(readRequest(interactions, { model: 'models/gemini-3-pro', stream: true, generation_config })).toEqual({
      model: 'gemini-3-pro',
      stream: true,
      maxTokens: 9,
      parameters: {
        'gen_ai.request.max_tokens': 9,
        'gen_ai.request.reasoning.level': 'high',
        'gen_ai.request.stream': true,
      },
    });
    expect(readRequest(interactions, { agent: 'deep-research' })).toEqual({
      model: 'deep-research',
      stream: false,
      parameters: { 'gen_ai.agent.name': 'deep-research' },
    });
  });

  it('reads OpenAI’s', () => {
    expect(readRequest(compatible, { model: 'gemini-2.5-flash', reasoning_effort: 'low' })).toMatchObject({
      model: 'gemini-2.5-flash',
      parameters: { 'gen_ai.request.reasoning.level': 'low' },
    });
  });
});

describe('content', () => {
  it('is read', () => {
    const { response, faults } = readWhole(answer);
    expect(response).toEqual({
      id: 'r-1',
      model: 'gemini-2.5-flash',
      usage: { input: 10, output: 5, total: 15 },
      finishReasons: ['STOP'],
    });
    expect(faults).toBe(0);
  });

  it('adds thoughts to the output and results of tools to the input', () => {
    const usage = usageOf({
      promptTokenCount: 100,
      cachedContentTokenCount: 80,
      toolUsePromptTokenCount: 7,
      candidatesTokenCount: 20,
      thoughtsTokenCount: 30,
      totalTokenCount: 157,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 60 },
        { modality: 'AUDIO', tokenCount: 40 },
      ],
      toolUsePromptTokensDetails: [{ modality: 'AUDIO', tokenCount: 2 }],
      candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 20 }],
    });
    expect(usage).toEqual({
      input: 107,
      cacheRead: 80,
      output: 50,
      reasoning: 30,
      total: 157,
      audioInput: 42,
      audioOutput: 20,
    });
  });

  it('has an output of thoughts alone where they took all there was', () => {
    const usage = usageOf({ promptTokenCount: 10, thoughtsTokenCount: 64, totalTokenCount: 74 });
    expect(usage).toEqual({ input: 10, output: 64, reasoning: 64, total: 74 });
  });

  it('says that a prompt was blocked', () => {
    const head = { modelVersion: 'models/m', responseId: 'r-1' };
    const { response, faults } = readWhole({ promptFeedback: { blockReason: 'SAFETY' }, ...head });
    expect(response).toEqual({ id: 'r-1', model: 'm', finishReasons: ['SAFETY'] });
    expect(faults).toBe(0);
  });

  it('names the service tier', () => {
    const usageMetadata = { ...answer.usageMetadata, serviceTier: 'priority' };
    const { response } = readWhole({ ...answer, usageMetadata });
    expect(response.attributes).toEqual({ 'edgespan.service_tier': 'priority' });
  });

  it('has the reasons and calls of every candidate, by index', () => {
    const call = (name: string, id?: string) => ({ functionCall: { name, args: {}, ...(id && { id }) } });
    const candidates = [
      { index: 1, content: { parts: [call('b')] }, finishReason: 'MAX_TOKENS' },
      { index: 0, content: { parts: [{ text: 'x' }, call('a', 'id-a'), call('a')] }, finishReason: 'STOP' },
    ];
    const { response } = readWhole({ ...answer, candidates });
    expect(response.finishReasons).toEqual(['STOP', 'MAX_TOKENS']);
    expect(response.toolCalls).toEqual([{ id: 'id-a', name: 'a' }, { name: 'a' }, { name: 'b' }]);
  });

  it.each([
    ['gemini-3-pro-preview', 2],
    ['gemini-2.5-flash', 1],
    ['models/gemini-1.5-pro', 1],
    ['gemini-20-ultra', 2],
  ])('counts the searches of %s as they are billed', (modelVersion, searches) => {
    const groundingMetadata = { webSearchQueries: ['a', '', 'b', 'a', 7] };
    const candidates = [{ ...answer.candidates[0], groundingMetadata }];
    expect(readWhole({ ...answer, modelVersion, candidates }).response.usage?.webSearches).toBe(searches);
  });

  it('reads embeddings, with a count or without', () => {
    const one = { embedding: { values: [1, 2, 3] }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } };
    const attributes = { 'gen_ai.embeddings.dimension.count': 3 };
    expect(readWhole(one).response).toEqual({ usage: { input: 4, total: 4 }, attributes });
    const batchUrl = `${host}/v1beta/models/gemini-embedding-001:batchEmbedContents`;
    const batch = readWhole({ embeddings: [{ values: [1, 2, 3] }, { values: [4, 5, 6] }] }, batchUrl);
    expect(batch.response).toEqual({ attributes });
    expect(batch.faults).toBe(0);
  });

  it('counts no tokens that were only counted', () => {
    const counted = readWhole({ totalTokens: 31, promptTokensDetails: [] }, content.replace('generate', 'count'));
    expect(counted).toMatchObject({ response: {}, faults: 0 });
    expect(counted.response.usage).toBeUndefined();
  });
});

describe('a stream of content', () => {
  it('lets later counts replace earlier ones field by field, and keeps them over null', () => {
    const first = { promptTokenCount: 55, candidatesTokenCount: 3, thoughtsTokenCount: 9, cachedContentTokenCount: 4 };
    const { response, contents, ends } = readEvents([
      { ...answer, usageMetadata: first },
      { ...answer, usageMetadata: { promptTokenCount: 257, candidatesTokenCount: 2, cachedContentTokenCount: null } },
    ]);
    expect(response.usage).toEqual({ input: 257, cacheRead: 4, output: 11, reasoning: 9 });
    expect([contents, ends]).toEqual([1, 0]);
  });

  it('has its first token in a part that says something', () => {
    const part = (...parts: unknown[]) => ({ candidates: [{ content: { parts } }] });
    for (const silent of [{ text: '' }, { text: '', thoughtSignature: 's' }, { thoughtSignature: 's' }, null, 'x']) {
      expect(readEvents([part(silent)]).contents).toBe(0);
    }
    for (const spoken of [
      { text: 'a' },
      { text: 'a', thought: true },
      { functionCall: { name: 'f' } },
      { inlineData: {} },
    ]) {
      expect(readEvents([part(spoken)]).contents).toBe(1);
    }
  });

  it('counts a call whose arguments are streamed once', () => {
    const call = (functionCall: object) => ({ candidates: [{ index: 0, content: { parts: [{ functionCall }] } }] });
    const { response } = readEvents([
      call({ name: 'f', willContinue: true }),
      call({ partialArgs: [{ jsonPath: '$.a', stringValue: 'x' }], willContinue: true }),
      call({}),
      call({ name: 'f', willContinue: true }),
      call({}),
      { ...answer, candidates: [{ finishReason: 'STOP' }] },
    ]);
    expect(response.toolCalls).toEqual([{ name: 'f' }, { name: 'f' }]);
    expect(response.finishReasons).toEqual(['STOP']);
  });

  it('that was cut off says so, and keeps what it saw', () => {
    const [candidate] = answer.candidates;
    const { response, faults } = readEvents([{ ...answer, candidates: [{ ...candidate, finishReason: undefined }] }]);
    expect(response).toMatchObject({ finishReasons: ['error'], usage: { input: 10, output: 5 } });
    expect(faults).toBe(0);
  });

  it.each([1.5, -1, true, {}])('whose reason is %j, neither a word nor its number, has a fault', (finishReason) => {
    const [candidate] = answer.candidates;
    expect(readEvents([{ ...answer, candidates: [{ ...candidate, finishReason }] }]).faults).toBe(1);
  });

  it('may fail with status 200', () => {
    const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' };
    const { response, faults, ends } = readEvents([{ ...answer, candidates: [{ index: 0 }] }, { error }]);
    expect(ends, 'SDKs stop reading here').toBe(1);
    expect(response).toMatchObject({
      id: 'r-1',
      error: { type: 'UNAVAILABLE', code: '503', message: 'The model is overloaded.' },
    });
    expect(faults).toBe(0);
  });
});

describe('errors', () => {
  const error = { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED', details: [{}] };
  const expected = { error: { type: 'RESOURCE_EXHAUSTED', code: '429', message: 'Quota exceeded' } };

  it.each([content, streamed, streamed.replace('?alt=sse', ''), interactions, compatible])('of %s', (url) => {
    expect(read(url, JSON.stringify({ error }), undefined, 429).response).toEqual(expected);
    expect(read(url, JSON.stringify([{ error }]), undefined, 429).response).toEqual(expected);
  });
});

describe('interactions', () => {
  const usage = {
    total_tokens: 353,
    total_input_tokens: 11,
    total_cached_tokens: 3,
    total_output_tokens: 90,
    total_tool_use_tokens: 7,
    total_thought_tokens: 245,
    input_tokens_by_modality: [{ modality: 'audio', tokens: 5 }],
    grounding_tool_count: [
      { type: 'google_search', count: 2 },
      { type: 'google_maps', count: 9 },
    ],
  };
  const steps = [
    { type: 'thought', signature: 's' },
    { type: 'function_call', id: 'c-1', name: 'get_weather', arguments: {} },
  ];
  const whole = { id: 'v1', object: 'interaction', model: 'gemini-3-pro', status: 'requires_action', steps, usage };
  const expected = {
    id: 'v1',
    model: 'gemini-3-pro',
    usage: {
      input: 18,
      cacheRead: 3,
      output: 335,
      reasoning: 245,
      total: 353,
      audioInput: 5,
      webSearches: 2,
    },
    finishReasons: ['requires_action'],
    toolCalls: [{ id: 'c-1', name: 'get_weather' }],
    attributes: { 'edgespan.service_tier': 'standard' },
  };
  const named = (events: readonly { event_type: string }[]) =>
    events.map((event) => `event: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n`);
  const events = [
    { event_type: 'interaction.created', interaction: { ...whole, status: 'in_progress', steps: [], usage: null } },
    { event_type: 'step.start', index: 0, step: { type: 'thought' } },
    { event_type: 'step.delta', index: 0, delta: { type: 'thought_signature', signature: 's' } },
    { event_type: 'step.stop', index: 0, usage: { ...usage, total_output_tokens: 1 } },
    { event_type: 'step.start', index: 1, step: { ...steps[1], arguments: {} } },
    { event_type: 'step.delta', index: 1, delta: { type: 'arguments_delta', arguments: '{}' } },
    { event_type: 'step.stop', index: 1 },
    {
      event_type: 'interaction.completed',
      interaction: { id: 'v1', status: 'requires_action', usage, service_tier: 'standard' },
    },
  ];

  it('are read, whole and streamed', () => {
    const { response } = readWhole({ ...whole, service_tier: 'standard' }, interactions);
    expect(response).toEqual(expected);
    const stream = read(interactions, [...named(events), 'event: done\ndata: [DONE]\n\n'], 'text/event-stream');
    expect(stream).toEqual({ response: expected, contents: 1, ends: 1, faults: 0 });
    expect(read(interactions, toEvents(events), 'text/event-stream').response).toEqual(expected);
  });

  it('may name their steps at the end alone', () => {
    const completed = { event_type: 'interaction.completed', interaction: { ...whole, service_tier: 'standard' } };
    expect(read(interactions, named([events[0]!, completed]), 'text/event-stream').response).toEqual(expected);
  });

  it('that broke off say so, with the tokens they told by then', () => {
    const { response } = read(interactions, named(events.slice(0, 6)), 'text/event-stream');
    expect(response).toMatchObject({ finishReasons: ['error'], usage: { input: 18, output: 246 } });
  });

  it('may fail, in a stream too', () => {
    const failed = { id: 'v1', status: 'failed', errors: [{ code: 'internal_error', message: 'm' }] };
    const error = { type: 'internal_error', code: 'internal_error', message: 'm' };
    expect(readWhole(failed, interactions).response).toEqual({ id: 'v1', finishReasons: ['failed'], error });
    const stream = [events[0]!, { event_type: 'error', error: { code: 'internal_error', message: 'm' } }];
    expect(read(interactions, named(stream), 'text/event-stream')).toMatchObject({ response: { error }, ends: 1 });
    const update = [events[0]!, { event_type: 'interaction.status_update', status: 'failed' }];
    expect(read(interactions, named(update), 'text/event-stream').response.error).toEqual({ type: 'error' });
  });

  it('that run in the background have no end yet', () => {
    const { response, faults } = readWhole({ id: 'v1', status: 'in_progress' }, interactions);
    expect(response).toEqual({ id: 'v1' });
    expect(faults).toBe(0);
  });

  it('that ended without their counts are a fault', () => {
    expect(readWhole({ ...whole, status: 'completed', usage: undefined }, interactions).faults).toBe(1);
  });
});

describe('OpenAI’s API', () => {
  const completion = (usage: object) => ({
    id: 'c',
    object: 'chat.completion',
    model: 'models/gemini-2.5-flash',
    choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }],
    usage,
  });
  const usageIn = (usage: object) => readWhole(completion(usage), compatible).response.usage;

  it('has thoughts in its total alone', () => {
    expect(usageIn({ prompt_tokens: 11, completion_tokens: 9, total_tokens: 120 })).toEqual({
      input: 11,
      output: 109,
      reasoning: 100,
      total: 120,
    });
    expect(usageIn({ prompt_tokens: 11, completion_tokens: 9, total_tokens: 20 })).toEqual({
      input: 11,
      output: 9,
      total: 20,
    });
  });

  it('is priced as the bare model', () => {
    const { response } = readWhole(completion({ prompt_tokens: 1, completion_tokens: 1 }), compatible);
    expect(response.attributes?.['edgespan.pricing.model']).toBe('gemini-2.5-flash');
  });
});

describe('values that the SDK returned', () => {
  /** As the SDK's: a class with getters. */
  class GenerateContentResponse {
    candidates = answer.candidates;
    usageMetadata = answer.usageMetadata;
    responseId = 'r-1';
    get text() {
      return 'Hello';
    }
  }

  it('are known by their shape', () => {
    const value = new GenerateContentResponse();
    expect(google.accepts!(value)).toBe(true);
    expect(google.read!(value)).toMatchObject({ id: 'r-1', usage: { input: 10 }, finishReasons: ['STOP'] });
    expect(google.accepts!({ embeddings: [{ values: [1] }] })).toBe(true);
    expect(google.accepts!({ promptFeedback: { blockReason: 'SAFETY' } })).toBe(true);
    expect(google.accepts!({ id: 'v1', status: 'completed', steps: [] })).toBe(true);
  });

  it.each([
    [{ ...answer, createTime: '2026-01-01T00:00:00Z' }],
    [{ ...answer, usageMetadata: { trafficType: 'ON_DEMAND' } }],
    [{ candidates: [] }],
    [{ embeddings: [[1, 2]] }],
    [{ choices: [{ message: { content: 'x' } }] }],
    [[answer]],
    ['text'],
    [null],
  ])('of others are left alone: %j', (value) => {
    expect(google.accepts!(value)).toBe(false);
  });
});

describe('what is missing or mistyped', () => {
  it.each([
    ['no usage', { ...answer, usageMetadata: undefined }, undefined],
    ['renamed', { ...answer, usageMetadata: { inputTokens: 1 } }, undefined],
    ['no prompt', { ...answer, usageMetadata: { candidatesTokenCount: 5 } }, { output: 5 }],
    ['text', { ...answer, usageMetadata: { promptTokenCount: '10', candidatesTokenCount: 5 } }, { output: 5 }],
    ['negative', { ...answer, usageMetadata: { promptTokenCount: 10, candidatesTokenCount: -5 } }, { input: 10 }],
    [
      'half an output',
      { ...answer, usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 1.5, thoughtsTokenCount: 3 } },
      { input: 10, reasoning: 3 },
    ],
    ['a list', { ...answer, usageMetadata: [10, 5] }, undefined],
  ])('%s counts as one fault and becomes no number', (_, json, usage) => {
    const whole = readWhole(json);
    expect(whole.response.usage).toEqual(usage);
    expect(whole.faults).toBe(1);
    const stream = readEvents([json, json]);
    expect(stream.response.usage).toEqual(usage);
    expect(stream.faults).toBe(1);
  });

  it('never throws, whatever the JSON', () => {
    const keys = ['candidates', 'content', 'parts', 'usageMetadata', 'error', 'embeddings', 'interaction', 'usage'];
    const any = fc.jsonValue({ maxDepth: 3 });
    const key = fc.constantFrom(...keys, 'steps', 'index', 'functionCall', 'event_type', 'promptFeedback', 'step');
    const likely = fc.dictionary(key, fc.oneof(any, fc.array(fc.dictionary(key, any)), fc.dictionary(key, any)));
    const type = fc.constantFrom(undefined, 'interaction.created', 'step.start', 'step.delta', 'error', 'step.stop');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(type, fc.oneof(any, likely))),
        fc.constantFrom(streamed, interactions),
        (all, url) => {
          const request = { provider: 'google', model: undefined, operation: 'chat', stream: true };
          const reply = { status: 200, headers: new Headers(), request, url: new URL(url) };
          const reader = google.stream!(reply);
          for (const [type, json] of all) {
            reader.event({ ...(type && { type }), json });
            google.response(json, reply);
            readRequest(url, json);
            if (google.accepts!(json)) google.read!(json);
          }
          reader.result();
          takeFaults();
        },
      ),
    );
  });
});

describe('a stream and its unstreamed twin', () => {
  const count = fc.option(fc.nat(100_000), { nil: undefined });
  const arbitrary = fc.record({
    usage: fc.record({
      promptTokenCount: fc.nat(100_000),
      candidatesTokenCount: count,
      thoughtsTokenCount: count,
      cachedContentTokenCount: count,
      toolUsePromptTokenCount: count,
      totalTokenCount: count,
      serviceTier: fc.constantFrom(undefined, 'standard'),
    }),
    candidates: fc.array(
      fc.record({
        texts: fc.array(fc.constantFrom('', 'hello', '"finishReason":', '😀', '}]\r\n\r\ndata: ')),
        calls: fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 3 }),
        queries: fc.array(fc.constantFrom('', 'a', 'b'), { maxLength: 3 }),
        reason: fc.constantFrom('STOP', 'MAX_TOKENS', 'SAFETY'),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    cuts: fc.array(fc.nat(2000), { maxLength: 8 }),
  });

  function cut(text: string, cuts: readonly number[]): string[] {
    const edges = [0, ...cuts.filter((at) => at < text.length).sort((a, b) => a - b), text.length];
    return edges.slice(1).map((end, i) => text.slice(edges[i], end));
  }

  it('agree, as events and as one list, however they are cut', () => {
    fc.assert(
      fc.property(arbitrary, ({ usage, candidates, cuts }) => {
        const head = { modelVersion: 'gemini-3-pro', responseId: 'r' };
        const toCall = (name: string, id: number) => ({ functionCall: { id: String(id), name, args: {} } });
        const whole = {
          ...head,
          usageMetadata: usage,
          candidates: candidates.map(({ texts, calls, queries, reason }, index) => ({
            index,
            content: { parts: [{ text: texts.join('') }, ...calls.map(toCall)] },
            groundingMetadata: { webSearchQueries: queries },
            finishReason: reason,
          })),
        };
        const chunk = (index: number, parts: unknown[], more: object = {}) => ({
          ...head,
          usageMetadata: { promptTokenCount: 1, totalTokenCount: usage.totalTokenCount },
          candidates: [{ index, content: { parts }, ...more }],
        });
        const chunks = [
          ...candidates.flatMap(({ texts, calls, queries, reason }, index) => [
            ...texts.map((text) => chunk(index, [{ text }])),
            ...calls.map((name, id) => chunk(index, [toCall(name, id)])),
            chunk(index, [], { finishReason: reason, groundingMetadata: { webSearchQueries: queries } }),
          ]),
          { ...head, usageMetadata: usage },
        ];
        const expected: LlmResponse = readWhole(whole).response;
        expect(expected.finishReasons).toEqual(candidates.map(({ reason }) => reason));
        expect(read(streamed, cut(toEvents(chunks).join(''), cuts), 'text/event-stream').response).toEqual(expected);
        const list = `[${chunks.map((item) => JSON.stringify(item)).join(',\r\n')}]`;
        const asList = read(streamed.replace('?alt=sse', ''), cut(list, cuts));
        expect(asList.response).toEqual(expected);
      }),
    );
  });
});
