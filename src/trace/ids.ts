/** Enough for 170 spans between two calls of the platform's random source, which cost more than a span. */
const poolBytes = 4096;
/** Of the pool, written as text at a time; an id is a slice of that text, so one that is kept keeps 2 KiB. */
const textBytes = 1024;

export interface IdGenerator {
  /** 32 lowercase hex digits, not all zero. */
  traceId(): string;
  /** 16 lowercase hex digits, not all zero. */
  spanId(): string;
}

/** Ids by the W3C's rules. The first id asked for fills the pool, so nothing random happens in global scope. */
export function createIdGenerator(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): IdGenerator {
  let source: HexSource | undefined;
  let text = '';
  let used = 0;

  function next(digits: number): string {
    if (used + digits > text.length) {
      source ??= createHexSource(random);
      text = source();
      used = 0;
    }
    const id = text.slice(used, used + digits);
    used += digits;
    return id.startsWith('0') && /^0+$/.test(id) ? `${id.slice(1)}1` : id;
  }

  return { traceId: () => next(32), spanId: () => next(16) };
}

/** Answers random hex digits, as many at each call. */
type HexSource = () => string;

/** Its arrays are made once: each would be memory outside the engine's heap. */
function createHexSource(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): HexSource {
  const pool = new Uint8Array(poolBytes);
  const pairs = createHexPairs();
  const digits = new Uint16Array(textBytes);
  const decoder = new TextDecoder();
  let used = poolBytes;
  return () => {
    if (used === poolBytes) {
      random(pool);
      used = 0;
    }
    for (let i = 0; i < textBytes; i++) digits[i] = pairs[pool[used++]!]!;
    return decoder.decode(digits);
  };
}

/** The two characters of each byte, as they stand in memory. */
function createHexPairs(): Uint16Array {
  const bytes = new Uint8Array(512);
  const encoder = new TextEncoder();
  for (let byte = 0; byte < 256; byte++) {
    encoder.encodeInto(byte.toString(16).padStart(2, '0'), bytes.subarray(2 * byte));
  }
  return new Uint16Array(bytes.buffer);
}
