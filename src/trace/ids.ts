/** Enough for 170 spans between two calls of the platform's random source, which cost more than a span. */
const poolBytes = 4096;

const hex = '0123456789abcdef';

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
  const traceCodes = new Array<number>(32).fill(0);
  const spanCodes = new Array<number>(16).fill(0);

  /** One flat string; a sum of pairs would be a tree, to be flattened where the id is written. */
  function next(codes: number[]): string {
    pool ??= new Uint8Array(poolBytes);
    if (used + codes.length / 2 > poolBytes) {
      random(pool);
      used = 0;
    }
    let bits = 0;
    for (let i = 0; i < codes.length; i += 2) {
      const byte = pool[used++]!;
      bits |= byte;
      codes[i] = hex.charCodeAt(byte >> 4);
      codes[i + 1] = hex.charCodeAt(byte & 15);
    }
    const id = String.fromCharCode(...codes);
    return bits === 0 ? `${id.slice(0, -1)}1` : id;
  }

  return { traceId: () => next(traceCodes), spanId: () => next(spanCodes) };
}
