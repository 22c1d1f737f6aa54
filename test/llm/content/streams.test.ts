import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../../../src/environment.ts';
import { anthropicContent } from '../../../src/llm/content/anthropic.ts';
import { createContentCapture } from '../../../src/llm/content/capture.ts';
import { cloudflareContent } from '../../../src/llm/content/cloudflare.ts';
import { cohereContent } from '../../../src/llm/content/cohere.ts';
import { conversationsContent } from '../../../src/llm/content/conversations.ts';
import { converseContent } from '../../../src/llm/content/converse.ts';
import { geminiContent } from '../../../src/llm/content/gemini.ts';
import { interactionsContent } from '../../../src/llm/content/interactions.ts';
import { invokeContent } from '../../../src/llm/content/invoke.ts';
import type { ContentFormat, Message } from '../../../src/llm/content/message.ts';
import { ollamaContent } from '../../../src/llm/content/ollama.ts';
import { openaiContent } from '../../../src/llm/content/openai.ts';

interface Call {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
}

/** What a model says, in pieces as they come. */
interface Answer {
  readonly thought: readonly string[];
  readonly said: readonly string[];
  readonly calls: readonly Call[];
}

interface Twin {
  readonly format: ContentFormat;
  whole(answer: Answer): unknown;
  events(answer: Answer): readonly unknown[];
}

const piece = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
const answers: fc.Arbitrary<Answer> = fc.record({
  thought: fc.array(piece, { maxLength: 4 }),
  said: fc.array(piece, { minLength: 1, maxLength: 5 }),
  calls: fc.array(
    fc.record({
      id: fc.uuid(),
      name: fc.constantFrom('weather', 'search'),
      args: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(fc.integer(), piece)),
    }),
    { maxLength: 3 },
  ),
});

const join = (pieces: readonly string[]) => pieces.join('');
const json = (value: unknown) => JSON.stringify(value);
const half = (text: string) => [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];

function choice(part: unknown, finish_reason: string | null = null) {
  return { choices: [{ index: 0, delta: part, finish_reason }] };
}

const chatCalls = (calls: readonly Call[]) =>
  calls.map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: json(args) } }));

const chat: Twin = {
  format: openaiContent,
  whole: ({ thought, said, calls }) => ({
    choices: [
      {
        finish_reason: 'stop',
        message: {
          role: 'assistant',
          reasoning_content: join(thought) || null,
          content: join(said),
          tool_calls: calls.length > 0 ? chatCalls(calls) : undefined,
        },
      },
    ],
  }),
  events: ({ thought, said, calls }) => [
    choice({ role: 'assistant', content: '' }),
    ...thought.map((reasoning_content) => choice({ reasoning_content })),
    ...said.map((content) => choice({ content })),
    ...chatCalls(calls).flatMap(({ function: { name, arguments: args }, ...call }, index) => [
      choice({ tool_calls: [{ ...call, index, function: { name, arguments: '' } }] }),
      ...half(args).map((text) => choice({ tool_calls: [{ index, function: { arguments: text } }] })),
    ]),
    choice({}, 'stop'),
    { choices: [], usage: {} },
  ],
};

function responseItems({ thought, said, calls }: Answer): Record<string, unknown>[] {
  return [
    ...(thought.length > 0 ? [{ type: 'reasoning', summary: [{ type: 'summary_text', text: join(thought) }] }] : []),
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: join(said) }] },
    ...calls.map(({ id, name, args }) => ({ type: 'function_call', call_id: id, name, arguments: json(args) })),
  ];
}

const responses: Twin = {
  format: openaiContent,
  whole: (answer) => ({ object: 'response', status: 'completed', output: responseItems(answer) }),
  events: (answer) => [
    { type: 'response.created', response: { status: 'in_progress', output: [] } },
    { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'x' },
    { type: 'response.completed', response: { status: 'completed', output: responseItems(answer) } },
  ],
};

