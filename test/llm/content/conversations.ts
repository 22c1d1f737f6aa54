import { anthropicContent } from '../../../src/llm/content/anthropic.ts';
import { cohereContent } from '../../../src/llm/content/cohere.ts';
import { conversationsContent } from '../../../src/llm/content/conversations.ts';
import { converseContent } from '../../../src/llm/content/converse.ts';
import { geminiContent } from '../../../src/llm/content/gemini.ts';
import { interactionsContent } from '../../../src/llm/content/interactions.ts';
import type { ContentFormat } from '../../../src/llm/content/message.ts';
import { ollamaContent } from '../../../src/llm/content/ollama.ts';
import { openaiContent } from '../../../src/llm/content/openai.ts';

/** What a request becomes on a span, parsed. */
export interface Shown {
  readonly messages: unknown;
  readonly system: unknown;
  readonly tools: unknown;
}

/** Twenty bytes, and what FNV-1a makes of them. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAE=';
const hash = 'fnv1a64:9d8bb024a1092dfb';

const text = (content: string) => ({ type: 'text', content });
const blob = (mime_type: string, modality = 'image') => ({
  type: 'blob',
  modality,
  mime_type,
  size: 20,
  hash,
});
const call = { type: 'tool_call', id: 'c1', name: 'weather', arguments: { city: 'Oslo' } };
const answered = (response: unknown = 'sunny', id = 'c1') => ({ type: 'tool_call_response', id, response });

/** One conversation in each vendor's words: instructions, a question with a picture, a call, its answer. */
export const conversations: Readonly<Record<string, { format: ContentFormat; body: unknown; shown: Shown }>> = {
  'OpenAI chat': {
    format: openaiContent,
    body: {
      messages: [
        { role: 'system', content: 'Be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
            { type: 'image_url', image_url: { url: 'https://a.example/b.png' } },
            { type: 'input_audio', input_audio: { data: png, format: 'wav' } },
            { type: 'file', file: { file_id: 'file-1' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
      ],
      tools: [{ type: 'function', function: { name: 'weather', parameters: {} } }],
    },
    shown: {
      messages: [
        { role: 'system', parts: [text('Be brief')] },
        {
          role: 'user',
          parts: [
            text('Look'),
            blob('image/png'),
            { type: 'uri', modality: 'image', uri: 'https://a.example/b.png' },
            blob('audio/wav', 'audio'),
            { type: 'file', modality: 'document', file_id: 'file-1' },
          ],
        },
        { role: 'assistant', parts: [call] },
        { role: 'tool', parts: [answered()] },
      ],
      system: undefined,
      tools: [{ type: 'function', name: 'weather' }],
    },
  },
  'OpenAI Responses': {
    format: openaiContent,
    body: {
      instructions: 'Be brief',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_image', image_url: `data:image/png;base64,${png}` },
          ],
        },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'x' },
        { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' },
        { type: 'function_call_output', call_id: 'c1', output: 'sunny' },
      ],
      tools: [{ type: 'function', name: 'weather' }, { type: 'web_search' }],
    },
    shown: {
      messages: [
        { role: 'user', parts: [text('Look'), blob('image/png')] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Hm' }] },
        { role: 'assistant', parts: [call] },
        { role: 'tool', parts: [answered()] },
      ],
      system: [text('Be brief')],
      tools: [
        { type: 'function', name: 'weather' },
        { type: 'web_search', name: 'web_search' },
      ],
    },
  },
  Anthropic: {
    format: anthropicContent,
    body: {
      system: [{ type: 'text', text: 'Be brief', cache_control: { type: 'ephemeral' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
            { type: 'document', source: { type: 'url', url: 'https://a.example/b.pdf' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm', signature: 's' },
            { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Oslo' } },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'text', text: 'sunny' }] }],
        },
        {
          role: 'assistant',
          content: [{ type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } }],
        },
      ],
      tools: [
        { name: 'weather', input_schema: {} },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
    },
    shown: {
      messages: [
        {
          role: 'user',
          parts: [
            text('Look'),
            blob('image/png'),
            { type: 'uri', modality: 'document', uri: 'https://a.example/b.pdf' },
          ],
        },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Hm' }, call] },
        { role: 'user', parts: [answered()] },
        {
          role: 'assistant',
          parts: [
            {
              type: 'server_tool_call',
              id: 's1',
              name: 'web_search',
              server_tool_call: { type: 'server_tool_use', arguments: { query: 'q' } },
            },
          ],
        },
      ],
      system: [text('Be brief')],
      tools: [
        { type: 'function', name: 'weather' },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
    },
  },
  Gemini: {
    format: geminiContent,
    body: {
      systemInstruction: { parts: [{ text: 'Be brief' }] },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'Look' },
            { inlineData: { mimeType: 'image/png', data: png } },
            { fileData: { mimeType: 'video/mp4', fileUri: 'gs://b/v.mp4' } },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'Hm', thought: true },
            { functionCall: { id: 'c1', name: 'weather', args: { city: 'Oslo' } } },
          ],
        },
        { role: 'user', parts: [{ functionResponse: { id: 'c1', name: 'weather', response: { sky: 'sunny' } } }] },
      ],
      tools: [{ functionDeclarations: [{ name: 'weather' }] }, { googleSearch: {} }],
    },
    shown: {
      messages: [
        {
          role: 'user',
          parts: [
            text('Look'),
            blob('image/png'),
            { type: 'uri', modality: 'video', mime_type: 'video/mp4', uri: 'gs://b/v.mp4' },
          ],
        },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Hm' }, call] },
        { role: 'user', parts: [answered({ sky: 'sunny' })] },
      ],
      system: [text('Be brief')],
      tools: [
        { type: 'function', name: 'weather' },
        { type: 'googleSearch', name: 'googleSearch' },
      ],
    },
  },
  Interactions: {
    format: interactionsContent,
    body: {
      system_instruction: 'Be brief',
      input: [
        {
          type: 'user_input',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image', data: png, mime_type: 'image/png' },
          ],
        },
        { type: 'function_call', id: 'c1', name: 'weather', arguments: { city: 'Oslo' } },
        { type: 'function_result', call_id: 'c1', result: 'sunny' },
      ],
      tools: [{ type: 'function', name: 'weather' }],
    },
    shown: {
      messages: [
        { role: 'user', parts: [text('Look'), blob('image/png')] },
        { role: 'assistant', parts: [call] },
        { role: 'tool', parts: [answered()] },
      ],
      system: [text('Be brief')],
      tools: [{ type: 'function', name: 'weather' }],
    },
  },
  Converse: {
    format: converseContent,
    body: {
      system: [{ text: 'Be brief' }, { cachePoint: { type: 'default' } }],
      messages: [
        {
          role: 'user',
          content: [
            { text: 'Look' },
            { image: { format: 'png', source: { bytes: png } } },
            { image: { format: 'png', source: { bytes: Uint8Array.from(atob(png), (c) => c.charCodeAt(0)) } } },
          ],
        },
        { role: 'assistant', content: [{ toolUse: { toolUseId: 'c1', name: 'weather', input: { city: 'Oslo' } } }] },
        { role: 'user', content: [{ toolResult: { toolUseId: 'c1', content: [{ text: 'sunny' }] } }] },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'weather', inputSchema: {} } }] },
    },
    shown: {
      messages: [
        { role: 'user', parts: [text('Look'), blob('image/png'), blob('image/png')] },
        { role: 'assistant', parts: [call] },
        { role: 'user', parts: [answered()] },
      ],
      system: [text('Be brief')],
      tools: [{ type: 'function', name: 'weather' }],
    },
  },
  'Cohere 2': {
    format: cohereContent,
    body: {
      messages: [
        { role: 'system', content: 'Be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
          ],
        },
        {
          role: 'assistant',
          tool_plan: 'Hm',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
      ],
      tools: [{ type: 'function', function: { name: 'weather' } }],
    },
    shown: {
      messages: [
        { role: 'system', parts: [text('Be brief')] },
        { role: 'user', parts: [text('Look'), blob('image/png')] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Hm' }, call] },
        { role: 'tool', parts: [answered()] },
      ],
      system: undefined,
      tools: [{ type: 'function', name: 'weather' }],
    },
  },
  'Cohere 1': {
    format: cohereContent,
    body: { preamble: 'Be brief', chat_history: [{ role: 'CHATBOT', message: 'Hello' }], message: 'Look' },
    shown: {
      messages: [
        { role: 'assistant', parts: [text('Hello')] },
        { role: 'user', parts: [text('Look')] },
      ],
      system: [text('Be brief')],
      tools: undefined,
    },
  },
  Ollama: {
    format: ollamaContent,
    body: {
      messages: [
        { role: 'user', content: 'Look', images: [png] },
        {
          role: 'assistant',
          content: '',
          thinking: 'Hm',
          tool_calls: [{ id: 'c1', function: { name: 'weather', arguments: { city: 'Oslo' } } }],
        },
        { role: 'tool', content: 'sunny', tool_name: 'c1' },
      ],
    },
    shown: {
      messages: [
        { role: 'user', parts: [text('Look'), { type: 'blob', modality: 'image', size: 20, hash: hash }] },
        { role: 'assistant', parts: [{ type: 'reasoning', content: 'Hm' }, call] },
        { role: 'tool', parts: [answered()] },
      ],
      system: undefined,
      tools: undefined,
    },
  },
  'Mistral conversations': {
    format: conversationsContent,
    body: {
      instructions: 'Be brief',
      inputs: [
        { role: 'user', content: 'Look' },
        { type: 'function.call', tool_call_id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' },
        { type: 'function.result', tool_call_id: 'c1', result: 'sunny' },
      ],
    },
    shown: {
      messages: [
        { role: 'user', parts: [text('Look')] },
        { role: 'assistant', parts: [call] },
        { role: 'tool', parts: [answered()] },
      ],
      system: [text('Be brief')],
      tools: undefined,
    },
  },
};
