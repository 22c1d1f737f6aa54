import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mistral } from '../../../src/llm/providers/mistral.ts';
import {
  anyCuts,
  anyText,
  count,
  type Events,
  expectNeverThrows,
  expectTwins,
  replayJson,
  replaySse,
} from './replay.ts';

const host = 'https://api.mistral.ai';
const url = `${host}/v1/chat/completions`;
const conversations = `${host}/v1/conversations`;
const match = (href: string, method = 'POST') => mistral.match({ url: new URL(href), method });
const request = (body: unknown, href = url) =>
  mistral.request({ url: new URL(href), method: 'POST', headers: new Headers(), body });
const completion = (usage: unknown, content: unknown = 'a') => ({
  id: 'c',
  model: 'mistral-large-latest',
  choices: [{ index: 0, message: { content, tool_calls: null }, finish_reason: 'stop' }],
  usage,
});
const usage = { prompt_tokens: 11, total_tokens: 54, completion_tokens: 43 };

describe('match', () => {
  it.each([
    [url, 'chat'],
    [`${url}#stream`, 'chat'],
    [`${host}/v1/agents/completions#stream`, 'chat'],
    [`${host}/v1/fim/completions`, 'text_completion'],
    ['https://codestral.mistral.ai/v1/fim/completions', 'text_completion'],
    [`${host}/v1/embeddings`, 'embed'],
    [conversations, 'chat'],
    [`${conversations}#stream`, 'chat'],
    [`${conversations}/conv_1`, 'chat'],
    [`${conversations}/conv_1/restart#stream`, 'chat'],
    [`${conversations}/conv_1/history`, undefined],
    [`${host}/v1/agents`, undefined],
    [`${host}/v1/ocr`, undefined],
    [`${host}/v1/moderations`, undefined],
    ['https://mistral.ai/v1/chat/completions', undefined],
  ])('%s is %s', (href, operation) => {
    expect(match(href)).toBe(operation);
  });

  it('only takes POST, and has the convention’s name', () => {
    expect(match(`${conversations}/conv_1`, 'GET')).toBeUndefined();
    expect(mistral.semconvName).toBe('mistral_ai');
  });
});

describe('request', () => {
  it('reads the parameters under their own names', () => {
    const body = { model: 'm', max_tokens: 5, random_seed: 7, stop: ['a'], reasoning_effort: 'high', stream: true };
    expect(request(body)).toEqual({
      model: 'm',
      stream: true,
      maxTokens: 5,
      parameters: {
        'gen_ai.request.max_tokens': 5,
        'gen_ai.request.seed': 7,
        'gen_ai.request.stop_sequences': ['a'],
        'gen_ai.request.reasoning.level': 'high',
        'gen_ai.request.stream': true,
        'openai.api.type': 'chat_completions',
      },
    });
    expect(request({ model: 'codestral-embed', output_dimension: 256 }, `${host}/v1/embeddings`).parameters).toEqual({
      'gen_ai.embeddings.dimension.count': 256,
    });
    expect(request({ agent_id: 'ag_1' }, `${host}/v1/agents/completions`)).toEqual({
      stream: false,
      parameters: { 'gen_ai.agent.id': 'ag_1' },
    });
  });

  it('of a conversation has them apart', () => {
    const completion_args = { temperature: 0.3, max_tokens: 9, random_seed: 1, stop: null };
    expect(request({ model: 'm', inputs: 'Hi', stream: true, completion_args }, `${conversations}/conv_1`)).toEqual({
      model: 'm',
      stream: true,
      maxTokens: 9,
      parameters: {
        'gen_ai.request.temperature': 0.3,
        'gen_ai.request.max_tokens': 9,
        'gen_ai.request.seed': 1,
        'gen_ai.request.stream': true,
        'gen_ai.conversation.id': 'conv_1',
      },
    });
    expect(request(undefined, conversations)).toEqual({ stream: false, parameters: {} });
  });

  it('is never asked for usage: it comes by itself, and the option is refused', () => {
    const body = { model: 'm', stream: true };
    expect(mistral.includeUsage?.({ url: new URL(url), method: 'POST', headers: new Headers(), body })).toBeUndefined();
  });
});

