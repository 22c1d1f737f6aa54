import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeFaults } from '../../../src/llm/faults.ts';
import { bedrock } from '../../../src/llm/providers/bedrock.ts';
import { chunk, event, exception, readRequest, replyOf, respond, stream } from './bedrock-calls.ts';

const at = (model: string) => `/model/${model}/invoke`;
const streamed = (model: string) => `/model/${model}/invoke-with-response-stream`;
const counts = { 'x-amzn-bedrock-input-token-count': '10', 'x-amzn-bedrock-output-token-count': '5' };
const metrics = {
  'amazon-bedrock-invocationMetrics': { inputTokenCount: 10, outputTokenCount: 5, invocationLatency: 9 },
};

describe('request', () => {
  const limits = (body: object) => {
    const { maxTokens, parameters } = readRequest(at('a.b'), body);
    return [maxTokens, parameters?.['gen_ai.request.temperature'], parameters?.['gen_ai.request.top_p']];
  };
  it.each([
    ['Anthropic', { max_tokens: 9, temperature: 0.5, top_p: 0.9 }],
    ['legacy Claude', { max_tokens_to_sample: 9, temperature: 0.5, top_p: 0.9 }],
    ['Nova', { inferenceConfig: { max_new_tokens: 9, temperature: 0.5, topP: 0.9 } }],
    ['Nova, newer', { inferenceConfig: { maxTokens: 9, temperature: 0.5, topP: 0.9 } }],
    ['Titan', { textGenerationConfig: { maxTokenCount: 9, temperature: 0.5, topP: 0.9 } }],
    ['Llama', { max_gen_len: 9, temperature: 0.5, top_p: 0.9 }],
    ['Cohere', { max_tokens: 9, temperature: 0.5, p: 0.9 }],
    ['AI21', { maxTokens: 9, temperature: 0.5, topP: 0.9 }],
    ['gpt-oss', { max_completion_tokens: 9, temperature: 0.5, top_p: 0.9 }],
  ])('of %s', (_vendor, body) => {
    expect(limits(body)).toEqual([9, 0.5, 0.9]);
  });

  it('reads what else models take', () => {
    const body = { top_k: 3, seed: 7, n: 2, stop: ['a'], reasoning_effort: 'low' };
    expect(readRequest(streamed('openai.gpt-oss-20b-1:0'), body).parameters).toEqual({
      'gen_ai.request.top_k': 3,
      'gen_ai.request.seed': 7,
      'gen_ai.request.choice.count': 2,
      'gen_ai.request.stop_sequences': ['a'],
      'gen_ai.request.reasoning.level': 'low',
      'gen_ai.request.stream': true,
      'cloud.region': 'us-east-1',
    });
    const dimensions = (fields: object) =>
      readRequest(at('x.embed'), fields).parameters?.['gen_ai.embeddings.dimension.count'];
    expect(dimensions({ dimensions: 256 })).toBe(256);
    expect(dimensions({ output_dimension: 512 })).toBe(512);
    expect(dimensions({ singleEmbeddingParams: { embeddingDimension: 1024 } })).toBe(1024);
  });

  it('has its guardrail in headers', () => {
    const headers = { 'X-Amzn-Bedrock-GuardrailIdentifier': 'g', 'X-Amzn-Bedrock-GuardrailVersion': '1' };
    expect(readRequest(at('a.b'), {}, headers).guardrail).toEqual({ id: 'g', version: '1' });
  });
});

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, cache_read_input_tokens: 7, output_tokens: 5 },
};
const start = { ...message, content: [], stop_reason: null };
const chat = (part: object) => ({ id: 'c', model: 'm', choices: [{ index: 0, ...part }] });