const anthropic: Twin = {
  format: anthropicContent,
  whole: ({ thought, said, calls }) => ({
    type: 'message',
    stop_reason: 'end_turn',
    content: [
      { type: 'thinking', thinking: join(thought), signature: 's' },
      { type: 'text', text: join(said) },
      ...calls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: args })),
    ],
  }),
  events: ({ thought, said, calls }) => [
    { type: 'message_start', message: { id: 'm', content: [] } },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
    ...thought.map((thinking) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking },
    })),
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 's' } },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    ...said.map((text) => ({ type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text } })),
    ...calls.flatMap(({ id, name, args }, i) => [
      { type: 'content_block_start', index: i + 2, content_block: { type: 'tool_use', id, name, input: {} } },
      ...half(json(args)).map((partial_json) => ({
        type: 'content_block_delta',
        index: i + 2,
        delta: { type: 'input_json_delta', partial_json },
      })),
    ]),
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
    { type: 'message_stop' },
  ],
};

const geminiCalls = (calls: readonly Call[]) =>
  calls.map(({ id, name, args }) => ({ functionCall: { id, name, args } }));
const candidate = (parts: unknown[], finishReason?: string) => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, ...(finishReason && { finishReason }) }],
});

const gemini: Twin = {
  format: geminiContent,
  whole: ({ thought, said, calls }) =>
    candidate(
      [
        ...(thought.length > 0 ? [{ text: join(thought), thought: true }] : []),
        { text: join(said) },
        ...geminiCalls(calls),
      ],
      'STOP',
    ),
  events: ({ thought, said, calls }) => [
    ...thought.map((text) => candidate([{ text, thought: true }])),
    ...said.map((text) => candidate([{ text }])),
    candidate([...geminiCalls(calls), { text: '', thoughtSignature: 's' }], 'STOP'),
  ],
};

const interactions: Twin = {
  format: interactionsContent,
  whole: ({ thought, said, calls }) => ({
    status: 'completed',
    steps: [
      { type: 'thought', summary: [{ type: 'text', text: join(thought) }] },
      { type: 'model_output', content: [{ type: 'text', text: join(said) }] },
      ...calls.map(({ id, name, args }) => ({ type: 'function_call', id, name, arguments: args })),
    ],
  }),
  events: ({ thought, said, calls }) => [
    { event_type: 'interaction.created', interaction: { status: 'in_progress' } },
    { event_type: 'step.start', index: 0, step: { type: 'thought' } },
    ...thought.map((text) => ({
      event_type: 'step.delta',
      index: 0,
      delta: { type: 'thought_summary', content: { type: 'text', text } },
    })),
    { event_type: 'step.start', index: 1, step: { type: 'model_output' } },
    ...said.map((text) => ({ event_type: 'step.delta', index: 1, delta: { type: 'text', text } })),
    ...calls.flatMap(({ id, name, args }, i) => [
      { event_type: 'step.start', index: i + 2, step: { type: 'function_call', id, name, arguments: {} } },
      ...half(json(args)).map((text) => ({
        event_type: 'step.delta',
        index: i + 2,
        delta: { type: 'arguments_delta', arguments: text },
      })),
    ]),
    { event_type: 'interaction.completed', interaction: { status: 'completed' } },
  ],
};

const converse: Twin = {
  format: converseContent,
  whole: ({ thought, said, calls }) => ({
    stopReason: 'end_turn',
    output: {
      message: {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: join(thought), signature: 's' } } },
          { text: join(said) },
          ...calls.map(({ id, name, args }) => ({ toolUse: { toolUseId: id, name, input: args } })),
        ],
      },
    },
  }),
  events: ({ thought, said, calls }) => [
    { messageStart: { role: 'assistant' } },
    ...thought.map((text) => ({ contentBlockDelta: { contentBlockIndex: 0, delta: { reasoningContent: { text } } } })),
    ...said.map((text) => ({ contentBlockDelta: { contentBlockIndex: 1, delta: { text } } })),
    ...calls.flatMap(({ id, name, args }, i) => [
      { contentBlockStart: { contentBlockIndex: i + 2, start: { toolUse: { toolUseId: id, name } } } },
      ...half(json(args)).map((input) => ({
        contentBlockDelta: { contentBlockIndex: i + 2, delta: { toolUse: { input } } },
      })),
    ]),
    { messageStop: { stopReason: 'end_turn' } },
    { metadata: { usage: {} } },
  ],
};