describe('chat completions', () => {
  it.each([
    { prompt_tokens_details: { cached_tokens: 8 } },
    { prompt_token_details: { cached_tokens: 8 } },
    { num_cached_tokens: 8 },
    { num_cached_tokens: 8, prompt_tokens_details: null },
    { num_cached_tokens: 8, prompt_token_details: { cached_tokens: 8 }, prompt_tokens_details: { cached_tokens: 8 } },
  ])('say what was cached: %j', (more) => {
    const { response, parseErrors } = replayJson(mistral, url, completion({ ...usage, ...more }));
    expect(response.usage).toEqual({ input: 11, cacheRead: 8, output: 43, total: 54 });
    expect(parseErrors).toBe(0);
  });

  it('name the tier they were served in', () => {
    const { response } = replayJson(mistral, url, completion({ ...usage, service_tier: 'priority' }));
    expect(response.attributes).toEqual({ 'edgespan.service_tier': 'priority' });
    const sdk = { ...completion({ promptTokens: 1, completionTokens: 2, totalTokens: 3, serviceTier: 'standard' }) };
    expect(mistral.read!(sdk).attributes).toEqual({ 'edgespan.service_tier': 'standard' });
  });

  it.each<[unknown, number]>([
    ['', 0],
    [[], 0],
    [[{ type: 'text', text: '' }], 0],
    [[{ type: 'thinking', thinking: [{ type: 'text', text: '' }] }], 0],
    ['a', 1],
    [[{ type: 'text', text: 'a' }], 1],
    [[{ type: 'thinking', thinking: [{ type: 'text', text: 'a' }] }], 1],
    [[{ type: 'reference', reference_ids: [1] }], 1],
  ])('whose first content is %j have %i first tokens', (content, contents) => {
    const chunk = { id: 'c', choices: [{ index: 0, delta: { content }, finish_reason: null }] };
    expect(replaySse(mistral, url, [chunk]).contents).toBe(contents);
  });

  it('agree, streamed or not', () => {
    const part = fc.oneof(
      anyText,
      anyText.map((text) => [{ type: 'thinking', thinking: [{ type: 'text', text }] }]),
    );
    const call = fc.record({ id: fc.constantFrom('a', 'b'), name: fc.constantFrom('f', 'g') });
    fc.assert(
      fc.property(
        count,
        count,
        fc.array(part),
        fc.array(call, { maxLength: 3 }),
        anyCuts,
        (input, output, parts, calls, cuts) => {
          const usage = { prompt_tokens: input, total_tokens: input + output, completion_tokens: output };
          const tool_calls = calls.map(({ id, name }, index) => ({ id, index, function: { name, arguments: '{}' } }));
          const head = { id: 'c', model: 'm' };
          const message = { content: '', tool_calls };
          const json = { ...head, choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage };
          const chunk = (delta: object, finish_reason: string | null = null, rest: object = {}) => ({
            ...head,
            choices: [{ index: 0, delta, finish_reason }],
            ...rest,
            p: 'abcdef',
          });
          const events = [
            chunk({ role: 'assistant', content: '' }),
            ...parts.map((content) => chunk({ content })),
            chunk({ content: '', tool_calls }, 'tool_calls', { usage }),
            '[DONE]',
          ];
          expectTwins(mistral, url, json, events, cuts);
        },
      ),
    );
  });

  it.each<[string, unknown]>([
    ['no usage', undefined],
    ['renamed', { promptTokens: 11 }],
    ['text for a count', { ...usage, prompt_tokens: '11' }],
    ['a wrong count of the cached', { ...usage, num_cached_tokens: -8 }],
  ])('with %s: unknown, and counted once', (_, usage) => {
    const { response, parseErrors } = replayJson(mistral, url, completion(usage));
    expect(response.usage?.cacheRead).toBeUndefined();
    expect([11, undefined]).toContain(response.usage?.input);
    expect(parseErrors).toBe(1);
  });
});

