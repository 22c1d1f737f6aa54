import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { azure } from '../../../src/llm/providers/azure.ts';
import { anyCuts, anyText, count, expectNeverThrows, expectTwins, replayJson, replaySse } from './replay.ts';

const host = 'https://corp.openai.azure.com';
const url = `${host}/openai/deployments/prod-chat/chat/completions?api-version=2024-10-21`;
const responses = `${host}/openai/v1/responses`;
const match = (href: string, method = 'POST') => azure.match({ url: new URL(href), method });
const request = (href: string, body: unknown = {}) =>
  azure.request({ url: new URL(href), method: 'POST', headers: new Headers(), body });

describe('match', () => {
  it.each([
    [url, 'chat'],
    [`${host}/openai/deployments/d/embeddings?api-version=2024-10-21`, 'embed'],
    [`${host}/openai/deployments/d/completions?api-version=2024-10-21`, 'text_completion'],
    [`${host}/openai/v1/chat/completions`, 'chat'],
    [responses, 'chat'],
    [`${host}/openai/responses?api-version=preview`, 'chat'],
    ['https://corp.cognitiveservices.azure.com/openai/deployments/d/chat/completions', 'chat'],
    ['https://westeurope.api.cognitive.microsoft.com/openai/deployments/d/chat/completions', 'chat'],
    ['https://corp.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview', 'chat'],
    ['https://corp.services.ai.azure.com/models/embeddings', 'embed'],
    ['https://corp.services.ai.azure.com/api/projects/p/openai/v1/responses', 'chat'],
    ['https://corp.services.ai.azure.com/anthropic/v1/messages', 'chat'],
    ['https://corp.services.ai.azure.com/anthropic/v1/messages/count_tokens', 'count_tokens'],
    ['https://phi.eastus.models.ai.azure.com/chat/completions', 'chat'],
    ['https://corp.openai.azure.us/openai/v1/chat/completions', 'chat'],
    ['https://corp.openai.azure.cn/openai/v1/chat/completions', 'chat'],
    ['https://corp.azure-api.net/ai/openai/deployments/d/chat/completions', 'chat'],
    ['https://corp.azure-api.net/inference/chat/completions', 'chat'],
    ['https://corp.azure-api.net/surveys/7/responses', undefined],
    [`${host}/openai/deployments/d/images/generations`, undefined],
    [`${host}/openai/v1/responses/resp_1/cancel`, undefined],
    ['https://corp.openai.azure.com.evil.dev/openai/v1/chat/completions', undefined],
    ['https://openai.azure.com/openai/v1/chat/completions', undefined],
    ['https://corp.blob.core.windows.net/embeddings', undefined],
  ])('%s is %s', (href, operation) => {
    expect(match(href)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match(url, 'GET')).toBeUndefined();
  });
});

describe('request', () => {
  it('is for the deployment in the path, else for the model in the body', () => {
    expect(request(url, { model: 'gpt-4o', temperature: 0 })).toEqual({
      model: 'prod-chat',
      stream: false,
      parameters: { 'gen_ai.request.temperature': 0, 'openai.api.type': 'chat_completions' },
    });
    expect(request(url).model).toBe('prod-chat');
    expect(request(`${host}/openai/deployments/a%20b/embeddings`).model).toBe('a b');
    expect(request(`${host}/openai/deployments/a%b/embeddings`).model).toBe('a%b');
    expect(request(responses, { model: 'prod', stream: true })).toMatchObject({ model: 'prod', stream: true });
    expect(request(responses).model).toBeUndefined();
  });

  it('has the convention’s name of what is asked', () => {
    const system = (href: string) => request(href).parameters?.['gen_ai.provider.name'] ?? azure.semconvName;
    expect(system(url)).toBe('azure.ai.openai');
    expect(system('https://corp.services.ai.azure.com/openai/v1/chat/completions')).toBe('azure.ai.openai');
    expect(system('https://corp.services.ai.azure.com/models/chat/completions')).toBe('azure.ai.inference');
    expect(system('https://corp.services.ai.azure.com/anthropic/v1/messages')).toBe('azure.ai.inference');
    expect(system('https://phi.eastus.models.ai.azure.com/chat/completions')).toBe('azure.ai.inference');
  });

  it.each([
    ['2024-02-01', false],
    ['2024-08-01-preview', false],
    ['2024-09-01-preview', true],
    ['2025-04-01-preview', true],
    ['preview', true],
    [undefined, true],
  ])('asks for the usage of a stream where the version %s knows it: %s', (version, asked) => {
    const target = new URL(url);
    target.search = version ? `?api-version=${version}` : '';
    const body = { stream: true };
    const more = azure.includeUsage!({ url: target, method: 'POST', headers: new Headers(), body });
    expect(more).toEqual(asked ? { stream: true, stream_options: { include_usage: true } } : undefined);
  });
});

const safe = { hate: { filtered: false, severity: 'safe' } };
const usage = { prompt_tokens: 11, completion_tokens: 20, total_tokens: 31 };
const completion = (rest: object = {}) => ({
  id: 'c',
  model: 'gpt-5-nano-2025-08-07',
  object: 'chat.completion',
  choices: [{ index: 0, content_filter_results: safe, message: { content: '3' }, finish_reason: 'stop' }],
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: safe }],
  usage,
  ...rest,
});
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content: [],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 3 },
};

