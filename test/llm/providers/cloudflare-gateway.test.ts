import type { Attributes } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { Provider } from '../../../src/llm/provider.ts';
import { anthropic } from '../../../src/llm/providers/anthropic.ts';
import { azure } from '../../../src/llm/providers/azure.ts';
import { bedrock } from '../../../src/llm/providers/bedrock.ts';
import { cerebras } from '../../../src/llm/providers/cerebras.ts';
import { cloudflare } from '../../../src/llm/providers/cloudflare.ts';
import { cohere } from '../../../src/llm/providers/cohere.ts';
import { deepseek } from '../../../src/llm/providers/deepseek.ts';
import { fireworks } from '../../../src/llm/providers/fireworks.ts';
import { google } from '../../../src/llm/providers/google.ts';
import { groq } from '../../../src/llm/providers/groq.ts';
import { mistral } from '../../../src/llm/providers/mistral.ts';
import { openai } from '../../../src/llm/providers/openai.ts';
import { openrouter } from '../../../src/llm/providers/openrouter.ts';
import { perplexity } from '../../../src/llm/providers/perplexity.ts';
import { vertex } from '../../../src/llm/providers/vertex.ts';
import { xai } from '../../../src/llm/providers/xai.ts';
import { findAnswering, recognise } from '../../../src/llm/recognise.ts';
import { createTestTelemetry } from '../../../src/testing.ts';

// https://developers.cloudflare.com/ai-gateway/usage/providers/ and the pages below it
const gateway = 'https://gateway.ai.cloudflare.com/v1/a1/g1';
const rest = 'https://api.cloudflare.com/client/v4/accounts/a1/ai';

const everyone = [
  cloudflare,
  azure,
  bedrock,
  cerebras,
  cohere,
  deepseek,
  fireworks,
  google,
  groq,
  mistral,
  openrouter,
  perplexity,
  vertex,
  xai,
  openai,
  anthropic,
];

const upstream = (url: string, body: unknown = {}, reply?: Record<string, string>, headers = {}) =>
  cloudflare.gateway!.upstream(
    { url: new URL(url), method: 'POST', headers: new Headers(headers), body },
    reply && new Headers(reply),
  );

const completion = (model: string, more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 },
  ...more,
});
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1000, output_tokens: 500 },
};

interface Exchange {
  url: string;
  body: unknown;
  headers?: Record<string, string>;
  reply: unknown;
  replyHeaders?: Record<string, string>;
  status?: number;
  providers?: Provider[];
  includeUsage?: boolean;
}

