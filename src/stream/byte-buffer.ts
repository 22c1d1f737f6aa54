/** Bytes held until the rest arrives: copies, since the consumer of a stream may transfer its chunks. */
export interface ByteBuffer {
  readonly size: number;
  append(bytes: Uint8Array): void;
  /** A view, valid until the next change. */
  view(): Uint8Array;
  /** Forgets the first `count` bytes. */
  drop(count: number): void;
}

export function createByteBuffer(): ByteBuffer {
  let store = new Uint8Array(0);
  let size = 0;
  return {
    get size() {
      return size;
    },
    append(bytes) {
      const needed = size + bytes.length;
      if (needed > store.length) {
        const grown = new Uint8Array(Math.max(needed, store.length * 2, 256));
        grown.set(store.subarray(0, size));
        store = grown;
      }
      store.set(bytes, size);
      size = needed;
    },
    view: () => store.subarray(0, size),
    drop(count) {
      store.copyWithin(0, count, size);
      size -= count;
      // An event of a megabyte must not keep its megabyte for the rest of the stream.
      if (size === 0 && store.length > 65_536) store = new Uint8Array(0);
    },
  };
}
