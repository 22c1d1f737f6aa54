import * as azureWire from './azure-wire.ts';
import * as cerebrasWire from './cerebras-wire.ts';
import * as deepseekWire from './deepseek-wire.ts';
import * as fireworksWire from './fireworks-wire.ts';
import * as groqWire from './groq-wire.ts';
import { json, sse } from './loopback.ts';
import * as openaiWire from './openai-wire.ts';
import * as openrouterWire from './openrouter-wire.ts';
import * as perplexityWire from './perplexity-wire.ts';
import * as togetherWire from './together-wire.ts';
import type { Cell, Row } from './value-table.ts';
import * as xaiWire from './xai-wire.ts';

interface Spoken {
  readonly provider: string;
  readonly model: string;
  readonly completion: (withTool: boolean) => unknown;
  /** With a tool call or without. */
  readonly chunks: readonly string[];
  readonly streamFinish?: string;
  readonly embeddings?: { readonly body: unknown; readonly model: string; readonly input?: number };
  readonly finish?: string;
  /** Of the cells whose values don't say who answered. */
  readonly unsaid?: readonly ('plain' | 'stream' | 'tools' | 'embed')[];
  readonly method?: string;
  readonly wrapRequest?: (request: object) => object;
}

const messages = [{ role: 'user' as const, content: 'Hi' }];
const tools = ['get_weather'];

/** The cells of chat completions as many vendors have them. */
function compatible(spoken: Spoken): Pick<Row, 'plain' | 'stream' | 'tools' | 'embed'> {
  const { provider, model, completion, chunks, embeddings, unsaid = [], method = 'chat.completions.create' } = spoken;
  const { finish = 'stop', streamFinish = 'tool_calls', wrapRequest = (request) => request } = spoken;
  const byShape = (name: (typeof unsaid)[number]) => (unsaid.includes(name) ? { byShape: 'openai' } : {});
  const request = { model, messages };
  const base = { provider, model, usage: [1000, 500] as const };
  const withTools = streamFinish === 'tool_calls' ? { tools } : {};
  const cell = (answer: Cell['answer'], asked: object): Omit<Cell, 'expected'> => ({
    answer,
    method,
    args: () => [wrapRequest(asked)],
  });
  return {
    plain: {
      ...cell(json(200, completion(false)), request),
      expected: { ...base, finish },
      ...byShape('plain'),
    },
    stream: {
      ...cell(sse(chunks), { ...request, stream: true }),
      expected: { ...base, finish: streamFinish, ...withTools },
      ...byShape('stream'),
    },
    tools: {
      ...cell(json(200, completion(true)), request),
      expected: { ...base, finish: 'tool_calls', tools },
      ...byShape('tools'),
    },
    embed: embeddings
      ? {
          answer: json(200, embeddings.body),
          method: 'embeddings.create',
          args: () => [{ model: embeddings.model, input: 'Hi', encoding_format: 'float' }],
          expected: { provider, model: embeddings.model, usage: [embeddings.input, undefined] },
          anonymous: true,
          ...byShape('embed'),
        }
      : `n/a: ${provider} has no embeddings`,
  };
}

const openaiModel = 'gpt-4o-mini-2024-07-18';
const openaiEmbeddings = { body: openaiWire.embeddings(), model: 'text-embedding-3-small', input: 1000 };
const openaiCompletion = (withTool: boolean) =>
  withTool ? openaiWire.chatCompletion(null, [openaiWire.toolCall]) : openaiWire.chatCompletion();

