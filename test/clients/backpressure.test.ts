import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestTelemetry } from '../../src/testing.ts';
import { isInstalled, remedy } from './installed.ts';
import { chatChunks } from './openai-wire.ts';

type Fetch = typeof globalThis.fetch;

const installed = isInstalled('openai');
const sdk = installed ? await import('openai') : undefined;
const request = { model: 'gpt-4o-mini', messages: [], stream: true as const };

/** Loop turns without a write after which an upstream stands still: each would have moved the bytes that somebody reads. */
const quietTurns = 200;
const word = 'word '.repeat(4000);
const frame = chatChunks([word])[1]!;
/** Far more than the sockets' and the platform's own buffers hold. */
const frames = 4000;

describe.skipIf(!installed)(`backpressure through the openai SDK (${remedy})`, () => {
  let server: Server;
  let written = 0;
  let standing: PromiseWithResolvers<void>;
  let gone: PromiseWithResolvers<void>;

  /** Writes as fast as the other end reads, and notes when it stops reading. */
  async function pour(response: ServerResponse): Promise<void> {
    response.on('close', () => gone.resolve());
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let turns = 0;
    let drained = true;
    response.on('drain', () => {
      drained = true;
    });
    while (written < frames && turns < quietTurns) {
      if (drained) {
        turns = 0;
        written++;
        drained = response.write(frame);
      } else turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    standing.resolve();
  }

  beforeAll(async () => {
    server = createServer((_request, response) => void pour(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function readOne(fetch: Fetch): Promise<number> {
    written = 0;
    standing = Promise.withResolvers();
    gone = Promise.withResolvers();
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const stream = await new sdk!.OpenAI({ apiKey: 'x', baseURL, fetch }).chat.completions.create(request);
    for await (const chunk of stream) {
      expect(chunk.choices[0]?.delta.content).toBe(word);
      await standing.promise;
      break;
    }
    await gone.promise;
    return written;
  }

  it('stops the upstream when its consumer stops, and leaves it when the consumer leaves', async () => {
    const telemetry = createTestTelemetry();
    expect(await readOne(globalThis.fetch)).toBeLessThan(frames);
    expect(await readOne(telemetry.fetch)).toBeLessThan(frames);
    expect(telemetry.spans.map(({ attributes }) => attributes['edgespan.aborted'])).toEqual([true]);
  });

  it('asks the upstream for no chunk that its consumer does not ask for', async () => {
    const pulls = async (wrap: (fetch: Fetch) => Fetch) => {
      let pulled = 0;
      const upstream: Fetch = async () => {
        const source = {
          pull(controller: ReadableStreamDefaultController<Uint8Array>) {
            pulled++;
            controller.enqueue(new TextEncoder().encode(frame));
          },
        };
        return new Response(new ReadableStream(source, { highWaterMark: 0 }), {
          headers: { 'content-type': 'text/event-stream' },
        });
      };
      const stream = await new sdk!.OpenAI({ apiKey: 'x', fetch: wrap(upstream) }).chat.completions.create(request);
      const iterator = stream[Symbol.asyncIterator]();
      const counts: number[] = [];
      for (let i = 0; i < 5; i++) {
        await iterator.next();
        for (let turn = 0; turn < quietTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
        counts.push(pulled);
      }
      await iterator.return?.();
      return counts;
    };
    const plain = await pulls((fetch) => fetch);
    expect(await pulls((fetch) => createTestTelemetry({ fetch }).fetch)).toEqual(plain);
  });
});