async function run(exchange: Exchange) {
  const { url, body, headers = {}, reply, replyHeaders = {}, status = 200, includeUsage = false } = exchange;
  const sent: string[] = [];
  const telemetry = createTestTelemetry({
    providers: exchange.providers ?? [cloudflare, cohere, openai, anthropic],
    includeUsage,
    fetch: async (_url, init) => {
      sent.push(String(init?.body));
      const text = typeof reply === 'string' ? reply : JSON.stringify(reply);
      const type = typeof reply === 'string' ? 'text/event-stream' : 'application/json';
      return new Response(text, { status, headers: { 'content-type': type, ...replyHeaders } });
    },
  });
  await (await telemetry.fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).text();
  expect(telemetry.spans.length).toBeLessThan(2);
  const span = telemetry.spans[0];
  const attributes: Attributes = span?.attributes ?? {};
  return {
    name: span?.name,
    provider: attributes['llm.provider'],
    system: attributes['gen_ai.provider.name'],
    gateway: attributes['edgespan.gateway'],
    address: attributes['server.address'],
    model: attributes['llm.model'],
    usage: [attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.output_tokens']],
    cost: attributes['llm.cost_usd'],
    cacheHit: attributes['llm.cache_hit'],
    error: attributes['error.type'],
    errorClass: attributes['edgespan.error_class'],
    attributes,
    telemetry,
    sent: sent.map((text) => JSON.parse(text) as unknown),
  };
}

const prompt = [{ role: 'user', content: 'What is Cloudflare?' }];
const openaiCall = {
  url: `${gateway}/openai/chat/completions`,
  body: { model: 'gpt-4o-mini', messages: prompt },
  reply: completion('gpt-4o-mini-2024-07-18'),
};

describe('the vendor’s own address', () => {
  it.each([
    ['openai/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['openai/v1/responses', 'https://api.openai.com/v1/responses'],
    ['anthropic/v1/messages', 'https://api.anthropic.com/v1/messages'],
    [
      'google-ai-studio/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    ],
    [
      'google-vertex-ai/v1/projects/p/locations/us-central1/publishers/google/models/m:generateContent',
      'https://aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/m:generateContent',
    ],
    [
      'azure-openai/res/gpt-4o/chat/completions?api-version=2024-10-21',
      'https://res.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
    ],
    [
      'aws-bedrock/bedrock-runtime/us-east-1/model/us.anthropic.claude-haiku-4-5-20251001-v1:0/invoke',
      'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-haiku-4-5-20251001-v1:0/invoke',
    ],
    [
      'aws-bedrock/bedrock-mantle/us-east-1/anthropic/v1/messages',
      'https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages',
    ],
    ['groq/chat/completions', 'https://api.groq.com/openai/v1/chat/completions'],
    ['mistral/v1/chat/completions', 'https://api.mistral.ai/v1/chat/completions'],
    ['cohere/v2/chat', 'https://api.cohere.com/v2/chat'],
    ['cohere/chat', 'https://api.cohere.com/v1/chat'],
    ['perplexity-ai/chat/completions', 'https://api.perplexity.ai/chat/completions'],
    ['deepseek/chat/completions', 'https://api.deepseek.com/chat/completions'],
    ['grok/v1/chat/completions', 'https://api.x.ai/v1/chat/completions'],
    ['grok/chat/completions', 'https://api.x.ai/v1/chat/completions'],
    ['openrouter/v1/chat/completions', 'https://openrouter.ai/api/v1/chat/completions'],
    ['openrouter/chat/completions', 'https://openrouter.ai/api/v1/chat/completions'],
    ['cerebras/chat/completions', 'https://api.cerebras.ai/v1/chat/completions'],
    [
      'workers-ai/@cf/meta/llama-3.1-8b-instruct',
      'https://api.cloudflare.com/client/v4/accounts/a1/ai/run/@cf/meta/llama-3.1-8b-instruct',
    ],
    ['workers-ai/v1/chat/completions', 'https://api.cloudflare.com/client/v4/accounts/a1/ai/v1/chat/completions'],
    ['huggingface/v1/chat/completions', `${gateway}/huggingface/v1/chat/completions`],
    ['custom-acme/v1/chat/completions', `${gateway}/custom-acme/v1/chat/completions`],
  ])('%s', (path, address) => {
    const found = upstream(`${gateway}/${path}`);
    expect(found?.url.href).toBe(address);
    expect(found).not.toHaveProperty('body');
  });

  it('is none for what Cloudflare itself answers', () => {
    expect(upstream(`${rest}/run/@cf/meta/llama-3.1-8b-instruct`, { prompt: 'Hi' })).toBeUndefined();
    expect(upstream(`${rest}/v1/chat/completions`, { model: '@cf/meta/llama-3.1-8b-instruct' })).toBeUndefined();
    expect(upstream(`${rest}/v1/chat/completions`, undefined)).toBeUndefined();
  });
});

describe('behind the gateway', () => {
  it('is the vendor, with its price', async () => {
    expect(await run(openaiCall)).toMatchObject({
      name: 'chat gpt-4o-mini',
      provider: 'openai',
      system: 'openai',
      gateway: 'cloudflare',
      address: 'gateway.ai.cloudflare.com',
      model: 'gpt-4o-mini-2024-07-18',
      usage: [1000, 500],
      cost: 0.00045,
      cacheHit: 'miss',
      error: undefined,
    });
  });

  it('is Anthropic, with its format', async () => {
    const body = { model: 'claude-sonnet-4-5', max_tokens: 9, messages: prompt };
    expect(await run({ url: `${gateway}/anthropic/v1/messages`, body, reply: message })).toMatchObject({
      name: 'chat claude-sonnet-4-5',
      provider: 'anthropic',
      usage: [1000, 500],
      cost: 0.0105,
    });
  });

  it('is Cohere, with its format', async () => {
    const billed_units = { input_tokens: 7, output_tokens: 109 };
    const reply = { id: 'c', finish_reason: 'COMPLETE', message: { role: 'assistant' }, usage: { billed_units } };
    const body = { model: 'command-a-03-2025', messages: prompt };
    expect(await run({ url: `${gateway}/cohere/v2/chat`, body, reply })).toMatchObject({
      provider: 'cohere',
      model: 'command-a-03-2025',
      usage: [7, 109],
    });
  });

  it.each([
    ['google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent', 'google', 'gemini-2.5-flash'],
    [
      'google-vertex-ai/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro:generateContent',
      'vertex',
      'gemini-2.5-pro',
    ],
    ['azure-openai/res/my-gpt/chat/completions?api-version=2024-10-21', 'azure', 'my-gpt'],
    ['aws-bedrock/bedrock-runtime/us-east-1/model/us.anthropic.claude-v1:0/converse', 'bedrock', undefined],
    ['groq/chat/completions', 'groq', 'm'],
    ['mistral/v1/chat/completions', 'mistral', 'm'],
    ['perplexity-ai/chat/completions', 'perplexity', 'm'],
    ['deepseek/chat/completions', 'deepseek', 'm'],
    ['grok/v1/chat/completions', 'xai', 'm'],
    ['openrouter/chat/completions', 'openrouter', 'm'],
    ['cerebras/chat/completions', 'cerebras', 'm'],
    ['fireworks/chat/completions', 'fireworks', 'm'],
    ['cohere/v2/chat', 'cohere', 'm'],
    ['anthropic/v1/messages', 'anthropic', 'm'],
    ['openai/chat/completions', 'openai', 'm'],
  ])('is whom %s names', (path, name, model) => {
    const errors: unknown[] = [];
    const report = (error: unknown) => errors.push(error);
    const sent = { url: new URL(`${gateway}/${path}`), method: 'POST', headers: new Headers(), body: { model: 'm' } };
    const found = recognise(everyone, sent, report)!;
    const { provider, operation, request } = findAnswering(found, sent, everyone, report);
    const word = request.url.pathname.endsWith(':generateContent') ? 'generate_content' : 'chat';
    expect([provider.name, operation]).toEqual([name, word]);
    if (model) expect(provider.request(request).model).toBe(model);
    expect(errors).toEqual([]);
  });

  it('is Workers AI', async () => {
    const reply = { result: { response: 'Hi', usage: { prompt_tokens: 3, completion_tokens: 4 } }, success: true };
    const url = `${gateway}/workers-ai/@cf/meta/llama-3.1-8b-instruct`;
    expect(await run({ url, body: { prompt: 'Hi' }, reply })).toMatchObject({
      name: 'chat @cf/meta/llama-3.1-8b-instruct',
      provider: 'cloudflare',
      gateway: 'cloudflare',
      usage: [3, 4],
    });
  });

  it('is somebody that nobody knows, in OpenAI’s format', async () => {
    const body = { model: 'acme-1', messages: prompt };
    const seen = await run({ url: `${gateway}/custom-acme/v1/chat/completions`, body, reply: completion('acme-1') });
    expect(seen).toMatchObject({ provider: 'cloudflare', model: 'acme-1', usage: [1000, 500] });
    expect(seen.attributes['edgespan.upstream']).toBe('custom-acme');
  });

  it('is read by the gateway alone, if need be', () => {
    const sent = { url: new URL(openaiCall.url), method: 'POST', headers: new Headers(), body: openaiCall.body };
    const found = { provider: cloudflare, operation: 'chat' };
    const { provider, request } = findAnswering(found, sent, [cloudflare], () => {});
    const known = {
      provider: 'cloudflare',
      operation: 'chat',
      stream: false,
      ...provider.request(request),
      model: 'm',
    };
    const reply = { status: 200, headers: new Headers(), request: known, url: request.url };
    expect(provider.response(openaiCall.reply, reply)).toMatchObject({ usage: { input: 1000, output: 500 } });
  });

  it('streams', async () => {
    const chunk = (rest: object) => `data: ${JSON.stringify({ id: 'c', model: 'gpt-4o-mini', ...rest })}\n\n`;
    const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };
    const reply = [
      chunk({ choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }] }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
      chunk({ choices: [], usage }),
      'data: [DONE]\n\n',
    ].join('');
    const body = { ...openaiCall.body, stream: true };
    const seen = await run({ ...openaiCall, body, reply, replyHeaders: { 'cf-aig-cache-status': 'MISS' } });
    expect(seen).toMatchObject({ provider: 'openai', usage: [10, 2], cacheHit: 'miss', error: undefined });
    expect(seen.attributes['gen_ai.response.time_to_first_chunk']).toBeTypeOf('number');
  });

  it('leaves alone what is no model call', async () => {
    expect((await run({ ...openaiCall, url: `${gateway}/openai/files` })).telemetry.spans).toEqual([]);
  });
});

// https://developers.cloudflare.com/ai-gateway/usage/chat-completion/
describe('one address for all, where the model names the vendor', () => {
  const url = `${gateway}/compat/chat/completions`;
  const call = (model: string, reply: unknown = completion(model.replace(/^[^/]+\//, ''))) => ({
    url,
    body: { model, messages: prompt },
    reply,
  });

  it('is priced as the vendor’s own', async () => {
    expect(await run(call('openai/gpt-4o-mini'))).toMatchObject({
      name: 'chat gpt-4o-mini',
      provider: 'openai',
      gateway: 'cloudflare',
      cost: 0.00045,
    });
  });

  it('is another vendor’s in OpenAI’s format', async () => {
    expect(await run(call('anthropic/claude-sonnet-4-5'))).toMatchObject({
      name: 'chat claude-sonnet-4-5',
      provider: 'anthropic',
      system: 'anthropic',
      usage: [1000, 500],
      cost: 0.0105,
    });
  });

  it.each([
    [
      'google-ai-studio/gemini-2.5-flash',
      'gemini-2.5-flash',
      'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
      'google',
    ],
    ['google-vertex-ai/google/gemini-2.5-pro', 'gemini-2.5-pro', url, 'vertex'],
    [
      'aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0',
      'us.anthropic.claude-haiku-4-5-20251001-v1:0',
      url,
      'bedrock',
    ],
    [
      'cohere/command-a-03-2025',
      'command-a-03-2025',
      'https://api.cohere.com/compatibility/v1/chat/completions',
      'cohere',
    ],
    ['grok/grok-4', 'grok-4', 'https://api.x.ai/v1/chat/completions', 'xai'],
    ['perplexity/sonar', 'sonar', 'https://api.perplexity.ai/chat/completions', 'perplexity'],
    ['workers-ai/@cf/meta/llama-3.1-8b-instruct', '@cf/meta/llama-3.1-8b-instruct', url, undefined],
    ['custom-acme/acme-1', 'custom-acme/acme-1', url, undefined],
    ['dynamic/cheap', 'dynamic/cheap', url, undefined],
  ])('%s', (model, stripped, address, provider) => {
    const found = upstream(url, { model });
    expect(found?.url.href).toBe(address);
    expect(found?.body).toEqual({ model: stripped });
    expect(found?.provider).toBe(provider);
  });

  // https://developers.cloudflare.com/ai-gateway/features/dynamic-routing/usage/
  it('is whom a route of the gateway has chosen', async () => {
    const replyHeaders = { 'cf-aig-provider': 'openai', 'cf-aig-model': 'gpt-4o-mini' };
    expect(await run({ ...call('dynamic/cheap', completion('gpt-4o-mini')), replyHeaders })).toMatchObject({
      name: 'chat dynamic/cheap',
      provider: 'openai',
      model: 'gpt-4o-mini',
      cost: 0.00045,
    });
  });

  it('is asked for usage where the body goes to the vendor as it is', async () => {
    const body = { model: 'openai/gpt-4o-mini', messages: prompt, stream: true };
    const call = { body, reply: 'data: [DONE]\n\n', includeUsage: true };
    expect((await run({ ...call, url })).sent).toEqual([body]);
    const { sent } = await run({ ...call, url: openaiCall.url });
    expect(sent).toEqual([{ ...body, stream_options: { include_usage: true } }]);
  });
});

// https://developers.cloudflare.com/ai-gateway/usage/rest-api/
describe('the REST API with a model of any vendor', () => {
  const body = { model: 'openai/gpt-4o-mini', messages: prompt };

  it('speaks OpenAI’s formats', async () => {
    const reply = completion('gpt-4o-mini');
    expect(await run({ url: `${rest}/v1/chat/completions`, body, reply })).toMatchObject({
      name: 'chat gpt-4o-mini',
      provider: 'openai',
      gateway: 'cloudflare',
      address: 'api.cloudflare.com',
      cost: 0.00045,
    });
    expect(upstream(`${rest}/v1/responses`, body)?.url.href).toBe('https://api.openai.com/v1/responses');
    expect(upstream(`${rest}/v1/messages`, body)).toMatchObject({ url: new URL(`${rest}/v1/messages`) });
  });

  it('speaks Anthropic’s', async () => {
    const asked = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 9, messages: prompt };
    expect(await run({ url: `${rest}/v1/messages`, body: asked, reply: message })).toMatchObject({
      name: 'chat claude-sonnet-4-5',
      provider: 'anthropic',
      cost: 0.0105,
    });
  });

  it('speaks its own', async () => {
    const asked = { model: 'openai/gpt-4o-mini', input: { messages: prompt, max_tokens: 512 } };
    const reply = { state: 'Completed', result: completion('gpt-4o-mini'), provider: 'openai' };
    const seen = await run({ url: `${rest}/run`, body: asked, reply });
    expect(seen).toMatchObject({ name: 'chat gpt-4o-mini', provider: 'openai', usage: [1000, 500], cost: 0.00045 });
    expect(seen.attributes['gen_ai.request.max_tokens']).toBe(512);
  });

  it('is Workers AI where the model is its own', async () => {
    const reply = { result: { response: 'Hi', usage: { prompt_tokens: 3, completion_tokens: 4 } }, success: true };
    const call = { url: `${rest}/run/@cf/meta/llama-3.1-8b-instruct`, body: { prompt: 'Hi' }, reply };
    expect(await run(call)).toMatchObject({ provider: 'cloudflare', gateway: undefined, usage: [3, 4] });
    expect(await run({ ...call, headers: { 'cf-aig-gateway-id': 'default' } })).toMatchObject({
      name: 'chat @cf/meta/llama-3.1-8b-instruct',
      provider: 'cloudflare',
      gateway: 'cloudflare',
      usage: [3, 4],
    });
  });
});

// https://developers.cloudflare.com/ai-gateway/usage/universal/
describe('the universal endpoint', () => {
  const entries = [
    { provider: 'workers-ai', endpoint: '@cf/meta/llama-3.1-8b-instruct', headers: {}, query: { messages: prompt } },
    {
      provider: 'openai',
      endpoint: 'chat/completions',
      headers: {},
      query: { model: 'gpt-4o-mini', messages: prompt },
    },
    { provider: 'cohere', endpoint: 'v2/chat', headers: {}, query: { model: 'command-a-03-2025' } },
  ];
  const own = { result: { response: 'Hi', usage: { prompt_tokens: 3, completion_tokens: 4 } }, success: true };

  it('is the first entry', async () => {
    expect(await run({ url: gateway, body: entries, reply: own })).toMatchObject({
      name: 'chat @cf/meta/llama-3.1-8b-instruct',
      provider: 'cloudflare',
      gateway: 'cloudflare',
      usage: [3, 4],
    });
    const [first] = entries.slice(1);
    expect(await run({ url: `${gateway}/`, body: [first], reply: completion('gpt-4o-mini') })).toMatchObject({
      name: 'chat gpt-4o-mini',
      provider: 'openai',
      cost: 0.00045,
    });
  });

  it('is the entry that answered in its place', async () => {
    const replyHeaders = { 'cf-aig-step': '1' };
    const seen = await run({ url: gateway, body: entries, reply: completion('gpt-4o-mini'), replyHeaders });
    expect(seen).toMatchObject({ provider: 'openai', model: 'gpt-4o-mini', usage: [1000, 500], cost: 0.00045 });
    const labels = { provider: 'openai', model: 'gpt-4o-mini', status: 'ok' };
    expect(seen.telemetry.metrics.value('llm_requests_total', labels)).toBe(1);
  });

  it('names the model of that entry where the reply does not', async () => {
    const billed_units = { input_tokens: 7, output_tokens: 9 };
    const reply = { id: 'c', finish_reason: 'COMPLETE', message: { role: 'assistant' }, usage: { billed_units } };
    expect(await run({ url: gateway, body: entries, reply, replyHeaders: { 'cf-aig-step': '2' } })).toMatchObject({
      provider: 'cohere',
      model: 'command-a-03-2025',
      usage: [7, 9],
    });
  });

  it('is none of them where the body is no list, or the step beyond it', async () => {
    for (const body of [[], {}, 'x', null, [null], [{ provider: 5 }]]) {
      expect(await run({ url: gateway, body, reply: {} })).toMatchObject({ name: 'chat', provider: 'cloudflare' });
    }
    const replyHeaders = { 'cf-aig-step': '9' };
    expect(await run({ url: gateway, body: entries, reply: own, replyHeaders })).toMatchObject({ usage: [3, 4] });
  });
});

// https://developers.cloudflare.com/ai-gateway/features/caching/
describe('the gateway’s cache', () => {
  it('costs nothing, and the call still counts', async () => {
    const seen = await run({ ...openaiCall, replyHeaders: { 'cf-aig-cache-status': 'HIT' } });
    expect(seen).toMatchObject({ provider: 'openai', usage: [0, 0], cost: 0, cacheHit: 'exact' });
    expect(seen.attributes).toMatchObject({
      'edgespan.usage.consumed_input_tokens': 1000,
      'edgespan.usage.consumed_output_tokens': 500,
    });
    expect(seen.telemetry.metrics.value('llm_requests_total')).toBe(1);
    expect(seen.telemetry.metrics.value('llm_cost_usd_total') ?? 0).toBe(0);
  });

  it('answers with streams too', async () => {
    const reply = 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n';
    const body = { ...openaiCall.body, stream: true };
    const seen = await run({ ...openaiCall, body, reply, replyHeaders: { 'cf-aig-cache-status': 'HIT' } });
    expect(seen).toMatchObject({ usage: [0, 0], cost: 0, cacheHit: 'exact' });
  });
});

// https://developers.cloudflare.com/ai-gateway/configuration/custom-costs/
describe('a price of the request’s own', () => {
  const priced = (cost: unknown) => ({
    ...openaiCall,
    headers: { 'cf-aig-custom-cost': typeof cost === 'string' ? cost : JSON.stringify(cost) },
  });

  it('by the token, or for all', async () => {
    expect((await run(priced({ per_token_in: 0.000001, per_token_out: 0.000002 }))).cost).toBe(0.002);
    expect((await run(priced({ total_cost: 0.5 }))).cost).toBe(0.5);
    expect((await run(priced({ total_cost: 0 }))).cost).toBe(0);
  });

  it('is left alone where it says nothing', async () => {
    for (const cost of ['{', '[]', {}, { per_token_in: '1' }, { total_cost: -1 }]) {
      expect((await run(priced(cost))).cost).toBe(0.00045);
    }
  });

  it('is not paid for what the cache answers, nor for errors', async () => {
    const call = priced({ total_cost: 0.5 });
    expect((await run({ ...call, replyHeaders: { 'cf-aig-cache-status': 'HIT' } })).cost).toBe(0);
    expect((await run({ ...call, status: 500, reply: {} })).cost).toBeUndefined();
  });

  it('is an entry’s before the request’s', async () => {
    const headers = { 'CF-AIG-Custom-Cost': '{"total_cost":0.25}' };
    const entry = { provider: 'openai', endpoint: 'chat/completions', headers, query: { model: 'gpt-4o-mini' } };
    expect((await run({ ...priced({ total_cost: 0.5 }), url: gateway, body: [entry] })).cost).toBe(0.25);
  });
});

describe('errors', () => {
  // https://developers.cloudflare.com/ai-gateway/features/guardrails/set-up-guardrail/
  it.each([
    [429, { success: false, error: [{ code: 2003, message: 'Rate limited' }] }, '2003', 'rate_limit'],
    [424, { success: false, errors: [{ code: 2016, message: 'Prompt blocked' }] }, '2016', 'provider_error'],
    [401, { error: { type: 'invalid_request_error', code: 'invalid_api_key' } }, 'invalid_api_key', 'provider_error'],
    [502, {}, '502', 'provider_error'],
  ])('of the gateway, or of the vendor behind it: %d', async (status, reply, error, errorClass) => {
    expect(await run({ ...openaiCall, status, reply })).toMatchObject({ provider: 'openai', error, errorClass });
  });
});