/** By vendor: the model, the whole body, the chunks that make the same. */
const vendors: [name: string, model: string, whole: object, chunks: object[]][] = [
  [
    'Anthropic',
    'anthropic.claude-haiku-4-5-v1:0',
    message,
    [
      { type: 'message_start', message: start },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'H' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'i' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ],
  ],
  [
    'Nova',
    'amazon.nova-lite-v1:0',
    {
      output: { message: { role: 'assistant', content: [{ text: 'Hi' }, { toolUse: { toolUseId: 't', name: 'f' } }] } },
      stopReason: 'tool_use',
      usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, cacheReadInputTokenCount: 0 },
    },
    [
      { messageStart: { role: 'assistant' } },
      { contentBlockDelta: { delta: { text: 'Hi' }, contentBlockIndex: 0 } },
      { contentBlockStart: { start: { toolUse: { toolUseId: 't', name: 'f' } }, contentBlockIndex: 1 } },
      { messageStop: { stopReason: 'tool_use' } },
      { metadata: { usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, cacheReadInputTokenCount: 0 } } },
    ],
  ],
  [
    'Titan',
    'amazon.titan-text-express-v1',
    { inputTextTokenCount: 10, results: [{ tokenCount: 5, outputText: 'Hi', completionReason: 'FINISH' }] },
    [
      { outputText: 'H', index: 0, totalOutputTextTokenCount: null, completionReason: null, inputTextTokenCount: 10 },
      {
        outputText: 'i',
        index: 0,
        totalOutputTextTokenCount: 5,
        completionReason: 'FINISH',
        inputTextTokenCount: null,
      },
    ],
  ],
  [
    'Llama',
    'meta.llama3-1-8b-instruct-v1:0',
    { generation: 'Hi', prompt_token_count: 10, generation_token_count: 5, stop_reason: 'stop' },
    [
      { generation: 'H', prompt_token_count: 10, generation_token_count: 1, stop_reason: null },
      { generation: 'i', prompt_token_count: null, generation_token_count: 4, stop_reason: null },
      { generation: '', prompt_token_count: null, generation_token_count: 5, stop_reason: 'stop' },
    ],
  ],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-pegasus.html
  [
    'TwelveLabs',
    'twelvelabs.pegasus-1-2-v1:0',
    { message: 'Hi', finishReason: 'length' },
    [
      { message: 'H', finishReason: null },
      { message: 'i', finishReason: 'length' },
    ],
  ],
  [
    'Mistral',
    'mistral.mistral-7b-instruct-v0:2',
    { outputs: [{ text: 'Hi', stop_reason: 'stop' }] },
    [{ outputs: [{ text: 'Hi', stop_reason: null }] }, { outputs: [{ text: '', stop_reason: 'stop' }] }],
  ],
  [
    'Mistral’s chat',
    'mistral.mistral-large-2402-v1:0',
    chat({ message: { content: 'Hi' }, stop_reason: 'stop' }),
    [chat({ delta: { content: 'Hi' }, stop_reason: null }), chat({ delta: {}, stop_reason: 'stop' })],
  ],
  [
    'Cohere',
    'cohere.command-text-v14',
    { id: 'c', generations: [{ id: 'g', text: 'Hi', finish_reason: 'COMPLETE' }], prompt: '?' },
    [
      { text: 'Hi', is_finished: false, index: 0 },
      { is_finished: true, finish_reason: 'COMPLETE', index: 0 },
    ],
  ],
  [
    'Cohere’s tools',
    'cohere.command-r-plus-v1:0',
    { text: '', tool_calls: [{ name: 'f', parameters: {} }], finish_reason: 'COMPLETE' },
    [
      { event_type: 'text-generation', text: 'I will', is_finished: false },
      { event_type: 'tool-calls-generation', tool_calls: [{ name: 'f', parameters: {} }], is_finished: false },
      { event_type: 'stream-end', finish_reason: 'COMPLETE', response: { text: '' }, is_finished: true },
    ],
  ],
  [
    'DeepSeek',
    'us.deepseek.r1-v1:0',
    { choices: [{ text: 'Hi', stop_reason: 'stop' }] },
    [{ choices: [{ text: 'Hi', stop_reason: null }] }, { choices: [{ text: '', stop_reason: 'stop' }] }],
  ],
  [
    'gpt-oss and AI21',
    'openai.gpt-oss-20b-1:0',
    {
      ...chat({ message: { content: 'Hi' }, finish_reason: 'stop' }),
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    },
    [
      chat({ delta: { content: 'Hi' }, finish_reason: null }),
      chat({ delta: {}, finish_reason: 'stop' }),
      { id: 'c', model: 'm', choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } },
    ],
  ],
  [
    'Claude’s completions',
    'anthropic.claude-v2',
    { type: 'completion', completion: 'Hi', stop_reason: 'stop_sequence', stop: '\n' },
    [
      { type: 'completion', completion: 'Hi', stop_reason: null },
      { type: 'completion', completion: '', stop_reason: 'stop_sequence' },
    ],
  ],
];

