import { concat, eventFrame } from './event-frames.ts';

type Json = Record<string, unknown>;

/** One event of a stream; the type where the framing has one. */
interface Event {
  readonly type?: string;
  readonly data: unknown;
}

export type Framing = 'json' | 'sse' | 'ndjson' | 'array' | 'eventstream';

/** A call and its whole answer, in the vendor's own format. */
export interface Exchange {
  readonly name: string;
  readonly url: string;
  readonly request: Json;
  readonly headers?: Record<string, string>;
  readonly framing: Framing;
  /** One JSON text, or the events of a stream. */
  readonly events: readonly Event[];
  /** Names of the counts that the vendor always sends. */
  readonly counts: readonly string[];
  /** Tokens in and out, as they are counted. */
  readonly usage: readonly [input: number | undefined, output: number | undefined];
}

export const contentTypes: Readonly<Record<Framing, string>> = {
  json: 'application/json',
  sse: 'text/event-stream',
  ndjson: 'application/x-ndjson',
  array: 'application/json',
  eventstream: 'application/vnd.amazon.eventstream',
};

const utf8 = new TextEncoder();

/** The answer's bytes. */
export function encode(framing: Framing, events: readonly Event[]): Uint8Array<ArrayBuffer> {
  const texts = events.map(({ data }) => (typeof data === 'string' ? data : JSON.stringify(data)));
  switch (framing) {
    case 'json':
      return utf8.encode(texts[0]);
    case 'ndjson':
      return utf8.encode(texts.map((text) => `${text}\n`).join(''));
    case 'array':
      return utf8.encode(`[${texts.join(',\r\n')}]`);
    case 'sse':
      return utf8.encode(
        texts.map((text, i) => `${events[i]!.type ? `event: ${events[i]!.type}\n` : ''}data: ${text}\n\n`).join(''),
      );
    case 'eventstream':
      return concat(texts.map((text, i) => encodeEvent(events[i]!.type ?? '', text)));
  }
}

/** An event, or where its name says so an exception, of AWS's event stream. */
export function encodeEvent(type: string, payload: string): Uint8Array {
  const kind = /exception$/i.test(type) ? 'exception' : 'event';
  const headers = { [`:${kind}-type`]: type, ':content-type': 'application/json', ':message-type': kind };
  return eventFrame(headers, payload);
}

/** Of the counts none is another's sum by accident. */
const input = 100_003;
const cached = 20_011;
const output = 3_001;
const reasoning = 509;

const messages = [{ role: 'user', content: 'Hi' }];
const done: Event = { data: '[DONE]' };

const chatUsage = {
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: reasoning },
};
const chatCounts = ['prompt_tokens', 'completion_tokens'];
const call = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{}' } };

/** OpenAI's chat completions, as nearly all others speak them too; `billed` where reasoning comes on top. */
function chat(url: string, model = 'm', billed = output): Exchange[] {
  const common = { id: 'c1', object: 'chat.completion', created: 1_763_700_000, model };
  const chunk = (delta: Json, finish_reason: string | null, more: Json = {}): Event => ({
    data: { ...common, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }], ...more },
  });
  const shared = { url, counts: chatCounts, usage: [input, billed] as const };
  return [
    {
      ...shared,
      name: 'chat completion',
      request: { model, messages },
      framing: 'json',
      events: [
        {
          data: {
            ...common,
            choices: [
              { index: 0, message: { role: 'assistant', content: 'Hi', tool_calls: [call] }, finish_reason: 'stop' },
            ],
            usage: chatUsage,
          },
        },
      ],
    },
    {
      ...shared,
      name: 'streamed chat completion',
      request: { model, messages, stream: true, stream_options: { include_usage: true } },
      framing: 'sse',
      events: [
        chunk({ role: 'assistant', content: '' }, null),
        chunk({ content: 'Hi' }, null),
        chunk({ tool_calls: [{ index: 0, ...call }] }, null),
        chunk({}, 'stop', { usage: chatUsage }),
        done,
      ],
    },
  ];
}

