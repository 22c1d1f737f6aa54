const empty = /* @__PURE__ */ new Uint8Array(0);

/** Bytes held until the rest arrives: copies, since the consumer of a stream may transfer its chunks. */
export class ByteBuffer {
  #store = empty;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    const needed = this.#size + bytes.length;
    if (needed > this.#store.length) {
      const grown = new Uint8Array(Math.max(needed, this.#store.length * 2, 256));
      grown.set(this.view());
      this.#store = grown;
    }
    this.#store.set(bytes, this.#size);
    this.#size = needed;
  }

  /** A view, valid until the next change. */
  view(): Uint8Array {
    return this.#store.subarray(0, this.#size);
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.#store.copyWithin(0, count, this.#size);
    this.#size -= count;
    // An event of a megabyte must not keep its megabyte for the rest of the stream.
    if (this.#size === 0 && this.#store.length > 65_536) this.#store = empty;
  }
}