describe.each(vendors)('%s', (_name, model, whole, chunks) => {
  const frames = chunks.map((part, i) => chunk({ ...part, ...(i === chunks.length - 1 && metrics) }));
  const { response, faulty } = respond(at(model), whole, { headers: counts });

  it('is counted', () => {
    expect(response.usage).toMatchObject({ input: 10, output: 5 });
    expect(response.finishReasons).toHaveLength(1);
    expect(faulty).toBe(false);
  });

  it('streams to the same, however it is cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 3000 }), (size) => {
        const seen = stream(streamed(model), frames, {}, size);
        expect(seen).toEqual({ response, contents: 1, ends: 1, parseErrors: 0 });
      }),
      { numRuns: 20 },
    );
  });

  it('breaks off without a reason', () => {
    const seen = stream(streamed(model), [...frames.slice(0, 1), exception('modelStreamErrorException', 'no')]);
    expect(seen.response.error).toEqual({ type: 'ModelStreamErrorException', message: 'no' });
    expect(seen.response.finishReasons).toEqual(['error']);
    expect(seen).toMatchObject({ ends: 1, parseErrors: 0 });
  });
});

describe('counts', () => {
  const cached = {
    'x-amzn-bedrock-cache-read-input-token-count': '90',
    'x-amzn-bedrock-cache-write-input-token-count': '0',
  };
  const text = { outputs: [{ text: 'Hi', stop_reason: 'stop' }] };

  it('of the headers leave the cache out of the input', () => {
    const { response } = respond(at('mistral.x'), text, { headers: { ...counts, ...cached } });
    expect(response.usage).toEqual({ input: 100, cacheRead: 90, cacheWrite: 0, output: 5 });
  });

  it('of the body win, and are never mixed with the headers’', () => {
    const llama = { generation: 'Hi', prompt_token_count: 12, stop_reason: 'stop' };
    const { response } = respond(at('meta.llama'), llama, { headers: { ...counts, ...cached } });
    expect(response.usage).toEqual({ input: 12, output: 5 });
  });

  it('that are nowhere are unknown, and a fault', () => {
    expect(respond(at('mistral.x'), text)).toEqual({ response: { finishReasons: ['stop'] }, faulty: true });
    expect(respond(at('cohere.rerank-v3-5:0'), { results: [{ index: 0, relevance_score: 1 }] }).faulty).toBe(false);
    expect(respond(at('stability.sd3'), { images: ['a'], finish_reasons: [null] }).faulty).toBe(false);
  });

  it.each(['', '-1', '1.5', 'ten', '99999999999999999999'])('are not made up from %j', (count) => {
    const headers = { 'x-amzn-bedrock-input-token-count': count };
    const { response, faulty } = respond(at('mistral.x'), text, { headers });
    expect(response.usage).toBeUndefined();
    expect(faulty).toBe(true);
  });

  it('at the end of a stream with the cache, once', () => {
    const field = 'amazon-bedrock-invocationMetrics';
    const counted = { inputTokenCount: 3, cacheReadInputTokenCount: 7, outputTokenCount: 5 };
    const frames = [
      chunk({ outputs: [{ text: 'Hi', stop_reason: 'stop' }] }),
      chunk({ outputs: [], [field]: counted }),
    ];
    expect(stream(streamed('mistral.x'), frames).response.usage).toEqual({ input: 10, cacheRead: 7, output: 5 });
    const renamed = [frames[0]!, chunk({ outputs: [], [field]: { tokens: 3 } })];
    expect(stream(streamed('mistral.x'), renamed)).toMatchObject({ ends: 1, parseErrors: 1 });
  });
});

