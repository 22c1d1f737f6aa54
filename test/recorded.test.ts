import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LlmRequest, LlmResponse, Provider } from '../src/llm/provider.ts';
import { anthropic } from '../src/llm/providers/anthropic.ts';
import { openai } from '../src/llm/providers/openai.ts';
import { createReplyReader } from '../src/llm/reply-reader.ts';

/** By the manifest's name. A new provider is one more line. */
const providers: Readonly<Record<string, Provider>> = { openai, anthropic };

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
    requestModel?: string;
    servingModel?: string;
    dimensions?: number;
    error?: { type?: string; code?: string };
  };
  request?: { method: string; url: string; body?: string };
  response: { status: number; headers: Record<string, string>; body: string; framing: string };
}

const folder = new URL('../../shared/fixtures/', import.meta.url);
const operations: Readonly<Record<string, string>> = { responses: 'chat', embeddings: 'embed' };

function listFixtures(): Fixture[] {
  if (!existsSync(new URL('manifest.json', folder))) return [];
  const { fixtures } = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as { fixtures: Fixture[] };
  return fixtures.filter((fixture) => fixture.provider in providers);
}

function readBody({ response }: Fixture): Uint8Array {
  const bytes = readFileSync(new URL(response.body, folder));
  if (response.framing !== 'sse-data-lines') return bytes;
  const lines = bytes.toString('utf8').split('\n').filter(Boolean);
  const events = lines.map((line) => `event: ${(JSON.parse(line) as { type: string }).type}\ndata: ${line}\n\n`);
  return new TextEncoder().encode(events.join(''));
}

function readRequest(fixture: Fixture, provider: Provider): LlmRequest {
  const { request } = fixture;
  const url = new URL(request?.url ?? 'https://example.com/');
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
    { status, headers: new Headers(headers), request },
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
  for (const field of ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const) {
    expect(response.usage?.[field] ?? null, field).toBe(expected[field]);
  }
  expect((response.toolCalls ?? []).map((call) => call.name)).toEqual(expected.toolCalls);
  expect(response.finishReasons ?? []).toEqual(expected.finishReasons);
  expect(response.attributes?.['edgespan.pricing.model']).toBe(expected.servingModel);
  if (expected.error) {
    expect(response.error?.type).toBe(expected.error.type);
    expect(response.error?.code).toBe(expected.error.code);
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
      expect(request.model).toBe(fixture.expected.requestModel);
      expect(request.stream).toBe(fixture.streaming);
      const dimensions = request.parameters?.['gen_ai.embeddings.dimension.count'];
      expect(dimensions).toBe(fixture.expected.dimensions);
    });

    it('whole', () => {
      const reading = read(fixture, [bytes]);
      expectRecorded(fixture, reading);
      expect(reading.parseErrors).toBe(0);
      expect(reading.contents).toBe(fixture.streaming ? 1 : 0);
      expect(reading.ends).toBe(fixture.streaming ? 1 : 0);
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
          expect(last === count || text.includes(`_tokens":${count}`), `${field} ${count} at ${end}`).toBe(true);
        }
        if (fixture.expected.input === null) expect(response.usage).toBeUndefined();
        for (const reason of response.finishReasons ?? []) {
          expect(['error', ...fixture.expected.finishReasons]).toContain(reason);
        }
      }
    });
  });
});
