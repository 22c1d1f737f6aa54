import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LlmRequest, LlmResponse, Provider } from '../src/llm/provider.ts';
import { anthropic } from '../src/llm/providers/anthropic.ts';
import { azure } from '../src/llm/providers/azure.ts';
import { bedrock } from '../src/llm/providers/bedrock.ts';
import { cohere } from '../src/llm/providers/cohere.ts';
import { deepseek } from '../src/llm/providers/deepseek.ts';
import { google } from '../src/llm/providers/google.ts';
import { groq } from '../src/llm/providers/groq.ts';
import { mistral } from '../src/llm/providers/mistral.ts';
import { ollama } from '../src/llm/providers/ollama.ts';
import { openai } from '../src/llm/providers/openai.ts';
import { openrouter } from '../src/llm/providers/openrouter.ts';
import { perplexity } from '../src/llm/providers/perplexity.ts';
import { together } from '../src/llm/providers/together.ts';
import { vertex } from '../src/llm/providers/vertex.ts';
import { xai } from '../src/llm/providers/xai.ts';
import { createReplyReader } from '../src/llm/reply-reader.ts';
import { createTestTelemetry } from '../src/testing.ts';

/** By the manifest's name. A new provider is one more line. */
const providers: Readonly<Record<string, Provider>> = {
  openai,
  anthropic,
  azure,
  bedrock,
  cohere,
  deepseek,
  google,
  groq,
  mistral,
  ollama,
  openrouter,
  perplexity,
  together,
  vertex,
  xai,
};

interface Fixture {
  id: string;
  provider: string;
  operation: string;
  streaming: boolean;
  expected: {
    model: string | null;
    responseId: string | null;
    input: number | null;
    output: number | null;
    cacheRead: number | null;
    cacheWrite: number | null;
    reasoning: number | null;
    toolCalls: string[];
    finishReasons: string[];
    total: number | null;
    requestModel?: string;
    servingModel?: string;
    dimensions?: number;
    temperature?: number;
    maxTokens?: number;
    /** What was consumed, where another count is billed. */
    used?: { input?: number; output?: number };
    guardrail?: { id?: string; version?: string; intervened?: boolean };
    location?: string;
    upstream?: string;
    cost?: number;
    costTicks?: number;
    error?: { status: number; type?: string; code?: string | number; message?: string };
  };
  request?: { method: string; url: string; body?: string };
  response: { status: number; headers: Record<string, string>; body: string; framing: string };
}

const unterminated = new Set(['google', 'vertex']);
const folder = new URL('../../shared/fixtures/', import.meta.url);
const addresses: Readonly<Record<string, string>> = {
  anthropic: 'https://api.anthropic.com/v1/messages',
  perplexity: 'https://api.perplexity.ai/chat/completions',
  vertex:
    'https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/m:streamGenerateContent?alt=sse',
  xai: 'https://api.x.ai/v1/chat/completions',
};
const operations: Readonly<Record<string, string>> = {
  responses: 'chat',
  embeddings: 'embed',
};

function listFixtures(): Fixture[] {
  if (!existsSync(new URL('manifest.json', folder))) return [];
  const { fixtures } = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as { fixtures: Fixture[] };
  return fixtures.filter((fixture) => fixture.provider in providers);
}

function readBody({ provider, response }: Fixture): Uint8Array {
  const bytes = readFileSync(new URL(response.body, folder));
  if (response.framing !== 'sse-data-lines') return bytes;
  const lines = bytes.toString('utf8').split('\n').filter(Boolean);
  const events = lines.map((line) => {
    const { type } = JSON.parse(line) as { type?: string };
    return `${type ? `event: ${type}\n` : ''}data: ${line}\n\n`;
  });
  if (!events[0]?.startsWith('event') && !unterminated.has(provider)) events.push('data: [DONE]\n\n');
  return new TextEncoder().encode(events.join(''));
}

/** Where the call went; of the recordings that do not say, to the vendor's usual address. */
function readUrl({ provider, request }: Fixture): URL {
  return new URL(request?.url ?? addresses[provider]!);
}

