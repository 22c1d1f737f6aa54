import type { Attributes } from '@opentelemetry/api';
import { copyAttributes, isKey, isSimple, limitValue } from '../attributes.ts';
import { weighAttribute, weighAttributes } from './span-weight.ts';

export interface AttributeLimits {
  readonly attributesPerSpan: number;
  readonly valueLength: number;
}

/**
 * The attributes of a span within its limits. Sets are kept as they come and joined when somebody reads them, which is
 * at the export if ever: to add a property to an object takes longer than all else that is done with it.
 */
export class SpanAttributes {
  /** Names that did not fit. */
  dropped = 0;
  /** What they take, roughly. What is overwritten counts until it is joined, since it is held until then. */
  bytes = 0;
  readonly #limits: AttributeLimits;
  #joined: Attributes = {};
  /** What came after the first set, in its order: sets, and keys each followed by its value. */
  #written: unknown[] = [];
  /** At least as many as there are attributes. */
  #writes = 0;

  constructor(limits: AttributeLimits) {
    this.#limits = limits;
  }

  set(key: string, value: unknown): void {
    const { attributesPerSpan, valueLength } = this.#limits;
    const limited = isSimple(value, valueLength) ? value : limitValue(value, valueLength);
    if (limited === undefined || !isKey(key)) return;
    if (this.#writes >= attributesPerSpan && !this.#hasRoom(key)) {
      this.dropped++;
      return;
    }
    this.#writes++;
    this.bytes += weighAttribute(key, limited);
    this.#written.push(key, limited);
  }

  setAll(attributes: Attributes): void {
    const own = copyAttributes(attributes);
    if (!this.#adopt(own)) for (const key in own) this.set(key, own[key]);
  }

  read(): Attributes {
    const joined = this.#joined;
    const written = this.#written;
    for (let i = 0; i < written.length; i++) {
      const item = written[i];
      if (typeof item === 'string') joined[item] = written[++i];
      else for (const key in item as Attributes) joined[key] = (item as Attributes)[key];
    }
    if (written.length > 0) this.#written = [];
    return joined;
  }

  /** Takes a set as it is, if all of it fits. */
  #adopt(own: Attributes): boolean {
    const { attributesPerSpan, valueLength } = this.#limits;
    let writes = this.#writes;
    let bytes = 0;
    for (const key in own) {
      if (++writes > attributesPerSpan || !isKey(key)) return false;
      let value = own[key];
      if (!isSimple(value, valueLength)) {
        value = limitValue(value, valueLength);
        if (value === undefined) return false;
        own[key] = value;
      }
      bytes += weighAttribute(key, value);
    }
    if (this.#writes === 0) this.#joined = own;
    else this.#written.push(own);
    this.#writes = writes;
    this.bytes += bytes;
    return true;
  }

  /** Attributes are counted where their writes reach the limit: a look-up at each write takes longer than the write. */
  #hasRoom(key: string): boolean {
    const attributes = this.read();
    this.bytes = weighAttributes(attributes);
    if (Object.hasOwn(attributes, key)) return true;
    this.#writes = Object.keys(attributes).length;
    return this.#writes < this.#limits.attributesPerSpan;
  }
}
