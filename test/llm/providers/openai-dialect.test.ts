import { describe, expect, it } from 'vitest';
import { createProvider } from '../../../src/llm/providers/format.ts';
import { openai } from '../../../src/llm/providers/openai.ts';
import type { Dialect } from '../../../src/llm/providers/openai-dialect.ts';
import { createOpenaiFormat } from '../../../src/llm/providers/openai-format.ts';
import { replayJson, replaySse } from './replay.ts';

const host = 'https://api.acme.dev/v1';
const chats = `${host}/chat/completions`;
const responses = `${host}/responses`;
const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };
const speak = (dialect: Dialect) =>
  createProvider({ name: 'acme', hosts: ['api.acme.dev'], formats: [createOpenaiFormat(dialect)] });
const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  id: 'c',
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
});
const completion = { id: 'c', choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }], usage };
const response = {
  id: 'r',
  object: 'response',
  status: 'completed',
  output: [],
  usage: { input_tokens: 5, output_tokens: 3 },
};

describe('a dialect', () => {
  it('reads the headers and the status of whatever reply', () => {
    const acme = speak({
      extras: (_, reply) => ({ attributes: { zone: `${reply?.headers.get('zone')} ${reply?.status}` } }),
    });
    const headers = { zone: 'eu' };
    const last = ['response.completed', { type: 'response.completed', response }] as const;
    for (const read of [
      replayJson(acme, chats, completion, { headers }),
      replayJson(acme, responses, response, { headers }),
      replaySse(acme, chats, [chunk({}, 'stop', { usage })], { headers }),
      replaySse(acme, responses, [last], { headers }),
    ]) {
      expect(read.response.attributes).toEqual({ zone: 'eu 200' });
    }
    expect(replayJson(acme, chats, { error: {} }, { headers, status: 500 }).response.attributes).toEqual({
      zone: 'eu 500',
    });
  });

  it('may find an error of its own in a response', () => {
    const acme = speak({ extras: () => ({ error: { type: 'odd' } }) });
    expect(replayJson(acme, responses, response).response.error).toEqual({ type: 'odd' });
  });

  it('may want chunks that look like plain text', () => {
    const events = [
      chunk({ content: 'a' }),
      chunk({ content: 'b' }, null, { note: { costs: 2 } }),
      chunk({}, 'stop', { usage }),
    ];
    const extras: Dialect['extras'] = (body) => ('note' in body ? { costUsd: 2 } : {});
    expect(replaySse(speak({ extras }), chats, events).response.costUsd).toBeUndefined();
    const matters: Dialect['matters'] = (data) => data.includes('"note"');
    expect(replaySse(speak({ extras, matters }), chats, events).response.costUsd).toBe(2);
  });
});

// https://openrouter.ai/docs/features/multimodal/image-generation
it('a picture is a first token, too', () => {
  const images = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBO' } }];
  const events = [chunk({ role: 'assistant', content: '' }), chunk({ content: '', images }), chunk({}, 'stop')];
  expect(replaySse(openai, chats, events).contents).toBe(1);
});

describe('streamed Responses', () => {
  const url = 'https://api.openai.com/v1/responses';
  const created = { type: 'response.created', response: { id: 'r', status: 'in_progress', usage: null } };
  const completed = { type: 'response.completed', response };

  it('may begin with an event that says nothing', () => {
    const keepalive = { type: 'keepalive', sequence_number: 0 };
    const { response, ends } = replaySse(openai, url, [
      ['keepalive', keepalive],
      ['response.completed', completed],
    ]);
    expect(response).toEqual({ id: 'r', usage: { input: 5, output: 3 }, finishReasons: ['completed'] });
    expect(ends).toBe(1);
  });

  it('may be an error without an event’s name', () => {
    const { response } = replaySse(openai, url, [{ error: { type: 'server_error', code: 'c', message: 'm' } }]);
    expect(response).toEqual({ error: { type: 'server_error', code: 'c', message: 'm' } });
  });

  it('in the background are queued first', () => {
    const queued = { type: 'response.queued', response: { id: 'r', status: 'queued', usage: null } };
    const whole = { ...completed, response: { ...response, model: 'm', output: [] } };
    const events = [created, queued, { type: 'response.output_text.delta', delta: 'a' }, whole];
    const { response: read, contents, parseErrors } = replaySse(openai, url, events);
    expect(read.finishReasons).toEqual(['completed']);
    expect([contents, parseErrors]).toEqual([1, 0]);
  });

  it('that stay incomplete say why, with their usage', () => {
    const incomplete = { ...response, status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
    const { response: read } = replaySse(openai, url, [created, { type: 'response.incomplete', response: incomplete }]);
    expect(read).toEqual({ id: 'r', usage: { input: 5, output: 3 }, finishReasons: ['content_filter'] });
  });
});

describe('what OpenAI bills beside the tokens', () => {
  const searches = [{ type: 'web_search_call', action: { type: 'search' } }, { type: 'web_search_call' }];

  it('is the number of searches as it counts them, where it does', () => {
    const read = (more: object) =>
      replayJson(openai, responses, { ...response, output: searches, ...more }).response.usage;
    expect(read({})?.webSearches).toBe(2);
    expect(read({ tool_usage: { web_search: { num_requests: 1 } } })?.webSearches).toBe(1);
    expect(read({ tool_usage: { web_search: {} } })?.webSearches).toBe(2);
  });

  it('has audio, predictions and custom tools within the usual counts', () => {
    const usage = {
      prompt_tokens: 20,
      completion_tokens: 30,
      total_tokens: 50,
      prompt_tokens_details: { audio_tokens: 12, cached_tokens: 4 },
      completion_tokens_details: { audio_tokens: 25, accepted_prediction_tokens: 2, rejected_prediction_tokens: 3 },
    };
    const tool_calls = [{ id: 'x', type: 'custom', custom: { name: 'sql', input: 'select' } }];
    const message = { content: null, tool_calls, annotations: [{ type: 'url_citation' }] };
    const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
    const json = { id: 'c', model: 'm', choices, usage, moderation: null };
    expect(replayJson(openai, chats, json)).toMatchObject({
      response: {
        usage: { input: 20, cacheRead: 4, output: 30, total: 50, audioInput: 12, audioOutput: 25 },
        toolCalls: [{ id: 'x', name: 'sql' }],
      },
      parseErrors: 0,
    });
  });

  it('stays what it was for compaction and legacy completions', () => {
    const compacted = {
      id: 'r',
      object: 'response.compaction',
      output: [{ type: 'compaction' }],
      usage: response.usage,
    };
    expect(replayJson(openai, `${responses}/compact`, compacted).response).toEqual({
      id: 'r',
      usage: { input: 5, output: 3 },
    });
    const text = {
      id: 'l',
      object: 'text_completion',
      model: 'm',
      choices: [{ index: 0, text: 'a', finish_reason: 'stop' }],
      usage,
    };
    const read = { id: 'l', model: 'm', usage: { input: 5, output: 3, total: 8 }, finishReasons: ['stop'] };
    expect(replayJson(openai, `${host}/completions`, text).response).toEqual(read);
    const chunks = [
      { id: 'l', model: 'm', choices: [{ index: 0, text: 'a', finish_reason: null }] },
      { id: 'l', model: 'm', choices: [{ index: 0, text: '', finish_reason: 'stop' }] },
      { id: 'l', model: 'm', choices: [], usage },
      '[DONE]',
    ];
    expect(replaySse(openai, `${host}/completions`, chunks)).toEqual({
      response: read,
      contents: 1,
      ends: 1,
      parseErrors: 0,
    });
  });
});