describe('headers', () => {
  const claude = 'https://corp.services.ai.azure.com/anthropic/v1/messages';
  const headers = { 'x-ms-region': 'UK South' };

  it.each([
    ['chat', url, completion()],
    ['claude', claude, message],
    ['an error', url, { error: { code: 'DeploymentNotFound', message: 'm' } }],
  ])('name the region of %s', (_, href, json) => {
    expect(replayJson(azure, href, json, { headers }).response.attributes).toMatchObject({ 'cloud.region': 'uksouth' });
    expect(replayJson(azure, href, json).response.attributes?.['cloud.region']).toBeUndefined();
  });

  it('name the region of streams', () => {
    const chunk = { id: 'c', choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] };
    expect(replaySse(azure, url, [chunk], { headers }).response.attributes).toEqual({ 'cloud.region': 'uksouth' });
    const events = [['message_start', { type: 'message_start', message }] as const];
    expect(replaySse(azure, claude, events, { headers }).response.attributes).toEqual({ 'cloud.region': 'uksouth' });
  });

  it('name the model that Responses leave out', () => {
    const headers = { 'x-ms-served-model': 'gpt-5-nano-2025-08-07' };
    const usage = { input_tokens: 1, output_tokens: 2 };
    const response = { id: 'r', object: 'response', status: 'completed', model: 'prod', output: [], usage };
    expect(replayJson(azure, responses, response, { headers }).response.model).toBe('gpt-5-nano-2025-08-07');
    expect(replayJson(azure, responses, response).response.model).toBe('prod');
    const events = [['response.completed', { type: 'response.completed', response }] as const];
    expect(replaySse(azure, responses, events, { headers }).response.model).toBe('gpt-5-nano-2025-08-07');
  });
});

describe('replies', () => {
  it('are read past the content filter’s first and last words', () => {
    const chunk = (delta: object, finish_reason: string | null = null) => ({
      id: 'c',
      model: 'gpt-4o',
      choices: [{ index: 0, delta, finish_reason, content_filter_results: safe }],
    });
    const late = {
      id: '',
      model: '',
      choices: [{ index: 0, content_filter_offsets: { check_offset: 1 }, finish_reason: null }],
    };
    const { response, contents } = replaySse(azure, url, [
      { id: '', model: '', object: '', choices: [], prompt_filter_results: [] },
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Why' }),
      chunk({}, 'content_filter'),
      late,
      '[DONE]',
    ]);
    expect(response).toEqual({ id: 'c', model: 'gpt-4o', finishReasons: ['content_filter'] });
    expect(contents).toBe(1);
  });

  it('agree, streamed or not', () => {
    fc.assert(
      fc.property(count, count, fc.array(anyText), anyCuts, (input, output, texts, cuts) => {
        const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
        const chunk = (choices: unknown[], usage: unknown = null) => ({
          id: 'c',
          model: 'gpt-5-nano-2025-08-07',
          choices,
          usage,
        });
        const delta = (delta: object, finish_reason: string | null = null) => [
          { content_filter_results: safe, delta, finish_reason, index: 0, logprobs: null },
        ];
        const events = [
          { id: '', model: '', choices: [], prompt_filter_results: [] },
          chunk(delta({ role: 'assistant', content: '' })),
          ...texts.map((content) => chunk(delta({ content }))),
          chunk(delta({}, 'stop')),
          chunk([], usage),
          '[DONE]',
        ];
        expectTwins(azure, url, completion({ usage }), events, cuts);
      }),
    );
  });

  it.each<[number, unknown, object]>([
    [
      400,
      {
        error: {
          message: 'filtered',
          type: null,
          param: 'prompt',
          code: 'content_filter',
          status: 400,
          innererror: { code: 'ResponsibleAIPolicyViolation' },
        },
      },
      { type: 'content_filter', code: 'content_filter', message: 'filtered' },
    ],
    [
      404,
      { error: { code: 'DeploymentNotFound', message: 'm' } },
      { type: 'DeploymentNotFound', code: 'DeploymentNotFound', message: 'm' },
    ],
    [
      404,
      { error: { code: '404', message: 'Resource not found' } },
      { type: '404', code: '404', message: 'Resource not found' },
    ],
    [401, { statusCode: 401, message: 'Access denied' }, { type: '401', code: '401', message: 'Access denied' }],
  ])('may be errors: %i %j', (status, body, error) => {
    const { response, parseErrors } = replayJson(azure, url, body, { status });
    expect(response.error).toEqual(error);
    expect(parseErrors).toBe(0);
  });

  it.each<[string, unknown]>([
    ['no usage', undefined],
    ['renamed', { inputTokens: 11 }],
    ['text for a count', { ...usage, prompt_tokens: '11' }],
  ])('with %s: unknown, and counted once', (_, usage) => {
    const { response, parseErrors } = replayJson(azure, url, completion({ usage }));
    expect(response.usage?.input).toBeUndefined();
    expect(parseErrors).toBe(1);
  });

  it('never throws', () => {
    expectNeverThrows(azure, url);
    expectNeverThrows(azure, responses, ['response.created', 'response.completed']);
  });
});
