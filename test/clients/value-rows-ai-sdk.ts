import * as deepseekWire from './deepseek-wire.ts';
import * as fireworksWire from './fireworks-wire.ts';
import { json, sse } from './loopback.ts';
import type { Cell, Fetch, Row } from './value-table.ts';
import * as xaiWire from './xai-wire.ts';

/** The AI SDK's functions, whose models have the `fetch`. */
export async function createAiSdkRows(): Promise<Row[]> {
  const [ai, xai, deepseek, fireworks, { z }] = await Promise.all([
    import('ai'),
    import('@ai-sdk/xai'),
    import('@ai-sdk/deepseek'),
    import('@ai-sdk/fireworks'),
    import('zod'),
  ]);
  const tools = { get_weather: ai.tool({ inputSchema: z.object({ city: z.string() }) }) };
  const { generateText, streamText, embed, embedMany } = ai;
  const functions = { generateText, streamText, embed, embedMany };
  const asked = { prompt: 'Hi', tools, maxRetries: 0 };
  const called = { finish: 'tool-calls', tools: ['get_weather'] };

  const reasoner = (fetch: Fetch) => [
    { ...asked, model: deepseek.createDeepSeek({ apiKey: 'k', fetch })('deepseek-reasoner') },
  ];
  const base = { provider: 'deepseek', model: 'deepseek-reasoner', usage: [1000, 500] as const };
  const cell = (answer: Cell['answer'], method: string, more: object): Cell => ({
    answer,
    method,
    args: reasoner,
    expected: { ...base, ...more },
  });
  const vector = (method: string, value: object): Cell => ({
    answer: json(200, fireworksWire.embeddings()),
    method,
    args: (fetch) => {
      const model = fireworks.createFireworks({ apiKey: 'k', fetch }).embeddingModel(fireworksWire.embeddingModel);
      return [{ model, maxRetries: 0, ...value }];
    },
    expected: { provider: 'fireworks', model: fireworksWire.embeddingModel, usage: [1000, undefined] },
    anonymous: true,
  });
  const grok = (fetch: Fetch) => [{ ...asked, model: xai.createXai({ apiKey: 'k', fetch })('grok-4') }];
  const responded = { provider: 'xai', model: 'grok-4', usage: [1000, 500] as const, ...called };

  return [
    {
      sdk: 'ai with @ai-sdk/deepseek and @ai-sdk/fireworks',
      volatile: true,
      client: () => ({ ...functions }),
      plain: cell(json(200, deepseekWire.completion()), 'generateText', { finish: 'stop' }),
      stream: cell(sse(deepseekWire.toolChunks()), 'streamText', called),
      tools: cell(json(200, deepseekWire.completion(true)), 'generateText', called),
      embed: vector('embed', { value: 'Hi' }),
    },
    {
      sdk: 'ai with @ai-sdk/xai',
      volatile: true,
      client: () => ({ ...functions }),
      plain: { answer: json(200, xaiWire.response()), method: 'generateText', args: grok, expected: responded },
      stream: { answer: sse(xaiWire.responseEvents()), method: 'streamText', args: grok, expected: responded },
      tools: { answer: json(200, xaiWire.response()), method: 'generateText', args: grok, expected: responded },
      embed: vector('embedMany', { values: ['Hi'] }),
    },
  ];
}