it('embeddings have dimensions and an input', () => {
  const headers = { 'x-amzn-bedrock-input-token-count': '10' };
  const bodies = [
    { embedding: [1, 2, 3], inputTextTokenCount: 10 },
    { embeddingsByType: { float: [1, 2, 3] }, inputTextTokenCount: 10 },
    { embeddings: [[1, 2, 3]], response_type: 'embeddings_floats' },
    { embeddings: { float: [[1, 2, 3]] }, response_type: 'embeddings_by_type' },
    { embeddings: [{ embeddingType: 'TEXT', embedding: [1, 2, 3] }] },
  ];
  for (const body of bodies) {
    expect(respond(at('x.embed'), body, { headers, request: { operation: 'embed' } })).toEqual({
      response: { usage: { input: 10 }, attributes: { 'gen_ai.embeddings.dimension.count': 3 } },
      faulty: false,
    });
  }
});

describe('guardrail', () => {
  const request = { guardrail: { id: 'g' } };
  const found = { sensitiveInformationPolicy: { regexes: [{ name: 'n', match: 'm', action: 'ANONYMIZED' }] } };
  const trace = { guardrail: { input: { g: { invocationMetrics: {} } }, outputs: [{ g: found }] } };
  const said = { 'amazon-bedrock-guardrailAction': 'INTERVENED', 'amazon-bedrock-trace': trace };
  const guardrail = { id: 'g', action: 'GUARDRAIL_INTERVENED', categories: ['SENSITIVE_INFORMATION_POLICY'] };

  it('says what it did in the body', () => {
    const body = { ...message, ...said };
    const { response } = respond(at('anthropic.x'), body, { request });
    expect(response.guardrail).toEqual(guardrail);
    expect(response.finishReasons).toBeUndefined();
    const quiet = respond(at('anthropic.x'), { ...message, 'amazon-bedrock-guardrailAction': 'NONE' }, { request });
    expect(quiet.response).toMatchObject({ guardrail: { id: 'g', action: 'NONE' }, finishReasons: ['end_turn'] });
  });

  it('says so in any chunk of a stream', () => {
    const [, , , chunks] = vendors[0]!;
    for (let i = 0; i < chunks.length; i++) {
      const frames = chunks.map((part, at) => chunk({ ...part, ...(at === i && said) }));
      const { response } = stream(streamed('anthropic.x'), frames, { request });
      expect(response.guardrail, String(i)).toEqual(guardrail);
    }
  });
});

describe('what is no chunk', () => {
  it('of base64 or JSON is a parse error, once', () => {
    const broken = [event('chunk', { bytes: '***' }), event('chunk', { bytes: btoa('{') }), event('chunk', {})];
    expect(stream(streamed('meta.x'), broken)).toMatchObject({ response: {}, parseErrors: 1 });
  });

  it('is passed over where it is another event', () => {
    expect(stream(streamed('meta.x'), [event('initial-response', {})])).toMatchObject({ parseErrors: 0 });
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (json) => void bedrock.response(json, replyOf(at('a.b')))));
    const field = fc.constantFrom('results', 'outputs', 'generations', 'choices', 'embeddings', 'tool_calls', 'type');
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (body) => {
        void bedrock.response(body, replyOf(at('a.b')));
        stream(streamed('a.b'), [chunk(body), chunk(body)]);
      }),
    );
  });
});

it('is known as the value of an SDK, whose body is bytes', () => {
  const output = {
    body: new TextEncoder().encode(JSON.stringify(message)),
    contentType: 'application/json',
    $metadata: {},
  };
  expect(bedrock.accepts!(output)).toBe(true);
  expect(bedrock.read!(output)).toMatchObject({ id: 'msg_1', usage: { input: 10, cacheRead: 7, output: 5 } });
  const uncounted = { ...output, body: new TextEncoder().encode('{"outputs":[{"text":"Hi","stop_reason":"stop"}]}') };
  takeFaults();
  expect(bedrock.read!(uncounted)).toEqual({ finishReasons: ['stop'] });
  expect(takeFaults()).toBe(false);
});

it('is known as the items of an SDK, which are bytes too', () => {
  const items = vendors[0]![3].map((part) => ({ chunk: { bytes: new TextEncoder().encode(JSON.stringify(part)) } }));
  const reader = bedrock.items!(items[0])!;
  const content = items.map((item) => reader.item(item)).filter((outcome) => outcome === 'content');
  expect(content).toHaveLength(2);
  expect(reader.result()).toMatchObject({ id: 'msg_1', usage: { input: 10, output: 5 }, finishReasons: ['end_turn'] });
});
