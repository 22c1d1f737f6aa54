import * as anthropicWire from './anthropic-wire.ts';
import * as bedrockWire from './bedrock-wire.ts';
import * as cloudflareWire from './cloudflare-wire.ts';
import * as cohereWire from './cohere-wire.ts';
import * as googleWire from './google-wire.ts';
import { json, sse } from './loopback.ts';
import * as mistralWire from './mistral-wire.ts';
import * as ollamaWire from './ollama-wire.ts';
import type { Cell, Expected, Row } from './value-table.ts';

/** SDKs of vendors who have a format of their own. */
export async function createRows(): Promise<Row[]> {
  const [anthropic, google, cohere, mistral, ollama, aws, handlers, cloudflare] = await Promise.all([
    import('@anthropic-ai/sdk'),
    import('@google/genai'),
    import('cohere-ai'),
    import('@mistralai/mistralai'),
    import('ollama/browser'),
    import('@aws-sdk/client-bedrock-runtime'),
    import('@smithy/fetch-http-handler'),
    import('cloudflare'),
  ]);

  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const tools = ['get_weather'];

  function cells(base: Expected, method: string, request: object, embedding?: object) {
    const cell = (answer: Cell['answer'], more: Partial<Expected> = {}, to: Partial<Cell> = {}): Cell => ({
      answer,
      method,
      args: () => [request],
      ...to,
      expected: { ...base, ...more },
    });
    const embed = (answer: Cell['answer'], path: string, input: number | undefined, model?: string): Cell => ({
      answer,
      method: path,
      args: () => [embedding],
      expected: { provider: base.provider, model, usage: [input, undefined] },
      anonymous: true,
    });
    return { cell, embed };
  }

  const claude = { model: 'claude-sonnet-4-6', max_tokens: 64, messages };
  const anthropicCells = cells(
    { provider: 'anthropic', model: claude.model, usage: [1000, 500], finish: 'end_turn' },
    'messages.create',
    claude,
  );

  const gemini = { model: 'gemini-2.5-flash', contents: 'Hi' };
  const googleCells = cells(
    { provider: 'google', model: gemini.model, usage: [1000, 500], finish: 'STOP' },
    'models.generateContent',
    gemini,
    { model: 'gemini-embedding-001', contents: ['Hi'] },
  );

  const cohereCells = cells(
    { provider: 'cohere', usage: [1000, 500], finish: 'COMPLETE' },
    'chat',
    { model: cohereWire.model, messages },
    { model: 'embed-v4.0', texts: ['Hi'], inputType: 'search_document', embeddingTypes: ['float'] },
  );

  const mistralRequest = { model: 'mistral-small-latest', messages };
  const mistralCells = cells(
    { provider: 'mistral', model: mistralRequest.model, usage: [1000, 500], finish: 'stop' },
    'chat.complete',
    mistralRequest,
    { model: 'mistral-embed', inputs: ['Hi'] },
  );

  const ollamaRequest = { model: ollamaWire.model, messages };
  const ollamaCells = cells(
    { provider: 'ollama', model: ollamaWire.model, usage: [1000, 500], finish: 'stop' },
    'chat',
    ollamaRequest,
    { model: 'nomic-embed-text', input: 'Hi' },
  );

  const modelId = 'us.amazon.nova-lite-v1:0';
  const turn = { modelId, messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }] };
  const titan = { modelId: 'amazon.titan-embed-text-v2:0', body: JSON.stringify({ inputText: 'Hi' }) };
  const bedrockCells = cells({ provider: 'bedrock', usage: [1000, 500], finish: 'end_turn' }, 'send', {});

  const run = { account_id: 'a1', messages };
  const cloudflareCells = cells({ provider: 'cloudflare', usage: [1000, 500] }, 'ai.run', {});
  const toRun = (model: string, params: object) => ({ args: () => [model, params], anonymous: true });

  return [
    {
      sdk: '@anthropic-ai/sdk',
      client: (fetch) => new anthropic.Anthropic({ apiKey: 'k', maxRetries: 0, fetch }),
      plain: anthropicCells.cell(json(200, anthropicWire.message())),
      stream: anthropicCells.cell(
        sse(anthropicWire.messageEvents()),
        {},
        { args: () => [{ ...claude, stream: true }] },
      ),
      tools: anthropicCells.cell(json(200, anthropicWire.message([anthropicWire.toolUse])), {
        tools,
        finish: 'tool_use',
      }),
      embed: 'n/a: Anthropic has no embeddings',
    },
    {
      sdk: '@google/genai',
      client: (fetch) => new google.GoogleGenAI({ apiKey: 'k', httpOptions: { fetch } }),
      plain: googleCells.cell(json(200, googleWire.answer())),
      stream: googleCells.cell(sse(googleWire.answerEvents()), {}, { method: 'models.generateContentStream' }),
      tools: googleCells.cell(json(200, googleWire.answer([{ functionCall: googleWire.functionCall }])), { tools }),
      embed: googleCells.embed(json(200, googleWire.embeddings), 'models.embedContent', 4),
    },
    {
      sdk: 'cohere-ai',
      client: (fetch) => new cohere.CohereClientV2({ token: 'k', maxRetries: 0, fetch }),
      plain: cohereCells.cell(json(200, cohereWire.chat())),
      stream: cohereCells.cell(sse(cohereWire.toolEvents()), { tools, finish: 'TOOL_CALL' }, { method: 'chatStream' }),
      tools: cohereCells.cell(json(200, cohereWire.chat([cohereWire.toolCall])), { tools, finish: 'TOOL_CALL' }),
      embed: cohereCells.embed(json(200, cohereWire.embeddings), 'embed', 1000),
    },
    {
      sdk: '@mistralai/mistralai',
      client: (fetch) => new mistral.Mistral({ apiKey: 'k', httpClient: new mistral.HTTPClient({ fetcher: fetch }) }),
      plain: mistralCells.cell(json(200, mistralWire.completion())),
      stream: mistralCells.cell(
        sse(mistralWire.toolChunks()),
        { tools, finish: 'tool_calls' },
        { method: 'chat.stream' },
      ),
      tools: mistralCells.cell(json(200, mistralWire.completion(true)), { tools, finish: 'tool_calls' }),
      embed: {
        ...mistralCells.embed(json(200, mistralWire.embeddings()), 'embeddings.create', 1000),
        expected: { provider: 'mistral', model: 'mistral-embed', usage: [1000, 0] },
      },
    },
    {
      sdk: 'ollama',
      client: (fetch) => new ollama.Ollama({ fetch }),
      plain: ollamaCells.cell(json(200, ollamaWire.chat()), {}, { anonymous: true }),
      stream: ollamaCells.cell(
        ollamaWire.ndjson(ollamaWire.toolLines),
        { tools },
        { args: () => [{ ...ollamaRequest, stream: true }], anonymous: true },
      ),
      tools: ollamaCells.cell(
        json(200, ollamaWire.chat({ tool_calls: [ollamaWire.toolCall] })),
        { tools },
        { anonymous: true },
      ),
      embed: ollamaCells.embed(json(200, ollamaWire.embedded), 'embed', 9, 'nomic-embed-text'),
    },
    {
      sdk: '@aws-sdk/client-bedrock-runtime',
      ownTransport: true,
      client: (_, { url }) =>
        new aws.BedrockRuntimeClient({
          region: 'us-east-1',
          endpoint: url,
          token: { token: 'test' },
          authSchemePreference: ['httpBearerAuth'],
          requestHandler: new handlers.FetchHttpHandler(),
        }),
      plain: bedrockCells.cell(
        bedrockWire.reply(bedrockWire.converse()),
        {},
        { args: () => [new aws.ConverseCommand(turn)] },
      ),
      stream: bedrockCells.cell(
        bedrockWire.eventStream(bedrockWire.toolEvents()),
        { tools, finish: 'tool_use' },
        { args: () => [new aws.ConverseStreamCommand(turn)] },
      ),
      tools: bedrockCells.cell(
        bedrockWire.reply(bedrockWire.converse([{ toolUse: bedrockWire.toolUse }])),
        { tools, finish: 'tool_use' },
        { args: () => [new aws.ConverseCommand(turn)] },
      ),
      embed: {
        ...bedrockCells.embed(bedrockWire.reply({ embedding: [0.1, 0.2], inputTextTokenCount: 3 }), 'send', 3),
        args: () => [new aws.InvokeModelCommand(titan)],
      },
    },
    {
      sdk: 'cloudflare',
      client: (fetch) => new cloudflare.Cloudflare({ apiToken: 'k', maxRetries: 0, fetch }),
      plain: cloudflareCells.cell(json(200, cloudflareWire.answer), {}, toRun(cloudflareWire.model, run)),
      stream: 'n/a: the SDK takes every reply of ai.run for JSON; the binding is in test/llm/values.test.ts',
      tools: cloudflareCells.cell(json(200, cloudflareWire.toolAnswer), { tools }, toRun(cloudflareWire.model, run)),
      embed: {
        ...cloudflareCells.embed(json(200, cloudflareWire.embeddings), 'ai.run', undefined),
        ...toRun('@cf/baai/bge-base-en-v1.5', { account_id: 'a1', text: ['Hi'] }),
      },
    },
  ];
}
