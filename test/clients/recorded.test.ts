import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { type Answer, createLoopback, type Loopback } from './loopback.ts';

interface Fixture {
  readonly id: string;
  readonly provider: string;
  readonly streaming: boolean;
  readonly request?: { readonly method: string; readonly url: string; readonly body?: string };
  readonly response: { readonly status: number; readonly body: string; readonly framing: string };
  readonly expected: {
    readonly model: string | null;
    readonly input: number | null;
    readonly output: number | null;
    readonly finishReasons: readonly string[];
    readonly toolCalls: readonly string[];
  };
}

const folder = new URL('../../../shared/fixtures/', import.meta.url);
const manifest = new URL('manifest.json', folder);
const recordings = existsSync(manifest)
  ? (JSON.parse(readFileSync(manifest, 'utf8')) as { fixtures: Fixture[] }).fixtures.filter(
      ({ provider, request }) => (provider === 'openai' || provider === 'anthropic') && request?.body,
    )
  : [];
const skipped = recordings.length === 0 ? 'no ../shared/fixtures here' : remedy;

const installed = isInstalled('openai') && isInstalled('@anthropic-ai/sdk');
const openai = installed ? await import('openai') : undefined;
const anthropic = installed ? await import('@anthropic-ai/sdk') : undefined;

/** The recorded bytes, in pieces that end where no event does. */
function replay({ response: { status, body, framing } }: Fixture): Answer {
  return (response) => {
    const bytes = readFileSync(new URL(body, folder));
    response.writeHead(status, { 'content-type': framing === 'sse' ? 'text/event-stream' : 'application/json' });
    for (let start = 0; start < bytes.length; start += 97) response.write(bytes.subarray(start, start + 97));
    response.end();
  };
}

describe.skipIf(!installed || recordings.length === 0)(`recorded exchanges through the SDKs (${skipped})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  it.each(recordings.map((fixture) => [fixture.id, fixture] as const))('%s', async (_id, fixture) => {
    const { pathname } = new URL(fixture.request!.url);
    const body = JSON.parse(readFileSync(new URL(fixture.request!.body!, folder), 'utf8')) as Record<string, unknown>;
    const seen = await compare(loopback, [replay(fixture)], async (fetch) => {
      const options = { apiKey: 'test', baseURL: loopback.url, maxRetries: 0, ...(fetch && { fetch }) };
      const client = fixture.provider === 'openai' ? new openai!.OpenAI(options) : new anthropic!.Anthropic(options);
      const answer: unknown = await client.post(pathname, { body, stream: fixture.streaming });
      return fixture.streaming ? Array.fromAsync(answer as AsyncIterable<unknown>) : answer;
    });
    const { model, input, output, finishReasons, toolCalls } = fixture.expected;
    const [span] = seen.spans;
    expect(seen.spans).toHaveLength(1);
    expect(span?.status).toBe(fixture.response.status < 400 ? 'ok' : 'error');
    expect(span?.model).toBe(model ?? undefined);
    expect(span?.usage).toEqual([input ?? undefined, output ?? undefined]);
    expect(span?.finish ?? []).toEqual(finishReasons);
    expect(span?.tools).toEqual(toolCalls);
  });
});