/** Another vendor's events in the frames of InvokeModel. */
function framed({ whole, events }: Twin): Twin {
  const encode = (event: unknown) => btoa(String.fromCharCode(...new TextEncoder().encode(json(event))));
  return {
    format: invokeContent,
    whole,
    events: (answer) => events(answer).map((event) => ({ chunk: { bytes: encode(event) } })),
  };
}

const llama: Twin = {
  format: invokeContent,
  whole: ({ said }) => ({ generation: join(said), stop_reason: 'stop' }),
  events: ({ said }) => [
    ...said.map((generation) => ({ generation, stop_reason: null })),
    { generation: '', stop_reason: 'stop' },
  ],
};

const cohere: Twin = {
  format: cohereContent,
  whole: ({ thought, said, calls }) => ({
    finish_reason: 'COMPLETE',
    message: { tool_plan: join(thought), content: [{ type: 'text', text: join(said) }], tool_calls: chatCalls(calls) },
  }),
  events: ({ thought, said, calls }) => [
    { type: 'message-start', id: '1', delta: { message: { role: 'assistant', content: [] } } },
    ...thought.map((tool_plan) => ({ type: 'tool-plan-delta', delta: { message: { tool_plan } } })),
    { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
    ...said.map((text) => ({ type: 'content-delta', index: 0, delta: { message: { content: { text } } } })),
    ...chatCalls(calls).flatMap(({ function: { name, arguments: args }, ...call }, index) => [
      {
        type: 'tool-call-start',
        index,
        delta: { message: { tool_calls: { ...call, function: { name, arguments: '' } } } },
      },
      ...half(args).map((text) => ({
        type: 'tool-call-delta',
        index,
        delta: { message: { tool_calls: { function: { arguments: text } } } },
      })),
    ]),
    { type: 'message-end', delta: { finish_reason: 'COMPLETE' } },
  ],
};

const ollamaCalls = (calls: readonly Call[]) =>
  calls.map(({ id, name, args }) => ({ id, function: { name, arguments: args } }));

const ollama: Twin = {
  format: ollamaContent,
  whole: ({ thought, said, calls }) => ({
    done: true,
    done_reason: 'stop',
    message: { role: 'assistant', thinking: join(thought), content: join(said), tool_calls: ollamaCalls(calls) },
  }),
  events: ({ thought, said, calls }) => [
    ...thought.map((thinking) => ({ done: false, message: { role: 'assistant', content: '', thinking } })),
    ...said.map((content) => ({ done: false, message: { role: 'assistant', content } })),
    { done: false, message: { role: 'assistant', content: '', tool_calls: ollamaCalls(calls) } },
    { done: true, done_reason: 'stop', message: { role: 'assistant', content: '' } },
  ],
};

const cloudflareCalls = (calls: readonly Call[]) => calls.map(({ id, name, args }) => ({ id, name, arguments: args }));

const cloudflare: Twin = {
  format: cloudflareContent,
  whole: ({ said, calls }) => ({
    success: true,
    result: { response: join(said), tool_calls: cloudflareCalls(calls), usage: {} },
  }),
  events: ({ said, calls }) => [
    ...said.map((response) => ({ response, p: 'abc' })),
    { response: '', tool_calls: cloudflareCalls(calls), usage: {} },
  ],
};

const conversations: Twin = {
  format: conversationsContent,
  whole: ({ said, calls }) => ({
    object: 'conversation.response',
    outputs: [
      { type: 'message.output', role: 'assistant', content: join(said) },
      ...calls.map(({ id, name, args }) => ({ type: 'function.call', tool_call_id: id, name, arguments: json(args) })),
    ],
  }),
  events: ({ said, calls }) => [
    ...said.map((content) => ({ type: 'message.output.delta', output_index: 0, content })),
    ...calls.flatMap(({ id, name, args }, i) =>
      half(json(args)).map((text) => ({
        type: 'function.call.delta',
        output_index: i + 1,
        tool_call_id: id,
        name,
        arguments: text,
      })),
    ),
    { type: 'conversation.response.done', usage: {} },
  ],
};

const twins: Readonly<Record<string, Twin>> = {
  'OpenAI chat': chat,
  'OpenAI Responses': responses,
  Anthropic: anthropic,
  Gemini: gemini,
  Interactions: interactions,
  Converse: converse,
  'Claude by InvokeModel': framed(anthropic),
  'Nova by InvokeModel': framed(converse),
  'Llama by InvokeModel': framed(llama),
  Cohere: cohere,
  Ollama: ollama,
  'Workers AI': cloudflare,
  'Workers AI in OpenAI’s words': { ...chat, format: cloudflareContent },
  'Mistral conversations': conversations,
};

const capture = createContentCapture({
  capture: undefined,
  environment: createEnvironment({}, () => {}),
  valueLength: 1e6,
});
const show = (messages: readonly Message[]) => capture.response(messages, 1e5)['gen_ai.output.messages'];

function read({ format }: Twin, events: readonly unknown[], maxText = 1e6): readonly Message[] {
  const reader = format.stream(maxText);
  for (const event of events) reader.event({ json: event });
  return reader.result();
}

describe.each(Object.entries(twins))('%s', (_, twin) => {
  it('streamed says what it says unstreamed', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const whole = show(twin.format.response(twin.whole(answer)));
        expect(whole).toContain(JSON.stringify(answer.said.join('')).slice(1, -1));
        expect(show(read(twin, twin.events(answer)))).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('cut off says what came, and holds no more than its bound', () => {
    fc.assert(
      fc.property(answers, fc.nat(20), (answer, count) => {
        const events = twin.events(answer).slice(0, count);
        expect(() => show(read(twin, events))).not.toThrow();
        for (const { parts } of read(twin, twin.events(answer), 3)) {
          // A last event that has it all is not cut by the reader.
          if (twin === responses) continue;
          for (const { content } of parts)
            if (typeof content === 'string') expect(content.length).toBeLessThanOrEqual(3);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('streams of their own kind', () => {
  it('of Responses that were cut off say what came until then', () => {
    const events = [
      { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', summary: [] } },
      { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 0, delta: 'Hm' },
      {
        type: 'response.output_item.added',
        output_index: 1,
        item: { type: 'message', role: 'assistant', content: [] },
      },
      { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'Hel' },
      { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'lo' },
      {
        type: 'response.output_item.added',
        output_index: 2,
        item: { type: 'function_call', call_id: 'c', name: 'f', arguments: '' },
      },
      { type: 'response.function_call_arguments.delta', output_index: 2, delta: '{"a":' },
      { type: 'response.function_call_arguments.delta', output_index: 2, delta: '1}' },
    ];
    expect(read(responses, events)).toEqual([
      {
        role: 'assistant',
        finish_reason: 'error',
        parts: [
          { type: 'reasoning', content: 'Hm' },
          { type: 'text', content: 'Hello' },
          { type: 'tool_call', id: 'c', name: 'f', arguments: { a: 1 } },
        ],
      },
    ]);
  });

  it('of several choices are as many messages', () => {
    const events = ['a', 'b', 'c'].map((text, i) => ({
      choices: [{ index: i % 2, text, finish_reason: i > 0 ? 'stop' : null }],
    }));
    expect(read(chat, events)).toEqual([
      { role: 'assistant', finish_reason: 'stop', parts: [{ type: 'text', content: 'ac' }] },
      { role: 'assistant', finish_reason: 'stop', parts: [{ type: 'text', content: 'b' }] },
    ]);
  });

  it('with sound are described', () => {
    const data = btoa('some sound');
    const whole = [{ choices: [{ finish_reason: 'stop', message: { audio: { data, transcript: 'Hi' } } }] }];
    const events = [
      choice({ audio: { transcript: 'H' } }),
      choice({ audio: { data: btoa('some ') } }),
      choice({ audio: { data: btoa('sound'), transcript: 'i' } }, 'stop'),
    ];
    expect(show(read(chat, events))).toBe(show(openaiContent.response(whole[0])));
    expect(show(read(chat, events))).toContain('"modality":"audio","size":10');
    expect(show(read(chat, events))).toContain('"transcript":"Hi"');
  });
});
