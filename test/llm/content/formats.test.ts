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
import type { ContentFormat, RequestContent } from '../../../src/llm/content/message.ts';
import { ollamaContent } from '../../../src/llm/content/ollama.ts';
import { openaiContent } from '../../../src/llm/content/openai.ts';
import { conversations, type Shown } from './conversations.ts';
import { expectMessages } from './schema.ts';

const formats: Readonly<Record<string, ContentFormat>> = {
  openai: openaiContent,
  anthropic: anthropicContent,
  gemini: geminiContent,
  interactions: interactionsContent,
  converse: converseContent,
  invoke: invokeContent,
  cohere: cohereContent,
  ollama: ollamaContent,
  cloudflare: cloudflareContent,
  conversations: conversationsContent,
};

const capture = createContentCapture({
  capture: undefined,
  environment: createEnvironment({}, () => {}),
  valueLength: 1e6,
});

/** What a request becomes on a span. */
function show(content: RequestContent): Shown {
  const attributes = capture.request(content, 1000);
  const parse = (name: string) => {
    const json = attributes[name];
    return json === undefined ? undefined : (JSON.parse(String(json)) as unknown);
  };
  return {
    messages: parse('gen_ai.input.messages'),
    system: parse('gen_ai.system_instructions'),
    tools: parse('gen_ai.tool.definitions'),
  };
}

const text = (content: string) => ({ type: 'text', content });

describe('a request', () => {
  it.each(Object.entries(conversations))('of %s', (_, { format, body, shown }) => {
    expect(show(format.request(body))).toEqual(shown);
  });

  it.each([
    ['legacy completion', openaiContent, { prompt: 'Look' }],
    ['Responses with a text', openaiContent, { input: 'Look' }],
    ['Ollama completion', ollamaContent, { prompt: 'Look' }],
    ['Titan', invokeContent, { inputText: 'Look' }],
    ['Llama by InvokeModel', invokeContent, { prompt: 'Look' }],
    ['Claude by InvokeModel', invokeContent, { anthropic_version: 'b', messages: [{ role: 'user', content: 'Look' }] }],
    ['Nova by InvokeModel', invokeContent, { messages: [{ role: 'user', content: [{ text: 'Look' }] }] }],
    ['Workers AI', cloudflareContent, { prompt: 'Look' }],
    [
      'Workers AI by its gateway',
      cloudflareContent,
      { model: 'm', input: { messages: [{ role: 'user', content: 'Look' }] } },
    ],
    ['Gemini with a text, as the SDK takes it', geminiContent, { contents: 'Look' }],
    ['Interactions with a text', interactionsContent, { input: 'Look' }],
    ['Conversations with a text', conversationsContent, { inputs: 'Look' }],
  ] as const)('of a %s', (_, format, body) => {
    expect(show(format.request(body)).messages).toEqual([{ role: 'user', parts: [text('Look')] }]);
  });
});

const junk = fc.anything({
  maxDepth: 4,
  key: fc.constantFrom(
    'messages',
    'role',
    'content',
    'parts',
    'type',
    'text',
    'choices',
    'delta',
    'message',
    'candidates',
    'output',
    'contents',
    'input',
    'tool_calls',
    'function',
    'arguments',
    'toolUse',
    'image',
    'source',
    'bytes',
    'steps',
    'response',
    'results',
    'outputs',
    'result',
  ),
});

describe.each(Object.entries(formats))('%s', (_name, format) => {
  it('reads anything without a throw', () => {
    fc.assert(
      fc.property(junk, fc.array(junk, { maxLength: 4 }), (body, events) => {
        const { messages = [] } = format.request(body);
        const reader = format.stream(100);
        for (const json of events) reader.event({ json });
        for (const some of [messages, format.response(body), reader.result()]) {
          const { 'gen_ai.output.messages': json } = capture.response(some, 50);
          if (json !== undefined) expectMessages(String(json));
        }
      }),
    );
  });
});
