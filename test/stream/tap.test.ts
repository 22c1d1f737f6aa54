import { describe, expect, it } from 'vitest';
import { tapBody } from '../../src/stream/tap.ts';

type Call = ['chunk', Uint8Array] | ['end', string, unknown];

function observe(body: ReadableStream<Uint8Array>) {
  const calls: Call[] = [];
  const tapped = tapBody(body, {
    chunk: (bytes) => calls.push(['chunk', bytes]),
    end: (reason, error) => calls.push(['end', reason, error]),
  });
  return { tapped, calls };
}

function createSource(chunks: readonly Uint8Array[], onCancel?: (reason: unknown) => unknown) {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[pulls++];
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
      cancel: (reason) => onCancel?.(reason) as void,
    },
    { highWaterMark: 0 },
  );
  return { body, pulls: () => pulls };
}

const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4)];

describe('tapBody', () => {
  it('hands on the very chunks and sees them and the end', async () => {
    const { tapped, calls } = observe(createSource(chunks).body);
    const seen = [];
    for await (const chunk of tapped) seen.push(chunk);
    expect(seen.every((chunk, i) => chunk === chunks[i])).toBe(true);
    expect(calls).toEqual([...chunks.map((chunk) => ['chunk', chunk]), ['end', 'done', undefined]]);
  });

  it('reads nothing ahead of its consumer', async () => {
    const source = createSource(chunks);
    const reader = observe(source.body).tapped.getReader();
    await Promise.resolve();
    expect(source.pulls()).toBe(0);
    await reader.read();
    await Promise.resolve();
    expect(source.pulls()).toBe(1);
  });

  it('hands a cancel upstream, with its reason and its promise', async () => {
    const failure = new Error('no');
    const reasons: unknown[] = [];
    const { tapped, calls } = observe(
      createSource(chunks, (reason) => {
        reasons.push(reason);
        return Promise.reject(failure);
      }).body,
    );
    const reader = tapped.getReader();
    await reader.read();
    await expect(reader.cancel('enough')).rejects.toBe(failure);
    expect(reasons).toEqual(['enough']);
    expect(calls.slice(1)).toEqual([['end', 'cancel', 'enough']]);
  });

  it('ends once when a cancel meets a read that is under way', async () => {
    let enqueue: (() => void) | undefined;
    const source = new ReadableStream<Uint8Array>(
      {
        pull: (controller) =>
          new Promise<void>((done) => {
            enqueue = () => {
              controller.enqueue(chunks[0]!);
              done();
            };
          }),
      },
      { highWaterMark: 0 },
    );
    const { tapped, calls } = observe(source);
    const reader = tapped.getReader();
    const read = reader.read();
    await Promise.resolve();
    await reader.cancel();
    expect(enqueue).toBeDefined();
    expect((await read).done).toBe(true);
    expect(calls).toEqual([['end', 'cancel', undefined]]);
  });

  it('ends once when a read fails after a cancel, as native bodies may', async () => {
    let fail: ((error: Error) => void) | undefined;
    const read = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const body = { getReader: () => ({ read: () => read, cancel: async () => fail?.(new Error('gone')) }) };
    const { tapped, calls } = observe(body as unknown as ReadableStream<Uint8Array>);
    const reader = tapped.getReader();
    const pending = reader.read();
    await Promise.resolve();
    await reader.cancel();
    await pending;
    await read.catch(() => {});
    await Promise.resolve();
    expect(calls).toEqual([['end', 'cancel', undefined]]);
  });

  it('passes on the error of the source, the same object', async () => {
    const failure = new Error('reset');
    const source = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(failure) });
    const { tapped, calls } = observe(source);
    await expect(tapped.getReader().read()).rejects.toBe(failure);
    expect(calls).toEqual([['end', 'error', failure]]);
  });

  it('does not suffer from an observer that throws', async () => {
    const fail = () => {
      throw new Error('observer');
    };
    const response = new Response(tapBody(createSource(chunks).body, { chunk: fail, end: fail }));
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([1, 2, 3, 4]);
  });
});
