import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bedrock } from '../../../src/llm/providers/bedrock.ts';
import { event, exception, readRequest, replyOf, respond, stream } from './bedrock-calls.ts';

const path = '/model/amazon.nova-lite-v1%3A0/converse';
const streamPath = `${path}-stream`;
const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };
const reply = (over: object = {}) => ({
  output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
  stopReason: 'end_turn',
  usage,
  metrics: { latencyMs: 1 },
  ...over,
});
const read = (over: object) => respond(path, reply(over)).response;

it('request reads the parameters', () => {
  const body = {
    inferenceConfig: { maxTokens: 9, temperature: 0, topP: 0.5, stopSequences: ['x'] },
    additionalModelRequestFields: { top_k: 4, output_config: { effort: 'high' } },
    guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: 'DRAFT' },
  };
  expect(readRequest(streamPath, body)).toEqual({
    model: 'amazon.nova-lite-v1:0',
    stream: true,
    maxTokens: 9,
    guardrail: { id: 'g', version: 'DRAFT' },
    parameters: {
      'gen_ai.request.max_tokens': 9,
      'gen_ai.request.temperature': 0,
      'gen_ai.request.top_p': 0.5,
      'gen_ai.request.top_k': 4,
      'gen_ai.request.stop_sequences': ['x'],
      'gen_ai.request.reasoning.level': 'high',
      'gen_ai.request.stream': true,
      'cloud.region': 'us-east-1',
      'aws.bedrock.guardrail.id': 'g',
    },
  });
  expect(readRequest(path, undefined)).toMatchObject({ model: 'amazon.nova-lite-v1:0', stream: false });
});

describe('a reply', () => {
  it('adds cache reads and writes to the input', () => {
    const details = [
      { ttl: '5m', inputTokens: 60 },
      { ttl: '1h', inputTokens: 40 },
    ];
    const cached = { ...usage, cacheReadInputTokens: 7, cacheWriteInputTokens: 100, cacheDetails: details };
    expect(read({ usage: { ...cached, totalTokens: 122 } }).usage).toEqual({
      input: 117,
      cacheRead: 7,
      cacheWrite: 100,
      cacheWrite1h: 40,
      output: 5,
      total: 122,
    });
    expect(read({}).usage).toEqual({ input: 10, output: 5, total: 15 });
  });

  it('names the application’s tools, not the host’s', () => {
    const content = [
      { text: 'Let me see.' },
      { toolUse: { toolUseId: 't1', name: 'get_weather', input: {} } },
      { toolUse: { toolUseId: 't2', name: 'nova_grounding', type: 'server_tool_use', input: {} } },
    ];
    expect(read({ output: { message: { content } } }).toolCalls).toEqual([{ id: 't1', name: 'get_weather' }]);
  });

  it('is priced as the model that a prompt router chose', () => {
    const invokedModelId = 'arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-5-haiku-20241022-v1:0';
    expect(read({ trace: { promptRouter: { invokedModelId } } }).attributes).toEqual({
      'edgespan.pricing.model': 'us.anthropic.claude-3-5-haiku-20241022-v1:0',
    });
  });

  it('keeps AWS’s id of the request', () => {
    const { response } = respond(path, reply(), { headers: { 'x-amzn-requestid': 'r-1' } });
    expect(response).toEqual({
      usage: { input: 10, output: 5, total: 15 },
      finishReasons: ['end_turn'],
      attributes: { 'aws.request_id': 'r-1' },
    });
  });

  it.each([
    ['no usage', { usage: undefined }],
    ['renamed counts', { usage: { input: 1, output: 2 } }],
    ['a text for a count', { usage: { ...usage, inputTokens: '10' } }],
    ['half a token', { usage: { ...usage, outputTokens: 1.5 } }],
    ['less than nothing', { usage: { ...usage, cacheReadInputTokens: -1 } }],
  ])('with %s is a fault, and nothing is made up', (_name, over) => {
    const { response, faulty } = respond(path, reply(over));
    expect(faulty).toBe(true);
    expect(response.finishReasons).toEqual(['end_turn']);
    for (const count of Object.values(response.usage ?? {})) expect([10, 5, 15]).toContain(count);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (json) => void bedrock.response(json, replyOf(path))));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('output', 'usage', 'trace', 'stopReason'), fc.anything()), (json) => {
        void bedrock.response(json, replyOf(path));
      }),
    );
  });

  it('is known as a value by its shape', () => {
    expect(bedrock.accepts!(reply())).toBe(true);
    expect(bedrock.read!(reply())).toMatchObject({ usage: { input: 10 }, finishReasons: ['end_turn'] });
    expect(bedrock.accepts!({ output: [], stopReason: 'x' })).toBe(false);
  });
});