function readRequest(fixture: Fixture, provider: Provider): LlmRequest {
  const { request } = fixture;
  const url = readUrl(fixture);
  const body: unknown = request?.body ? JSON.parse(readFileSync(new URL(request.body, folder), 'utf8')) : {};
  const parsed = provider.request({ url, method: 'POST', headers: new Headers(), body });
  return { provider: provider.name, model: undefined, operation: 'chat', stream: fixture.streaming, ...parsed };
}

interface Reading {
  response: LlmResponse;
  contents: number;
  ends: number;
  parseErrors: number;
}

function read(fixture: Fixture, chunks: readonly Uint8Array[]): Reading {
  const provider = providers[fixture.provider]!;
  const { status, headers } = fixture.response;
  const seen = { contents: 0, ends: 0, parseErrors: 0 };
  const request = { ...readRequest(fixture, provider), stream: fixture.streaming };
  const reader = createReplyReader(
    provider,
    { status, headers: new Headers(headers), request, url: readUrl(fixture) },
    {
      maxBodyBytes: 1 << 20,
      maxEventBytes: 1 << 20,
      onContent: () => seen.contents++,
      onEnd: () => seen.ends++,
      onParseError: () => seen.parseErrors++,
    },
  );
  for (const chunk of chunks) reader.chunk(chunk);
  return { response: reader.finish(), ...seen };
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

function expectRecorded(fixture: Fixture, { response }: Reading): void {
  const { expected } = fixture;
  expect(response.model ?? null).toBe(expected.model);
  expect(response.id ?? null).toBe(expected.responseId);
  for (const field of ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning', 'total'] as const) {
    expect(response.usage?.[field] ?? null, field).toBe(expected[field]);
  }
  expect((response.toolCalls ?? []).map((call) => call.name)).toEqual(expected.toolCalls);
  expect(response.finishReasons ?? []).toEqual(expected.finishReasons);
  expect(response.attributes?.['edgespan.pricing.model']).toBe(expected.servingModel);
  if (expected.used) {
    expect(response.attributes?.['edgespan.usage.consumed_input_tokens']).toBe(expected.used.input);
    expect(response.attributes?.['edgespan.usage.consumed_output_tokens']).toBe(expected.used.output);
  }
  if (expected.upstream) expect(response.attributes?.['edgespan.upstream']).toBe(expected.upstream);
  const cost = expected.cost ?? (expected.costTicks === undefined ? undefined : expected.costTicks / 1e10);
  if (cost !== undefined) expect(response.costUsd).toBeCloseTo(cost, 12);
  if (expected.guardrail) {
    const { id, intervened } = expected.guardrail;
    const request = readRequest(fixture, providers[fixture.provider]!);
    // Who asked by headers, which are not recorded, is told in the answer.
    expect(request.guardrail?.id ?? response.guardrail?.id).toBe(id);
    if (intervened !== undefined) expect(response.guardrail?.action === 'GUARDRAIL_INTERVENED').toBe(intervened);
  }
  if (expected.error) {
    const { status, type, code, message } = expected.error;
    expect(fixture.response.status).toBe(status);
    if (type) expect(response.error?.type).toBe(type);
    expect(response.error?.code).toBe(code?.toString());
    if (message) expect(response.error?.message).toBe(message);
  } else {
    expect(response.error).toBeUndefined();
  }
}

const fixtures = listFixtures();

describe.skipIf(fixtures.length === 0)('recorded exchanges of ../shared/fixtures', () => {
  it('are there for every provider', () => {
    expect(new Set(fixtures.map((fixture) => fixture.provider))).toEqual(new Set(Object.keys(providers)));
  });

  describe.each(fixtures)('$id', (fixture) => {
    const provider = providers[fixture.provider]!;
    const bytes = readBody(fixture);

    it.skipIf(!fixture.request)('the request is recognised and its model read', () => {
      const url = new URL(fixture.request!.url);
      const operation = provider.match({ url, method: fixture.request!.method });
      expect(operation).toBe(operations[fixture.operation] ?? fixture.operation);
      const request = readRequest(fixture, provider);
      const { requestModel } = fixture.expected;
      if (requestModel !== undefined) expect(request.model).toBe(requestModel);
      expect(request.stream).toBe(fixture.streaming);
      const dimensions = request.parameters?.['gen_ai.embeddings.dimension.count'];
      expect(dimensions).toBe(fixture.expected.dimensions);
      const { temperature, maxTokens, guardrail, location } = fixture.expected;
      if (temperature !== undefined) expect(request.parameters?.['gen_ai.request.temperature']).toBe(temperature);
      if (maxTokens !== undefined) expect(request.maxTokens).toBe(maxTokens);
      if (guardrail?.version) expect(request.guardrail?.version).toBe(guardrail.version);
      if (location) expect(request.parameters?.['cloud.region']).toBe(location);
    });

    it('whole', () => {
      const reading = read(fixture, [bytes]);
      expectRecorded(fixture, reading);
      expect(reading.parseErrors).toBe(0);
      expect(reading.contents).toBe(fixture.streaming ? 1 : 0);
      // Google's streams have no terminator, and what fails in the middle comes to none.
      const terminated = fixture.streaming && !unterminated.has(fixture.provider);
      if (!fixture.expected.error) expect(reading.ends).toBe(terminated ? 1 : 0);
    });

    it.skipIf(!fixture.request)('through telemetry.fetch', async () => {
      const { url, body } = fixture.request!;
      const { status, headers } = fixture.response;
      const telemetry = createTestTelemetry({ fetch: async () => new Response(bytes.slice(), { status, headers }) });
      const text = body && readFileSync(new URL(body, folder), 'utf8');
      const response = await telemetry.fetch(url, { method: 'POST', ...(text && { body: text }) });
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array(bytes));
      const { expected } = fixture;
      expect(telemetry.spans).toHaveLength(1);
      const { attributes, status: spanStatus } = telemetry.spans[0]!;
      expect(attributes['llm.provider']).toBe(fixture.provider);
      if (expected.requestModel) expect(attributes['gen_ai.request.model']).toBe(expected.requestModel);
      expect(attributes['gen_ai.usage.input_tokens'] ?? null).toBe(expected.input);
      expect(attributes['gen_ai.usage.output_tokens'] ?? null).toBe(expected.output);
      expect(attributes['gen_ai.response.model'] ?? null).toBe(expected.model);
      expect(spanStatus.code).toBe(expected.error ? 2 : 0);
    });

    it('in sevens', () => {
      expect(read(fixture, cut(bytes, 7))).toEqual(read(fixture, [bytes]));
    });

    it.skipIf(bytes.length > 2048)('in two, wherever it is cut', () => {
      const whole = read(fixture, [bytes]);
      for (let at = 1; at < bytes.length; at++) {
        expect(read(fixture, [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
      }
    });

    it('byte by byte', () => {
      expect(read(fixture, cut(bytes, 1))).toEqual(read(fixture, [bytes]));
    });

    it('in any chunks', () => {
      const whole = read(fixture, [bytes]);
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (cuts) => {
          const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
          const chunks = edges.slice(1).map((end, i) => bytes.slice(edges[i], end));
          expect(read(fixture, chunks)).toEqual(whole);
        }),
        { numRuns: 25 },
      );
    });

    it('cut off anywhere, it never throws and never invents usage', () => {
      const text = new TextDecoder().decode(bytes);
      for (let end = 0; end < bytes.length; end += 19) {
        const { response } = read(fixture, [bytes.subarray(0, end)]);
        const counts = Object.entries(response.usage ?? {});
        // What is not on the wire in the end was not there before either; Anthropic announces an output to begin with.
        for (const [field, count] of counts) {
          const last = fixture.expected[field as 'input' | 'output'];
          // A sum of parts that grow is nowhere on the wire.
          const isPart = last === count || count < (last ?? 0) || text.includes(`_tokens":${count}`);
          expect(isPart, `${field} ${count} at ${end}`).toBe(true);
        }
        if (fixture.expected.input === null) expect(response.usage).toBeUndefined();
        for (const reason of response.finishReasons ?? []) {
          expect(['error', ...fixture.expected.finishReasons]).toContain(reason);
        }
      }
    });
  });
});