function responses(url: string): Exchange[] {
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
  const item = { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{}' };
  const response = { id: 'r1', object: 'response', status: 'completed', model: 'm', output: [item], usage };
  const event = (type: string, data: Json): Event => ({ type, data: { type, ...data } });
  const shared = { url, counts: ['input_tokens', 'output_tokens'], usage: [input, output] as const };
  return [
    {
      ...shared,
      name: 'response',
      request: { model: 'm', input: 'Hi' },
      framing: 'json',
      events: [{ data: response }],
    },
    {
      ...shared,
      name: 'streamed response',
      request: { model: 'm', input: 'Hi', stream: true },
      framing: 'sse',
      events: [
        event('response.created', { response: { ...response, status: 'in_progress', output: [], usage: null } }),
        event('response.output_item.added', { output_index: 0, item }),
        event('response.output_text.delta', { output_index: 0, delta: 'Hi' }),
        event('response.completed', { response }),
      ],
    },
  ];
}

function embeddings(url: string): Exchange {
  return {
    name: 'embeddings',
    url,
    request: { model: 'm', input: 'Hi' },
    framing: 'json',
    events: [
      {
        data: {
          object: 'list',
          model: 'm',
          data: [{ object: 'embedding', index: 0, embedding: [0.25] }],
          usage: { prompt_tokens: input, total_tokens: input },
        },
      },
    ],
    counts: ['prompt_tokens'],
    usage: [input, undefined],
  };
}

function anthropic(url: string, request: Json = { model: 'm' }): Exchange[] {
  const usage = { input_tokens: input, cache_read_input_tokens: cached, output_tokens: output };
  const tool = { type: 'tool_use', id: 't1', name: 'get_weather', input: {} };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [tool] };
  const event = (type: string, data: Json): Event => ({ type, data: { type, ...data } });
  const shared = { url, counts: ['input_tokens', 'output_tokens'], usage: [input + cached, output] as const };
  return [
    {
      ...shared,
      name: 'message',
      request: { ...request, max_tokens: 9, messages },
      framing: 'json',
      events: [{ data: { ...message, stop_reason: 'tool_use', usage } }],
    },
    {
      ...shared,
      name: 'streamed message',
      request: { ...request, max_tokens: 9, messages, stream: true },
      framing: 'sse',
      events: [
        event('message_start', { message: { ...message, content: [], stop_reason: null, usage } }),
        event('content_block_start', { index: 0, content_block: tool }),
        event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: '{}' } }),
        event('content_block_stop', { index: 0 }),
        event('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: output } }),
        event('message_stop', {}),
      ],
    },
  ];
}

function gemini(base: string): Exchange[] {
  const usageMetadata = {
    promptTokenCount: input,
    cachedContentTokenCount: cached,
    candidatesTokenCount: output,
    thoughtsTokenCount: reasoning,
    totalTokenCount: input + output + reasoning,
  };
  const reply = (part: Json, more: Json = {}): Json => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [part] }, ...more }],
    usageMetadata,
    modelVersion: 'gemini-2.5-flash',
    responseId: 'g1',
  });
  const last = reply({ functionCall: { name: 'get_weather', args: {} } }, { finishReason: 'STOP' });
  const shared = {
    request: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
    counts: ['promptTokenCount'],
    usage: [input, output + reasoning] as const,
  };
  const stream = [{ data: reply({ text: 'Hi' }) }, { data: last }];
  return [
    {
      ...shared,
      name: 'content',
      url: `${base}:generateContent`,
      framing: 'json',
      events: [{ data: last }],
    },
    {
      ...shared,
      name: 'streamed content',
      url: `${base}:streamGenerateContent?alt=sse`,
      framing: 'sse',
      events: stream,
    },
    { ...shared, name: 'content in an array', url: `${base}:streamGenerateContent`, framing: 'array', events: stream },
  ];
}

function bedrock(): Exchange[] {
  const base = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1%3A0';
  const usage = { inputTokens: input, outputTokens: output, totalTokens: input + output, cacheReadInputTokens: cached };
  const toolUse = { toolUseId: 't1', name: 'get_weather' };
  const shared = {
    request: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
    counts: ['inputTokens', 'outputTokens'],
    usage: [input + cached, output] as const,
  };
  return [
    {
      ...shared,
      name: 'conversation',
      url: `${base}/converse`,
      framing: 'json',
      events: [
        {
          data: {
            output: {
              message: { role: 'assistant', content: [{ text: 'Hi' }, { toolUse: { ...toolUse, input: {} } }] },
            },
            stopReason: 'tool_use',
            usage,
            metrics: { latencyMs: 12 },
          },
        },
      ],
    },
    {
      ...shared,
      name: 'streamed conversation',
      url: `${base}/converse-stream`,
      framing: 'eventstream',
      events: [
        { type: 'messageStart', data: { role: 'assistant' } },
        { type: 'contentBlockDelta', data: { contentBlockIndex: 0, delta: { text: 'Hi' } } },
        { type: 'contentBlockStart', data: { contentBlockIndex: 1, start: { toolUse } } },
        { type: 'contentBlockStop', data: { contentBlockIndex: 1 } },
        { type: 'messageStop', data: { stopReason: 'tool_use' } },
        { type: 'metadata', data: { usage, metrics: { latencyMs: 12 } } },
      ],
    },
  ];
}

