/** Enough for 170 spans between two calls of the platform's random source, which cost more than a span. */
const poolBytes = 4096;

const hex = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export interface IdGenerator {
  /** 32 lowercase hex digits, not all zero. */
  traceId(): string;
  /** 16 lowercase hex digits, not all zero. */
  spanId(): string;
}

/** Ids by the W3C's rules. The first id asked for fills the pool, so nothing random happens in global scope. */
export function createIdGenerator(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): IdGenerator {
  let pool: Uint8Array<ArrayBuffer> | undefined;
  let used = poolBytes;

  function next(length: number): string {
    pool ??= new Uint8Array(poolBytes);
    if (used + length > poolBytes) {
      random(pool);
      used = 0;
    }
    let id = '';
    let bits = 0;
    for (let end = used + length; used < end; used++) {
      const byte = pool[used]!;
      bits |= byte;
      id += hex[byte];
    }
    return bits === 0 ? `${id.slice(0, -1)}1` : id;
  }

  return { traceId: () => next(16), spanId: () => next(8) };
}
