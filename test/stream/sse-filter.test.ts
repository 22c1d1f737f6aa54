import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterEvents } from '../../src/stream/sse-filter.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const isSecret = (data: string) => data.startsWith('secret');

/** A body whose chunks come one a pull, and what was asked of it. */
function source(chunks: readonly Uint8Array[], failure?: Error) {
  const seen = { pulls: 0, cancelled: undefined as unknown };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[seen.pulls++];
        if (chunk) controller.enqueue(chunk.slice());
        else if (failure) controller.error(failure);
        else controller.close();
      },
      cancel(reason) {
        seen.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
}

async function filter(bytes: Uint8Array, cuts: readonly number[] = [], maxEventBytes = 1 << 20): Promise<Uint8Array> {
  const { body } = source(cut(bytes, cuts));
  return new Response(filterEvents(body, isSecret, maxEventBytes)).bytes();
}

const filterText = async (text: string, cuts?: readonly number[], maxEventBytes?: number) =>
  decoder.decode(await filter(encoder.encode(text), cuts, maxEventBytes));

describe('what is left', () => {
  it.each([
    ['data: a\n\ndata: secret\n\ndata: b\n\n', 'data: a\n\ndata: b\n\n'],
    ['data: a\r\n\r\ndata: secret\r\n\r\ndata: b\r\n\r\n', 'data: a\r\n\r\ndata: b\r\n\r\n'],
    ['data: a\r\rdata: secret\r\rdata: b\r\r', 'data: a\r\rdata: b\r\r'],
    ['data:secret\n\ndata: b\n\n', 'data: b\n\n'],
    [': note\n\nevent: x\nid: 7\ndata: secret\n\n: note\n\n', ': note\n\n: note\n\n'],
    ['data: not\ndata: secret\n\n', 'data: not\ndata: secret\n\n'],
    ['\ufeffdata: secret\n\ndata: b\n\n', 'data: b\n\n'],
    ['data: a\n\ndata: secret', 'data: a\n\n'],
    ['data: a\n\ndata: secret\n', 'data: a\n\n'],
    ['data: a\n\ndata: b', 'data: a\n\ndata: b'],
    ['data: a\n\n\n\n\ndata: b\n\n', 'data: a\n\n\n\n\ndata: b\n\n'],
    ['{"no":\n\n"stream"}\n', '{"no":\n\n"stream"}\n'],
    ['', ''],
  ])('of %j is %j', async (text, expected) => {
    expect(await filterText(text)).toBe(expected);
    const everywhere = Array.from({ length: encoder.encode(text).length }, (_, i) => i);
    expect(await filterText(text, everywhere)).toBe(expected);
    for (const at of everywhere) expect(await filterText(text, [at])).toBe(expected);
  });

  const line = fc.constantFrom('data: a', 'data: 😀', 'data:', ': note', 'event: x', 'id: 1', 'data: {"x":"secret"}');
  const event = fc.oneof(
    fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => ({ lines, dropped: false })),
    fc.constantFrom(['data: secret'], ['event: x', 'data: secret 1'], ['data:secret', 'data: 2']).map((lines) => ({
      lines,
      dropped: true,
    })),
  );

  it('is every other byte, whatever the line ends and the chunks', async () => {
    const property = fc.asyncProperty(
      fc.array(event),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(2000), { maxLength: 30 }),
      fc.constantFrom('', 'data: cut off'),
      async (events, end, cuts, rest) => {
        const write = (kept: typeof events) =>
          kept.map(({ lines }) => lines.map((text) => text + end).join('') + end).join('') + rest;
        const expected = write(events.filter(({ dropped }) => !dropped));
        expect(await filterText(write(events), cuts)).toBe(expected);
      },
    );
    await fc.assert(property);
  });

  it('are all bytes, where they are no text', async () => {
    const property = fc.asyncProperty(fc.uint8Array(), fc.array(fc.nat(200)), async (bytes, cuts) => {
      expect(await filter(bytes, cuts)).toEqual(bytes);
    });
    await fc.assert(property);
  });
});

describe('an event that is too long', () => {
  const long = `data: ${'x'.repeat(100)}`;

  it.each(['\n', '\r\n'])('passes whole, and what follows it is looked at again (%j)', async (end) => {
    const text = `${long}${end}data: secret${end}${end}data: secret${end}${end}data: b${end}${end}`;
    const bytes = encoder.encode(text);
    const everywhere = Array.from({ length: bytes.length }, (_, i) => i);
    const expected = `${long}${end}data: secret${end}${end}data: b${end}${end}`;
    expect(await filterText(text, everywhere, 32)).toBe(expected);
  });

  it('is not held back', async () => {
    const { body, seen } = source([encoder.encode(long), encoder.encode('x'.repeat(50))]);
    const reader = filterEvents(body, isSecret, 32).getReader();
    const { value } = await reader.read();
    expect(value!.length).toBeGreaterThan(100);
    expect(seen.pulls).toBe(1);
  });
});

describe('the body behind', () => {
  it('is asked for no more than is wanted', async () => {
    const chunks = ['data: a\n\n', 'data: sec', 'ret\n\ndata: b', '\n\n', 'data: c\n\n'].map((text) =>
      encoder.encode(text),
    );
    const { body, seen } = source(chunks);
    const reader = filterEvents(body, isSecret, 1024).getReader();
    expect(seen.pulls).toBe(0);
    expect(decoder.decode((await reader.read()).value)).toBe('data: a\n\n');
    expect(seen.pulls).toBe(1);
    expect(decoder.decode((await reader.read()).value)).toBe('data: b\n\n');
    expect(seen.pulls).toBe(4);
  });

  it('learns why the reader left', async () => {
    const { body, seen } = source([encoder.encode('data: a\n\n'), encoder.encode('data: b\n\n')]);
    const reader = filterEvents(body, isSecret, 1024).getReader();
    await reader.read();
    await reader.cancel('enough');
    expect(seen).toEqual({ pulls: 1, cancelled: 'enough' });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  it('learns it too while the reader waits', async () => {
    let cancelled: unknown;
    const body = new ReadableStream<Uint8Array>(
      {
        cancel(reason) {
          cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
    const reader = filterEvents(body, isSecret, 1024).getReader();
    const read = reader.read();
    await reader.cancel('enough');
    expect(await read).toEqual({ done: true, value: undefined });
    expect(cancelled).toBe('enough');
  });

  it('may fail: what has come by then comes, and then the very error', async () => {
    const failure = new TypeError('terminated');
    const { body } = source([encoder.encode('data: a\n\ndata: half')], failure);
    const reader = filterEvents(body, isSecret, 1024).getReader();
    expect(decoder.decode((await reader.read()).value)).toBe('data: a\n\n');
    expect(decoder.decode((await reader.read()).value)).toBe('data: half');
    await expect(reader.read()).rejects.toBe(failure);
  });

  it('may fail with nothing held, and at once', async () => {
    const failure = new TypeError('terminated');
    const reader = filterEvents(source([], failure).body, isSecret, 1024).getReader();
    await expect(reader.read()).rejects.toBe(failure);
  });
});