function cohere(): Exchange[] {
  const usage = {
    billed_units: { input_tokens: input, output_tokens: output },
    tokens: { input_tokens: 400_009, output_tokens: 7_001 },
  };
  const toolCall = { id: 't1', type: 'function', function: { name: 'get_weather', arguments: '{}' } };
  const event = (type: string, data: Json): Event => ({ type, data: { type, ...data } });
  const shared = {
    url: 'https://api.cohere.com/v2/chat',
    counts: ['input_tokens', 'output_tokens'],
    usage: [input, output] as const,
  };
  return [
    {
      ...shared,
      name: 'chat',
      request: { model: 'm', messages },
      framing: 'json',
      events: [
        {
          data: {
            id: 'c1',
            finish_reason: 'COMPLETE',
            message: { role: 'assistant', content: [{ type: 'text', text: 'Hi' }], tool_calls: [toolCall] },
            usage,
          },
        },
      ],
    },
    {
      ...shared,
      name: 'streamed chat',
      request: { model: 'm', messages, stream: true },
      framing: 'sse',
      events: [
        event('message-start', { id: 'c1', delta: { message: { role: 'assistant' } } }),
        event('content-delta', { index: 0, delta: { message: { content: { text: 'Hi' } } } }),
        event('tool-call-start', { index: 0, delta: { message: { tool_calls: toolCall } } }),
        event('message-end', { delta: { finish_reason: 'COMPLETE', usage } }),
        done,
      ],
    },
  ];
}

function ollama(): Exchange[] {
  const end = { done: true, done_reason: 'stop', prompt_eval_count: input, eval_count: output };
  const reply = (content: string, more: Json): Json => ({
    model: 'm',
    created_at: '2026-01-01T00:00:00Z',
    message: { role: 'assistant', content },
    ...more,
  });
  const shared = {
    url: 'http://localhost:11434/api/chat',
    counts: ['eval_count'],
    usage: [input, output] as const,
  };
  return [
    {
      ...shared,
      name: 'chat',
      request: { model: 'm', messages, stream: false },
      framing: 'json',
      events: [{ data: reply('Hi', end) }],
    },
    {
      ...shared,
      name: 'streamed chat',
      request: { model: 'm', messages },
      framing: 'ndjson',
      events: [{ data: reply('Hi', { done: false }) }, { data: reply('', end) }],
    },
  ];
}

function workersAi(): Exchange {
  return {
    name: 'run',
    url: 'https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama-3.1-8b-instruct',
    request: { messages },
    framing: 'json',
    events: [
      {
        data: {
          result: {
            response: 'Hi',
            usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
          },
          success: true,
          errors: [],
          messages: [],
        },
      },
    ],
    counts: [],
    usage: [input, output],
  };
}

const vertex = 'https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers';

/** By the provider's name. A new vendor is one more line. */
export const exchanges: Readonly<Record<string, readonly Exchange[]>> = {
  openai: [
    ...chat('https://api.openai.com/v1/chat/completions'),
    ...responses('https://api.openai.com/v1/responses'),
    embeddings('https://api.openai.com/v1/embeddings'),
  ],
  anthropic: anthropic('https://api.anthropic.com/v1/messages'),
  azure: chat('https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21'),
  bedrock: bedrock(),
  cerebras: chat('https://api.cerebras.ai/v1/chat/completions'),
  cloudflare: [...chat('https://api.cloudflare.com/client/v4/accounts/a/ai/v1/chat/completions', '@cf/m'), workersAi()],
  cohere: cohere(),
  deepseek: chat('https://api.deepseek.com/chat/completions'),
  fireworks: chat('https://api.fireworks.ai/inference/v1/chat/completions'),
  google: gemini('https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash'),
  groq: chat('https://api.groq.com/openai/v1/chat/completions'),
  mistral: chat('https://api.mistral.ai/v1/chat/completions'),
  ollama: ollama(),
  openrouter: chat('https://openrouter.ai/api/v1/chat/completions'),
  perplexity: chat('https://api.perplexity.ai/chat/completions', 'sonar', output + reasoning),
  together: chat('https://api.together.xyz/v1/chat/completions'),
  vertex: [
    ...gemini(`${vertex}/google/models/gemini-2.5-flash`),
    ...anthropic(`${vertex}/anthropic/models/claude-sonnet-4-5:rawPredict`, {
      anthropic_version: 'vertex-2023-10-16',
    }).slice(0, 1),
  ],
  xai: chat('https://api.x.ai/v1/chat/completions'),
};
