import { describe, expect, it } from 'vitest';
import { createIdGenerator } from '../../src/trace/ids.ts';

/** A random source that counts: every two bytes that it gives are a number of their own. */
function createCounter() {
  let count = 0;
  const calls: number[] = [];
  function random(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < bytes.length; i += 2) view.setUint16(i, ++count);
    calls.push(bytes.length);
    return bytes;
  }
  return { random, calls };
}

describe('ids', () => {
  it('are the bytes of the random source in hex, none of them twice, across its calls', () => {
    const { random, calls } = createCounter();
    const ids = createIdGenerator(random);
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const [trace, span] = [ids.traceId(), ids.spanId()];
      expect(trace).toMatch(/^[0-9a-f]{32}$/);
      expect(span).toMatch(/^[0-9a-f]{16}$/);
      for (let at = 0; at < 48; at += 4) seen.add(`${trace}${span}`.slice(at, at + 4));
    }
    expect(seen.size).toBe(12_000);
    expect(calls.length).toBeGreaterThan(1);
  });

  it('ask for nothing random before the first of them', () => {
    const { random, calls } = createCounter();
    const ids = createIdGenerator(random);
    expect(calls).toEqual([]);
    expect(ids.traceId()).toBe('00010002000300040005000600070008');
    expect(ids.spanId()).toBe('0009000a000b000c');
  });

  it('are never all zero, and work again after a source that threw', () => {
    let broken = true;
    const ids = createIdGenerator((bytes) => {
      if (broken) throw new Error('no randomness here');
      return bytes.fill(0);
    });
    expect(() => ids.spanId()).toThrow('no randomness here');
    broken = false;
    expect(ids.spanId()).toBe('0000000000000001');
    expect(ids.traceId()).toBe('00000000000000000000000000000001');
  });
});
