import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LlmRequest, LlmResponse, Provider } from '../../../src/llm/provider.ts';
import { anthropic } from '../../../src/llm/providers/anthropic.ts';
import { openai } from '../../../src/llm/providers/openai.ts';
import { createReplyReader } from '../../../src/llm/reply-reader.ts';

/** A stream as its vendor would send it: the types of the events, where it names them, and their JSON. */
type Events = readonly { type?: string; json: unknown }[];

function read(provider: Provider, body: string, contentType: string): LlmResponse {
  const request: LlmRequest = {
    provider: provider.name,
    model: 'm',
    operation: 'chat',
    stream: contentType !== 'application/json',
  };
  const reply = { status: 200, headers: new Headers({ 'content-type': contentType }), request };
  const ignore = () => {};
  const options = { maxBodyBytes: 1e6, maxEventBytes: 1e6, onContent: ignore, onEnd: ignore, onParseError: ignore };
  const reader = createReplyReader(provider, reply, options);
  reader.chunk(new TextEncoder().encode(body));
  return reader.finish();
}

function expectTwins(provider: Provider, json: unknown, events: Events): void {
  const lines = events.map(({ type, json }) => `${type ? `event: ${type}\n` : ''}data: ${JSON.stringify(json)}\n\n`);
  const unstreamed = read(provider, JSON.stringify(json), 'application/json');
  expect(read(provider, lines.join(''), 'text/event-stream')).toEqual(unstreamed);
  expect(unstreamed.id).toBe('id-1');
}

const count = fc.nat(100_000);
const name = fc.stringMatching(/^[a-z_]{1,12}$/);
/** Words that a cheap look at the text could mistake for the vendor's own. */
const text = fc.constantFrom('', 'hello', '"usage":{', '"finish_reason":"stop"', 'tool_calls', '😀', '\n\ndata: ');
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const call = fc.record({ id: name, name });