/** SDKs whose vendors speak OpenAI's format, some by OpenAI's own SDK. */
export async function createCompatibleRows(): Promise<Row[]> {
  const [openai, groq, together, cerebras, perplexity, openrouter, http] = await Promise.all([
    import('openai'),
    import('groq-sdk'),
    import('together-ai'),
    import('@cerebras/cerebras_cloud_sdk'),
    import('@perplexity-ai/perplexity_ai'),
    import('@openrouter/sdk'),
    import('@openrouter/sdk/lib/http.js'),
  ]);
  const at = (baseURL: string | undefined): Row['client'] => {
    return (fetch) => new openai.OpenAI({ apiKey: 'k', maxRetries: 0, fetch, ...(baseURL && { baseURL }) });
  };

  return [
    {
      sdk: 'openai',
      client: at(undefined),
      ...compatible({
        provider: 'openai',
        model: openaiModel,
        completion: openaiCompletion,
        chunks: openaiWire.toolChunks(),
        embeddings: openaiEmbeddings,
      }),
    },
    {
      sdk: 'openai (Responses)',
      client: at(undefined),
      plain: {
        answer: json(200, openaiWire.response()),
        method: 'responses.create',
        args: () => [{ model: 'gpt-4o-mini', input: 'Hi' }],
        expected: { provider: 'openai', model: openaiModel, usage: [1000, 500], finish: 'completed' },
      },
      stream: {
        answer: sse(openaiWire.responseEvents()),
        method: 'responses.create',
        args: () => [{ model: 'gpt-4o-mini', input: 'Hi', stream: true }],
        expected: { provider: 'openai', model: openaiModel, usage: [1000, 500], finish: 'completed' },
      },
      tools: {
        answer: json(200, openaiWire.response('', [openaiWire.functionCall])),
        method: 'responses.create',
        args: () => [{ model: 'gpt-4o-mini', input: 'Hi' }],
        expected: { provider: 'openai', model: openaiModel, usage: [1000, 500], finish: 'completed', tools },
      },
      embed: 'n/a: embeddings are no part of the Responses API',
    },
    {
      sdk: 'openai (AzureOpenAI)',
      client: (fetch) =>
        new openai.AzureOpenAI({
          endpoint: 'https://corp.openai.azure.com',
          apiKey: 'k',
          apiVersion: '2024-10-21',
          maxRetries: 0,
          fetch,
        }),
      ...compatible({
        provider: 'azure',
        model: openaiModel,
        completion: azureWire.completion,
        chunks: azureWire.chunks(),
        streamFinish: 'stop',
        embeddings: openaiEmbeddings,
        unsaid: ['embed'],
      }),
    },
    {
      sdk: 'openai at api.x.ai',
      client: at('https://api.x.ai/v1'),
      ...compatible({
        provider: 'xai',
        model: 'grok-4',
        completion: xaiWire.completion,
        chunks: xaiWire.chunks(),
        streamFinish: 'stop',
      }),
    },
    {
      sdk: 'openai at api.deepseek.com',
      client: at('https://api.deepseek.com'),
      ...compatible({
        provider: 'deepseek',
        model: 'deepseek-reasoner',
        completion: deepseekWire.completion,
        chunks: deepseekWire.toolChunks(),
      }),
    },
    {
      sdk: 'openai at api.fireworks.ai',
      client: at('https://api.fireworks.ai/inference/v1'),
      ...compatible({
        provider: 'fireworks',
        model: fireworksWire.model,
        completion: fireworksWire.wire.completion,
        chunks: fireworksWire.wire.toolChunks(),
        embeddings: { body: fireworksWire.embeddings(), model: fireworksWire.embeddingModel, input: 1000 },
        unsaid: ['embed'],
      }),
    },
    {
      sdk: 'groq-sdk',
      client: (fetch) => new groq.Groq({ apiKey: 'k', maxRetries: 0, fetch }),
      ...compatible({
        provider: 'groq',
        model: 'openai/gpt-oss-120b',
        completion: groqWire.completion,
        chunks: groqWire.toolChunks(),
        embeddings: { body: groqWire.embeddings(), model: 'nomic-embed-text-v1_5', input: 1000 },
        unsaid: ['embed'],
      }),
    },
    {
      sdk: 'together-ai',
      client: (fetch) => new together.Together({ apiKey: 'k', maxRetries: 0, fetch }),
      ...compatible({
        provider: 'together',
        model: togetherWire.model,
        completion: togetherWire.wire.completion,
        chunks: togetherWire.wire.toolChunks(),
        finish: 'eos',
        embeddings: { body: togetherWire.embeddings(), model: togetherWire.embeddingModel },
        unsaid: ['embed'],
      }),
    },
    {
      sdk: '@cerebras/cerebras_cloud_sdk',
      client: (fetch) => new cerebras.Cerebras({ apiKey: 'k', maxRetries: 0, warmTCPConnection: false, fetch }),
      ...compatible({
        provider: 'cerebras',
        model: cerebrasWire.model,
        completion: cerebrasWire.wire.completion,
        chunks: cerebrasWire.wire.toolChunks(),
        // Its times come with the last chunk.
        unsaid: ['stream'],
      }),
    },
    {
      sdk: '@perplexity-ai/perplexity_ai',
      client: (fetch) => new perplexity.Perplexity({ apiKey: 'k', maxRetries: 0, fetch }),
      ...compatible({
        provider: 'perplexity',
        model: perplexityWire.model,
        completion: perplexityWire.wire.completion,
        chunks: perplexityWire.chunks(),
        streamFinish: 'stop',
        embeddings: { body: perplexityWire.embeddings(), model: perplexityWire.embeddingModel, input: 1000 },
      }),
    },
    {
      sdk: '@openrouter/sdk',
      client: (fetch) =>
        new openrouter.OpenRouter({
          apiKey: 'k',
          retryConfig: { strategy: 'none' },
          httpClient: new http.HTTPClient({ fetcher: fetch }),
        }),
      ...compatible({
        provider: 'openrouter',
        model: openrouterWire.model,
        completion: openrouterWire.wire.completion,
        chunks: openrouterWire.wire.toolChunks(),
        method: 'chat.send',
        wrapRequest: (chatRequest) => ({ chatRequest }),
      }),
      embed: {
        answer: json(200, openrouterWire.embeddings()),
        method: 'embeddings.generate',
        args: () => [{ requestBody: { model: openrouterWire.embeddingModel, input: 'Hi' } }],
        expected: { provider: 'openrouter', model: openrouterWire.embeddingModel, usage: [1000, undefined] },
        anonymous: true,
      },
    },
  ];
}
