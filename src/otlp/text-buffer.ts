/** Text in, UTF-8 out. A long text is much faster encoded in pieces than at once. */
export interface TextBuffer {
  push(text: string): void;
  finish(): Uint8Array;
}

const initialBytes = 16_384;
/** UTF-8 needs no more than that for a UTF-16 code unit. */
const maxBytesPerUnit = 3;

export function createTextBuffer(): TextBuffer {
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(initialBytes);
  let length = 0;
  return {
    push(text) {
      const needed = length + text.length * maxBytesPerUnit;
      if (needed > bytes.length) {
        const larger = new Uint8Array(Math.max(needed, bytes.length * 2));
        larger.set(bytes.subarray(0, length));
        bytes = larger;
      }
      length += encoder.encodeInto(text, bytes.subarray(length)).written;
    },
    finish: () => bytes.subarray(0, length),
  };
}
