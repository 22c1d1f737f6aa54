import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ReadableSpan } from '../../../src/index.ts';
import { bedrock } from '../../../src/llm/providers/bedrock.ts';
import { vertex } from '../../../src/llm/providers/vertex.ts';
import { createAlsTelemetry } from '../../support/telemetry.ts';
import { expectMessages, expectParts } from './schema.ts';

interface Fixture {
  readonly id: string;
  readonly provider: string;
  readonly operation: string;
  readonly streaming: boolean;
  readonly expected: { readonly toolCalls: string[]; readonly finishReasons: string[]; readonly error?: unknown };
  readonly request?: { readonly url: string; readonly body?: string };
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly framing: string;
  };
}

const folder = new URL('../../../../shared/fixtures/', import.meta.url);
const isThere = existsSync(new URL('manifest.json', folder));
const { fixtures } = isThere
  ? (JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as { fixtures: Fixture[] })
  : { fixtures: [] };
const recorded = fixtures.filter(({ request, response }) => request?.url && response.framing !== 'sse-data-lines');

async function replay({ request, response }: Fixture): Promise<ReadableSpan> {
  const telemetry = createAlsTelemetry({
    capture: { inputs: true, outputs: true },
    limits: { valueLength: 20_000 },
    providers: [bedrock, vertex],
    fetch: async () => {
      const body = readFileSync(new URL(response.body, folder));
      return new Response(body, { status: response.status, headers: response.headers });
    },
  });
  const body = request!.body === undefined ? '{}' : readFileSync(new URL(request!.body, folder), 'utf8');
  await (await telemetry.fetch(request!.url, { method: 'POST', body })).arrayBuffer();
  expect(telemetry.metrics.value('edgespan_parse_errors_total')).toBeUndefined();
  return telemetry.spans[0]!;
}

/** Beginnings of what models said. */
const said: Readonly<Record<string, RegExp>> = {
  'openai/chat-basic': /^This is a test/,
  'cohere/chat-cached': /^Hello!/,
  'cohere/chat-stream': /^Arrrr, matey! Shiver me/,
  'ollama/chat-tool-calls': /^This is a simple example/,
  'bedrock/invoke-llama-headers-only': /^ post\. This is a test post/,
};

describe.skipIf(!isThere)('what was recorded', () => {
  it.each(recorded.map((fixture) => [fixture.id, fixture] as const))('%s', async (id, fixture) => {
    const { attributes } = await replay(fixture);
    const read = (name: string) => (attributes[name] === undefined ? undefined : String(attributes[name]));
    const input = read('gen_ai.input.messages');
    if (fixture.request?.body && fixture.operation !== 'embeddings')
      expect(expectMessages(input!).length).toBeGreaterThan(0);
    const system = read('gen_ai.system_instructions');
    if (system) expectParts(system);
    const output = read('gen_ai.output.messages');
    const messages = expectMessages(output ?? '[]');
    const { toolCalls, error } = fixture.expected;
    if (error === undefined && !/embeddings|count/.test(fixture.operation)) expect(messages.length).toBeGreaterThan(0);
    const parts = messages.flatMap((one) => one.parts);
    expect(parts.flatMap(({ type, name }) => (type === 'tool_call' ? [name] : []))).toEqual(toolCalls);
    const text = parts.find(({ type }) => type === 'text')?.content;
    if (said[id]) expect(text).toMatch(said[id]);
  });
});
