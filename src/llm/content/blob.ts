import { asString } from '../../json.ts';

/** Of bytes beyond this no hash is made. */
const maxHashedBytes = 8 * 1024 * 1024;
/** A text of so many letters of base64 without a space in between is taken for bytes. */
const base64Pattern = /^[A-Za-z0-9+/_-]{512}/;
const dataUrl = /^data:([^,;]*)((?:;[^,;]*)*),/i;

/** What stands in the place of bytes: nobody wants them in a trace, and yet to see whether they are the same. */
export interface BlobNote {
  readonly size: number;
  /** FNV-1a of 64 bits over the bytes: it tells files apart, and keeps nobody from making two with the same. */
  readonly hash?: string;
}

/** The six bits of a letter of base64, in either of its alphabets; `undefined` for what is none. */
function readLetter(code: number): number | undefined {
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === 43 || code === 45) return 62;
  return code === 47 || code === 95 ? 63 : undefined;
}

/**
 * Counts and hashes bytes, in their base64 or as they are, in one go and without a copy of them: Web Crypto's digests
 * come later than a span may wait.
 */
export class BlobDigest {
  size = 0;
  #high = 0xcbf29ce4;
  #low = 0x84222325;

  add(data: string | Uint8Array): this {
    if (typeof data === 'string') this.#addBase64(data);
    else {
      this.size += data.length;
      if (this.size <= maxHashedBytes) for (const byte of data) this.#hash(byte);
    }
    return this;
  }

  note(): BlobNote {
    const digits = [this.#high, this.#low].map((half) => half.toString(16).padStart(8, '0')).join('');
    return this.size > maxHashedBytes ? { size: this.size } : { size: this.size, hash: `fnv1a64:${digits}` };
  }

  #addBase64(text: string): void {
    let bits = 0;
    let held = 0;
    for (let i = 0; i < text.length; i++) {
      const value = readLetter(text.charCodeAt(i));
      if (value === undefined) continue;
      held = ((held << 6) | value) & 0xffff;
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      this.size++;
      if (this.size <= maxHashedBytes) this.#hash((held >> bits) & 0xff);
    }
  }

  /** http://www.isthe.com/chongo/tech/comp/fnv/: the prime is 2^40 + 0x1b3, and a double holds each product exactly. */
  #hash(byte: number): void {
    const low = (this.#low ^ byte) >>> 0;
    const product = low * 0x1b3;
    this.#low = product >>> 0;
    this.#high = (this.#high * 0x1b3 + (product - this.#low) / 0x1_0000_0000 + low * 256) >>> 0;
  }
}

/** Bytes of a part or a value that are still to be described: those of a message that is left out never are. */
export class Bytes {
  readonly mimeType: string | undefined;
  readonly #data: string | Uint8Array | BlobDigest;

  constructor(data: string | Uint8Array | BlobDigest, mimeType?: string) {
    this.#data = data;
    this.mimeType = mimeType;
  }

  /** Asks no proxy, which `instanceof` would. */
  static is(value: unknown): value is Bytes {
    return typeof value === 'object' && value !== null && #data in value;
  }

  note(): BlobNote {
    return (this.#data instanceof BlobDigest ? this.#data : new BlobDigest().add(this.#data)).note();
  }
}

/** The bytes of a `data:` URL, or of a long base64. */
export function findBytes(text: string): Bytes | undefined {
  const url = text.startsWith('data:') ? dataUrl.exec(text.slice(0, 256)) : undefined;
  if (url?.[2]?.toLowerCase().includes(';base64')) return new Bytes(text.slice(url[0].length), asString(url[1]));
  return base64Pattern.test(text) ? new Bytes(text) : undefined;
}

export function toBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
}

/** What kind of thing a type of media is, as far as the conventions tell kinds apart. */
export function modalityOf(mimeType: string | undefined): string {
  const kind = mimeType?.split('/')[0];
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'document';
}