const chat = fc.record({
  usage: optional(
    fc.record({
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: optional(
        fc.record({ cached_tokens: optional(count), cache_write_tokens: optional(count) }),
      ),
      completion_tokens_details: optional(fc.record({ reasoning_tokens: optional(count) })),
    }),
  ),
  tier: optional(name),
  choices: fc.array(
    fc.record({
      texts: fc.array(text),
      calls: fc.array(call, { maxLength: 3 }),
      reason: fc.constantFrom('stop', 'tool_calls', 'length'),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

describe('a stream and its unstreamed twin agree', () => {
  it('chat completions of OpenAI', () => {
    fc.assert(
      fc.property(chat, ({ usage, tier, choices }) => {
        const head = { id: 'id-1', model: 'gpt-x', service_tier: tier, system_fingerprint: 'fp' };
        const toCall = (call: { id: string; name: string }) => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: '{}' },
        });
        const json = {
          ...head,
          object: 'chat.completion',
          usage,
          choices: choices.map(({ texts, calls, reason }, index) => ({
            index,
            finish_reason: reason,
            message: { content: texts.join(''), tool_calls: calls.map(toCall) },
          })),
        };
        const chunk = (index: number, delta: unknown, reason: string | null = null) => ({
          json: {
            ...head,
            object: 'chat.completion.chunk',
            usage: null,
            choices: [{ index, delta, finish_reason: reason }],
          },
        });
        const events = choices.flatMap(({ texts, calls, reason }, index) => [
          chunk(index, { role: 'assistant', content: '' }),
          ...texts.map((content) => chunk(index, { content })),
          ...calls.flatMap((call, position) => [
            chunk(index, { tool_calls: [{ index: position, ...toCall(call) }] }),
            chunk(index, { tool_calls: [{ index: position, function: { arguments: '{}' } }] }),
          ]),
          chunk(index, {}, reason),
        ]);
        expectTwins(openai, json, [...events, ...(usage ? [{ json: { ...head, choices: [], usage } }] : [])]);
      }),
    );
  });

  it('Responses of OpenAI', () => {
    const arbitrary = fc.record({
      usage: fc.record({
        input_tokens: count,
        output_tokens: count,
        total_tokens: count,
        input_tokens_details: fc.record({ cached_tokens: count }),
        output_tokens_details: fc.record({ reasoning_tokens: count }),
      }),
      texts: fc.array(text),
      calls: fc.array(call, { maxLength: 3 }),
      status: fc.constantFrom('completed', 'incomplete', 'failed'),
    });
    fc.assert(
      fc.property(arbitrary, ({ usage, texts, calls, status }) => {
        const output = calls.map((call) => ({
          type: 'function_call',
          call_id: call.id,
          name: call.name,
          arguments: '{}',
        }));
        const head = { id: 'id-1', object: 'response', model: 'gpt-x' };
        const json = {
          ...head,
          status,
          output,
          usage,
          service_tier: 'default',
          error: status === 'failed' ? { code: 'server_error', message: 'no' } : null,
          incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
        };
        const event = (type: string, fields: object) => ({ type, json: { type, ...fields } });
        expectTwins(openai, json, [
          event('response.created', { response: { ...head, status: 'in_progress', output: [], usage: null } }),
          ...texts.map((delta) => event('response.output_text.delta', { delta })),
          ...output.flatMap((item, output_index) => [
            event('response.output_item.added', { output_index, item: { ...item, arguments: '' } }),
            event('response.function_call_arguments.delta', { output_index, delta: '{}' }),
            event('response.output_item.done', { output_index, item }),
          ]),
          event(`response.${status}`, { response: json }),
        ]);
      }),
    );
  });

  it('messages of Anthropic', () => {
    const arbitrary = fc.record({
      usage: fc.record({
        input_tokens: count,
        output_tokens: count,
        cache_read_input_tokens: optional(count),
        cache_creation_input_tokens: optional(count),
        server_tool_use: optional(fc.record({ web_search_requests: count })),
      }),
      texts: fc.array(text),
      calls: fc.array(call, { maxLength: 3 }),
      reason: fc.constantFrom('end_turn', 'tool_use', 'max_tokens'),
      late: fc.boolean(),
    });
    fc.assert(
      fc.property(arbitrary, ({ usage, texts, calls, reason, late }) => {
        const head = { id: 'id-1', type: 'message', role: 'assistant', model: 'claude-x' };
        const tools = calls.map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: {} }));
        const json = {
          ...head,
          content: [{ type: 'text', text: texts.join('') }, ...tools],
          stop_reason: reason,
          usage,
        };
        const event = (type: string, fields: object = {}) => ({ type, json: { type, ...fields } });
        // What message_delta repeats replaces what message_start said; what it leaves out or nulls does not.
        const early = late ? { ...usage, input_tokens: 1, output_tokens: 1 } : { ...usage, output_tokens: 1 };
        const delta = late ? usage : { output_tokens: usage.output_tokens, input_tokens: null };
        expectTwins(anthropic, json, [
          event('message_start', { message: { ...head, content: [], stop_reason: null, usage: early } }),
          event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
          ...texts.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
          event('content_block_stop', { index: 0 }),
          ...tools.flatMap((tool, i) => [
            event('content_block_start', { index: i + 1, content_block: tool }),
            event('content_block_delta', { index: i + 1, delta: { type: 'input_json_delta', partial_json: '{}' } }),
          ]),
          event('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage: delta }),
          event('message_stop'),
        ]);
      }),
    );
  });
});

describe('whatever the JSON', () => {
  const any = fc.jsonValue({ maxDepth: 4 });
  const keys = [
    'choices',
    'usage',
    'error',
    'delta',
    'message',
    'content',
    'output',
    'response',
    'type',
    'index',
    'tool_calls',
    'data',
  ];
  const likely = fc.dictionary(
    fc.constantFrom(...keys),
    fc.oneof(any, fc.array(fc.dictionary(fc.constantFrom(...keys), any))),
  );

  it.each([
    ['openai', openai],
    ['anthropic', anthropic],
  ] as const)('%s never throws', (_, provider) => {
    const types = [
      'message_start',
      'message_delta',
      'content_block_start',
      'error',
      'response.created',
      'response.completed',
      'response.output_item.added',
      undefined,
    ];
    const request = { provider: 'x', model: undefined, operation: 'chat', stream: true };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...types), fc.oneof(any, likely))), (events) => {
        const reply = { status: 200, headers: new Headers(), request };
        const reader = provider.stream!(reply);
        for (const [type, json] of events) {
          reader.event({ ...(type && { type }), json });
          provider.response(json, reply);
          provider.request({
            url: new URL('https://example.com/v1/chat/completions'),
            method: 'POST',
            headers: new Headers(),
            body: json,
          });
          if (provider.accepts!(json)) provider.read!(json);
        }
        reader.result();
      }),
    );
  });
});