describe('guardrail', () => {
  const pii = { piiEntities: [{ type: 'NAME', match: 'Jo', action: 'ANONYMIZED', detected: true }] };
  const quiet = { filters: [{ type: 'GROUNDING', score: 0.9, threshold: 0.5, action: 'NONE', detected: false }] };
  const guardrail = {
    inputAssessment: { g1: { topicPolicy: { topics: [{ name: 'x', type: 'DENY', action: 'BLOCKED' }] } } },
    outputAssessments: {
      g1: [
        { sensitiveInformationPolicy: pii, contextualGroundingPolicy: quiet },
        { wordPolicy: { customWords: [], managedWordLists: [{ match: 'x', type: 'PROFANITY', action: 'BLOCKED' }] } },
      ],
    },
    actionReason: 'Guardrail blocked.',
  };
  const requested = { request: { guardrail: { id: 'arn:g1', version: '1' } } };

  it('that intervened says by which policies', () => {
    expect(read({ stopReason: 'guardrail_intervened', trace: { guardrail } }).guardrail).toEqual({
      id: 'g1',
      action: 'GUARDRAIL_INTERVENED',
      categories: ['TOPIC_POLICY', 'WORD_POLICY', 'SENSITIVE_INFORMATION_POLICY'],
    });
  });

  it('that found nothing, or does not say what', () => {
    const none = { guardrail: { inputAssessment: { g1: { contextualGroundingPolicy: quiet } } } };
    expect(read({ trace: none }).guardrail).toEqual({ id: 'g1', action: 'NONE' });
    const listed = { guardrail: { inputAssessment: { g1: { contentPolicy: { filters: [{ action: 'NONE' }] } } } } };
    expect(read({ trace: listed }).guardrail).toEqual({ id: 'g1', action: 'NONE' });
    const untraced = respond(path, reply({ stopReason: 'guardrail_intervened' }), requested).response;
    expect(untraced.guardrail).toEqual({ id: 'arn:g1', action: 'GUARDRAIL_INTERVENED' });
    expect(respond(path, reply(), requested).response.guardrail).toEqual({ id: 'arn:g1', action: 'NONE' });
    expect(read({}).guardrail).toBeUndefined();
  });
});

describe('a stream', () => {
  const toolUse = { toolUseId: 't1', name: 'get_weather' };
  const trace = { guardrail: { inputAssessment: { g: { contentPolicy: { filters: [{ action: 'BLOCKED' }] } } } } };
  const frames = [
    event('messageStart', { role: 'assistant' }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: '' } }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } }),
    event('contentBlockStop', { contentBlockIndex: 0 }),
    event('contentBlockStart', { contentBlockIndex: 1, start: { toolUse } }),
    event('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '{}' } } }),
    event('contentBlockStop', { contentBlockIndex: 1 }),
    event('messageStop', { stopReason: 'tool_use' }),
    event('metadata', { usage, metrics: { latencyMs: 2 }, trace, p: 'abc' }),
  ];

  it('gives what its unstreamed twin gives, however it is cut', () => {
    const whole = reply({
      output: { message: { content: [{ text: 'Hi' }, { toolUse }] } },
      stopReason: 'tool_use',
      trace,
    });
    const headers = { 'x-amzn-requestid': 'r' };
    const { response } = respond(path, whole, { headers });
    expect(response.toolCalls).toEqual([{ id: 't1', name: 'get_weather' }]);
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 2000 }), (size) => {
        const seen = stream(streamPath, frames, { headers }, size);
        expect(seen).toEqual({ response, contents: 1, ends: 1, parseErrors: 0 });
      }),
    );
  });

  it('has its first token with the first text, picture, thought or tool input that is not empty', () => {
    const outcome = (delta: object) => {
      const reader = bedrock.stream!(replyOf(streamPath));
      return reader.event({ type: 'contentBlockDelta', json: { contentBlockIndex: 0, delta } });
    };
    expect(outcome({ text: 'a' })).toBe('content');
    expect(outcome({ toolUse: { input: '{' } })).toBe('content');
    expect(outcome({ image: { source: { bytes: 'iVBO' } } })).toBe('content');
    expect(outcome({ reasoningContent: { text: 'a' } })).toBe('content');
    expect(outcome({ text: '' })).toBeUndefined();
    expect(outcome({ toolUse: { input: '' } })).toBeUndefined();
    expect(outcome({ reasoningContent: { signature: 'a' } })).toBeUndefined();
  });

  it('that breaks off has no usage and no reason', () => {
    expect(stream(streamPath, frames.slice(0, 4))).toEqual({
      response: { finishReasons: ['error'] },
      contents: 1,
      ends: 0,
      parseErrors: 0,
    });
    expect(stream(streamPath, frames.slice(0, 8)).response).toMatchObject({ finishReasons: ['tool_use'] });
  });

  it('may fail with status 200', () => {
    const failed = stream(streamPath, [...frames.slice(0, 4), exception('throttlingException', 'slow')]);
    expect(failed).toEqual({
      response: { finishReasons: ['error'], error: { type: 'ThrottlingException', message: 'slow' } },
      contents: 1,
      ends: 1,
      parseErrors: 0,
    });
  });

  it('without its counts at the end is a fault', () => {
    const broken = [...frames.slice(0, 8), event('metadata', { usage: { tokens: 3 } })];
    expect(stream(streamPath, broken)).toMatchObject({ ends: 1, parseErrors: 1 });
    expect(stream(streamPath, broken).response.usage).toBeUndefined();
  });

  it('goes on after a damaged frame, which counts', () => {
    const damaged = frames[2]!.map((byte, i, { length }) => (i === length - 6 ? byte ^ 1 : byte));
    const seen = stream(streamPath, [...frames.slice(0, 2), damaged, ...frames.slice(3)]);
    expect(seen).toMatchObject({ ends: 1, parseErrors: 1, response: { usage: { input: 10 } } });
  });

  it('is read from the items of an SDK as well', () => {
    const items = [
      { messageStart: { role: 'assistant' } },
      { contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'Hi' } } },
      { messageStop: { stopReason: 'end_turn' } },
      { metadata: { usage } },
    ];
    const reader = bedrock.items!(items[0])!;
    expect(items.map((item) => reader.item(item))).toEqual([undefined, 'content', undefined, 'end']);
    expect(reader.result()).toEqual(respond(path, reply()).response);
    expect(bedrock.items!({ type: 'message_start', message: {} })).toBeUndefined();
  });
});