describe('errors', () => {
  it.each<[number, unknown, object]>([
    [
      429,
      { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', param: null, code: '1300' },
      { type: 'rate_limited', code: '1300', message: 'Rate limit exceeded' },
    ],
    [
      422,
      {
        object: 'error',
        message: {
          detail: [{ type: 'extra_forbidden', loc: ['body', 'top_k'], msg: 'Extra inputs are not permitted' }],
        },
        type: 'invalid_request_error',
        code: null,
      },
      { type: 'invalid_request_error', message: 'Extra inputs are not permitted' },
    ],
    [
      422,
      { detail: [{ loc: ['body', 'model'], msg: 'Field required', type: 'missing' }] },
      { type: 'missing', message: 'Field required' },
    ],
    [404, { detail: 'Not Found' }, { type: '404', message: 'Not Found' }],
    [401, { message: 'Unauthorized', request_id: 'r' }, { type: '401', message: 'Unauthorized' }],
    [500, {}, { type: '500' }],
  ])('%i %j', (status, body, error) => {
    for (const href of [url, conversations]) {
      const { response, parseErrors } = replayJson(mistral, href, body, { status });
      expect(response).toEqual({ error });
      expect(parseErrors).toBe(0);
    }
  });

  it('inside a stream', () => {
    const error = { object: 'error', message: 'm', type: 'internal_server_error', code: '3000' };
    const expected = { type: 'internal_server_error', code: '3000', message: 'm' };
    expect(replaySse(mistral, url, [error]).response).toEqual({ error: expected });
    expect(replaySse(mistral, conversations, [error]).response).toEqual({ error: expected });
  });
});

describe('conversations', () => {
  const at = (output_index: number, id: string) => ({ output_index, id, model: 'm', agent_id: null });
  const started = [
    'conversation.response.started',
    { type: 'conversation.response.started', conversation_id: 'conv_1' },
  ] as const;
  const done = (usage: unknown) =>
    ['conversation.response.done', { type: 'conversation.response.done', usage }] as const;
  const text = (content: unknown, index = 0) =>
    [
      'message.output.delta',
      { type: 'message.output.delta', ...at(index, `msg_${index}`), content, content_index: 0 },
    ] as const;
  const call = (name: string, index: number) =>
    [
      'function.call.delta',
      { type: 'function.call.delta', ...at(index, `fc_${index}`), name, tool_call_id: `c${index}`, arguments: '{' },
    ] as const;

  it('count what tools put before the model, and the searches', () => {
    const usage = {
      prompt_tokens: 177,
      completion_tokens: 134,
      total_tokens: 4240,
      connector_tokens: 3929,
      connectors: { web_search: 2 },
    };
    const json = {
      object: 'conversation.response',
      conversation_id: 'conv_1',
      outputs: [
        { type: 'tool.execution', id: 'tool_1', name: 'web_search' },
        { type: 'message.output', id: 'msg_1', model: 'mistral-small-latest', content: [{ type: 'text', text: 'a' }] },
      ],
      usage,
    };
    const { response, parseErrors } = replayJson(mistral, conversations, json);
    expect(response).toEqual({
      id: 'tool_1',
      model: 'mistral-small-latest',
      usage: { input: 4106, output: 134, total: 4240, webSearches: 2 },
      attributes: { 'gen_ai.conversation.id': 'conv_1' },
    });
    expect(parseErrors).toBe(0);
  });

  it('agree, streamed or not', () => {
    fc.assert(
      fc.property(
        count,
        count,
        fc.array(anyText),
        fc.array(fc.constantFrom('f', 'g'), { maxLength: 3 }),
        anyCuts,
        (input, output, texts, names, cuts) => {
          const usage = {
            prompt_tokens: input,
            completion_tokens: output,
            total_tokens: input + output,
            connector_tokens: null,
          };
          const entries = names.map((name, i) => ({
            type: 'function.call',
            id: `fc_${i + 1}`,
            model: 'm',
            name,
            tool_call_id: `c${i + 1}`,
          }));
          const outputs = [{ type: 'message.output', id: 'msg_0', model: 'm', content: texts.join('') }, ...entries];
          const json = { object: 'conversation.response', conversation_id: 'conv_1', outputs, usage };
          const events: Events = [
            started,
            text(''),
            ...texts.map((content) => text(content)),
            ...names.flatMap((name, i) => [call(name, i + 1), call(name, i + 1)]),
            done(usage),
          ];
          expectTwins(mistral, conversations, json, events, cuts);
        },
      ),
    );
  });

  it('have a first token, and end without a terminator of their own', () => {
    expect(replaySse(mistral, conversations, [started, text('')])).toMatchObject({ contents: 0, ends: 0 });
    const chunk = text({ type: 'text', text: 'a' });
    expect(replaySse(mistral, conversations, [started, chunk, done(usage)])).toMatchObject({ contents: 1, ends: 1 });
    expect(replaySse(mistral, conversations, [started, call('f', 0)]).contents).toBe(1);
  });

  it('that are cut off keep what they said', () => {
    const { response } = replaySse(mistral, conversations, [started, text('a'), call('f', 1)]);
    expect(response).toEqual({
      id: 'msg_0',
      model: 'm',
      toolCalls: [{ id: 'c1', name: 'f' }],
      attributes: { 'gen_ai.conversation.id': 'conv_1' },
    });
  });

  it('may fail in the stream', () => {
    const error = { type: 'conversation.response.error', message: 'm', code: 3000 };
    const { response } = replaySse(mistral, conversations, [started, ['conversation.response.error', error]]);
    expect(response.error).toEqual({ type: '3000', code: '3000', message: 'm' });
  });

  it.each<unknown>([undefined, { prompt: 1 }, { ...usage, prompt_tokens: '1' }, { ...usage, connector_tokens: -1 }])(
    'with the usage %j: nothing is invented, and it is counted once',
    (given) => {
      const whole = replayJson(mistral, conversations, { object: 'conversation.response', outputs: [], usage: given });
      const streamed = replaySse(mistral, conversations, [text('a'), done(given)]);
      for (const { response, parseErrors } of [whole, streamed]) {
        expect([11, undefined]).toContain(response.usage?.input);
        expect(parseErrors).toBe(1);
      }
    },
  );

  it('never throws', () => {
    expectNeverThrows(mistral, url);
    expectNeverThrows(mistral, conversations, [started[0], text('')[0], call('f', 0)[0], done({})[0]]);
  });
});
