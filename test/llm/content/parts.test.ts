import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../../../src/environment.ts';
import { createContentCapture } from '../../../src/llm/content/capture.ts';
import { converseContent } from '../../../src/llm/content/converse.ts';
import { geminiContent } from '../../../src/llm/content/gemini.ts';
import { invokeContent } from '../../../src/llm/content/invoke.ts';
import type { ContentFormat } from '../../../src/llm/content/message.ts';
import { openaiContent } from '../../../src/llm/content/openai.ts';
import { expectMessages } from './schema.ts';

/** Twenty bytes, and what is told of them. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAE=';
const note = { size: 20, hash: 'fnv1a64:9d8bb024a1092dfb' };
const picture = { type: 'blob', modality: 'image', mime_type: 'image/png', ...note };
const dataUrl = `data:image/png;base64,${png}`;

const capture = createContentCapture({
  capture: undefined,
  environment: createEnvironment({}, () => {}),
  valueLength: 1e6,
});

function show(format: ContentFormat, body: unknown): { role: string; parts: unknown }[] {
  const { 'gen_ai.input.messages': json = '[]' } = capture.request(format.request(body), 1000);
  return expectMessages(String(json)).map(({ role, parts }) => ({ role, parts }));
}

const tool = (response: unknown, id = 'c1') => ({
  role: 'tool',
  parts: [{ type: 'tool_call_response', id, response }],
});
const asked = (name: string, args: unknown, id = 'c1') => ({
  role: 'assistant',
  parts: [{ type: 'tool_call', id, name, arguments: args }],
});
const hosted = (name: string, call: object, id: string) => ({
  role: 'assistant',
  parts: [{ type: 'server_tool_call', id, name, server_tool_call: call }],
});

describe('items of the Responses API', () => {
  const click = { type: 'click', x: 1, y: 2 };
  const shell = { commands: ['ls'] };
  const said = [{ stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }];

  it.each<[string, object, object]>([
    [
      'a search that the vendor runs',
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
      hosted('web_search', { type: 'web_search_call', action: { type: 'search', query: 'q' } }, 'ws_1'),
    ],
    [
      'a tool of a server that the vendor asks',
      { type: 'mcp_call', id: 'mc_1', name: 'add', arguments: '{}', output: '3' },
      hosted('add', { type: 'mcp_call', name: 'add', arguments: '{}', output: '3' }, 'mc_1'),
    ],
    [
      'a click that is asked for',
      { type: 'computer_call', id: 'cc_1', call_id: 'c1', status: 'completed', action: click },
      asked('computer', { action: click }),
    ],
    [
      'what is then to be seen',
      {
        type: 'computer_call_output',
        call_id: 'c1',
        output: { type: 'computer_screenshot', image_url: dataUrl },
      },
      tool([picture]),
    ],
    [
      'a shell of one’s own',
      { type: 'shell_call', id: 'sh_1', call_id: 'c1', action: shell },
      asked('shell', { action: shell }),
    ],
    [
      'a shell of the vendor’s',
      { type: 'shell_call', call_id: 'c1', action: shell, environment: { type: 'container_reference' } },
      hosted('shell', { type: 'shell_call', action: shell, environment: { type: 'container_reference' } }, 'c1'),
    ],
    ['what a shell says', { type: 'shell_call_output', call_id: 'c1', output: said }, tool(said)],
    ['what an older shell says', { type: 'local_shell_call_output', id: 'c1', output: 'a' }, tool('a')],
    [
      'contents of an answer',
      { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'a' }] },
      tool('a'),
    ],
    ['what a program came to', { type: 'program_output', id: 'po_1', call_id: 'c1', result: '4' }, tool('4')],
    [
      'tools that were found',
      { type: 'tool_search_output', call_id: 'c1', tools: [{ type: 'function', name: 'f' }] },
      tool([{ type: 'function', name: 'f' }]),
    ],
    [
      'a consent',
      { type: 'mcp_approval_response', approval_request_id: 'a', approve: true },
      { role: 'user', parts: [{ type: 'mcp_approval_response', approval_request_id: 'a', approve: true }] },
    ],
    [
      'a compaction',
      { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' },
      { role: 'assistant', parts: [{ type: 'compaction', id: 'cmp_1' }] },
    ],
  ])('%s', (_name, item, expected) => {
    expect(show(openaiContent, { input: [item] })).toEqual([expected]);
  });
});

describe('parts of a message', () => {
  const user = (parts: unknown[]) => [{ role: 'user', parts }];
  const openai = (block: object) => ({ messages: [{ role: 'user', content: [block] }] });
  const converse = (block: object) => ({ messages: [{ role: 'user', content: [block] }] });
  const gemini = (part: object) => ({ contents: [{ role: 'user', parts: [part] }] });
  const result = (...content: object[]) => converse({ toolResult: { toolUseId: 'c1', content } });
  const answer = (response: unknown) => user([{ type: 'tool_call_response', id: 'c1', response }]);

  it.each<[string, ContentFormat, object, unknown]>([
    [
      'a document’s address',
      openaiContent,
      openai({ type: 'document_url', document_url: 'https://a.example/b.pdf' }),
      user([{ type: 'uri', modality: 'document', uri: 'https://a.example/b.pdf' }]),
    ],
    [
      'a sound without its format',
      openaiContent,
      openai({ type: 'input_audio', input_audio: png }),
      user([{ type: 'blob', modality: 'audio', ...note }]),
    ],
    [
      'a sound that was said before',
      openaiContent,
      { messages: [{ role: 'assistant', content: null, audio: { id: 'audio_1' } }] },
      [{ role: 'assistant', parts: [{ type: 'file', modality: 'audio', file_id: 'audio_1' }] }],
    ],
    [
      'a document of texts',
      converseContent,
      converse({ document: { format: 'txt', name: 'd', source: { content: [{ text: 'a' }, { text: 'b' }] } } }),
      user([
        { type: 'text', content: 'a' },
        { type: 'text', content: 'b' },
      ]),
    ],
    [
      'a picture that is guarded',
      converseContent,
      converse({ guardContent: { image: { format: 'png', source: { bytes: png } } } }),
      user([picture]),
    ],
    [
      'a text with where it is from',
      converseContent,
      converse({ citationsContent: { content: [{ text: 'a' }], citations: [{ title: 't' }] } }),
      user([{ type: 'text', content: 'a' }]),
    ],
    [
      'thoughts that nobody can read',
      converseContent,
      converse({ reasoningContent: { redactedContent: png } }),
      user([{ type: 'redacted_thinking' }]),
    ],
    ['a result in JSON', converseContent, result({ json: { a: 1 } }), answer({ a: 1 })],
    [
      'a result with a picture',
      converseContent,
      result({ text: 'a' }, { image: { format: 'png', source: { bytes: png } } }),
      answer([{ type: 'text', content: 'a' }, picture]),
    ],
    [
      'a result with a file',
      geminiContent,
      gemini({
        functionResponse: {
          id: 'c1',
          response: { a: 1 },
          parts: [{ inlineData: { mimeType: 'image/png', data: png } }],
        },
      }),
      answer([{ a: 1 }, picture]),
    ],
    [
      'a call of Google’s own',
      geminiContent,
      gemini({ toolCall: { id: 'c1', toolType: 'GOOGLE_SEARCH', args: { q: 'a' } } }),
      user([
        {
          type: 'server_tool_call',
          id: 'c1',
          name: 'GOOGLE_SEARCH',
          server_tool_call: { type: 'tool_call', id: 'c1', toolType: 'GOOGLE_SEARCH', args: { q: 'a' } },
        },
      ]),
    ],
    [
      'what Google’s own answered',
      geminiContent,
      gemini({ toolResponse: { id: 'c1', response: { a: 1 } } }),
      user([
        {
          type: 'server_tool_call_response',
          id: 'c1',
          server_tool_call_response: { type: 'tool_response', id: 'c1', response: { a: 1 } },
        },
      ]),
    ],
    [
      'Cohere’s words by InvokeModel',
      invokeContent,
      { message: 'b', chat_history: [{ role: 'CHATBOT', message: 'a' }] },
      [
        { role: 'assistant', parts: [{ type: 'text', content: 'a' }] },
        { role: 'user', parts: [{ type: 'text', content: 'b' }] },
      ],
    ],
  ])('%s', (_name, format, body, expected) => {
    expect(show(format, body)).toEqual(expected);
  });

  it('has no tool that is none', () => {
    const tools = [{ toolSpec: { name: 'f' } }, { cachePoint: { type: 'default' } }];
    expect(converseContent.request({ messages: [], toolConfig: { tools } }).tools).toEqual([
      { type: 'function', name: 'f' },
    ]);
  });
});

describe('a stream of Converse', () => {
  it('has what the unstreamed answer has, pictures and answers of tools too', () => {
    const delta = (contentBlockIndex: number, one: object) => ({
      contentBlockDelta: { contentBlockIndex, delta: one },
    });
    const begin = (contentBlockIndex: number, start: object) => ({ contentBlockStart: { contentBlockIndex, start } });
    const bytes = Uint8Array.from(atob(png), (char) => char.charCodeAt(0));
    const reader = converseContent.stream(1000);
    const events = [
      { messageStart: { role: 'assistant' } },
      begin(0, { image: { format: 'png' } }),
      delta(0, { image: { source: { bytes: bytes.slice(0, 7) } } }),
      delta(0, { image: { source: { bytes: bytes.slice(7) } } }),
      begin(1, { toolResult: { toolUseId: 'c1', type: 'nova_grounding_result' } }),
      delta(1, { toolResult: [{ text: 'a' }, { json: { b: 1 } }] }),
      delta(2, { text: 'c' }),
      delta(2, { citation: { title: 't' } }),
      delta(3, { reasoningContent: { redactedContent: bytes } }),
      { messageStop: { stopReason: 'end_turn' } },
    ];
    for (const json of events) reader.event({ json });
    const content = [
      { image: { format: 'png', source: { bytes } } },
      { toolResult: { toolUseId: 'c1', type: 'nova_grounding_result', content: [{ text: 'a' }, { json: { b: 1 } }] } },
      { citationsContent: { content: [{ text: 'c' }], citations: [{ title: 't' }] } },
      { reasoningContent: { redactedContent: bytes } },
    ];
    const whole = converseContent.response({ output: { message: { content } }, stopReason: 'end_turn' });
    const shown = capture.response(reader.result(), 1000)['gen_ai.output.messages'];
    expect(shown).toBe(capture.response(whole, 1000)['gen_ai.output.messages']);
    expect(expectMessages(String(shown))[0]?.parts[0]).toEqual(picture);
  });
});
