import { Bytes, findBytes, toBytes } from './blob.ts';
import { cleanMember, ellipsis, type Redact } from './clean.ts';

/** Values of all arrays, maps and objects inside of one. */
const maxValues = 1000;
const maxDepth = 12;
/** What a description of bytes takes, roughly. */
const noteLength = 60;
const secret = '[REDACTED]';

/**
 * What a value says, as JSON can hold it: whatever the application has at hand goes in, nothing of it is called, and
 * nothing throws. Getters, functions, promises and instances without fields are named, bytes are described, what
 * contains itself is cut off, and after `limit` characters of text the rest is a `…`.
 */
export function toPlain(value: unknown, limit: number, redact?: Redact): unknown {
  return new Copier(limit, redact).copy(value, '');
}

class Copier {
  readonly #redact: Redact | undefined;
  readonly #path = new Set<object>();
  #chars: number;
  #values = maxValues;

  constructor(limit: number, redact: Redact | undefined) {
    this.#chars = limit;
    this.#redact = redact;
  }

  /** `key` is the name that the value stands under. */
  copy(value: unknown, key: string): unknown {
    switch (typeof value) {
      case 'string':
        return this.#text(value, key);
      case 'number':
        return Number.isFinite(value) ? this.#number(value, key) : String(value);
      case 'bigint':
        return this.#text(value.toString(), key);
      case 'boolean':
        return this.#isSecret(key) ? secret : value;
      case 'object':
        return value === null ? null : this.#object(value, key);
      case 'undefined':
        return undefined;
      default:
        return `[${typeof value}]`;
    }
  }

  #isSecret(key: string): boolean {
    return this.#redact !== undefined && this.#redact(true, key) !== true;
  }

  #text(value: string, key: string): unknown {
    const bytes = findBytes(value);
    if (bytes) return this.#note(bytes);
    const left = cleanMember(value, Math.max(this.#chars, 1), key, this.#redact);
    this.#chars -= left.length;
    return left;
  }

  /** May be a secret as well. */
  #number(value: number, key: string): unknown {
    const digits = String(value);
    this.#chars -= digits.length;
    return cleanMember(digits, digits.length, key, this.#redact) === digits ? value : secret;
  }

  #note(bytes: Bytes): unknown {
    this.#chars -= noteLength;
    return { type: 'blob', ...(bytes.mimeType && { mime_type: bytes.mimeType }), ...bytes.note() };
  }

  #object(value: object, key: string): unknown {
    try {
      if (this.#isSecret(key)) return secret;
      if (this.#path.has(value)) return '[Circular]';
      if (this.#path.size >= maxDepth) return ellipsis;
      this.#path.add(value);
      const inside = this.#inside(value, key);
      this.#path.delete(value);
      return inside;
    } catch {
      // A proxy that throws at whatever it is asked.
      this.#path.delete(value);
      return '[Unreadable]';
    }
  }

  #inside(value: object, key: string): unknown {
    const bytes = toBytes(value);
    if (bytes) return this.#note(new Bytes(bytes));
    if (Array.isArray(value)) return this.#list(readItems(value), value.length, key);
    if (value instanceof Set) return this.#list(Set.prototype.values.call(value), value.size, key);
    if (value instanceof Map) return this.#map(value);
    const text = describe(value);
    if (text !== undefined) return this.#text(text, key);
    if (value instanceof Error) return this.#fields([['name', errorName(value)], ...readFields(value, ['message'])]);
    const names = Object.keys(value);
    if (names.length === 0 && !isPlain(value)) return `[${className(value)}]`;
    return this.#fields(readFields(value, names));
  }

  /** Whether there is room for one more value. */
  #hasRoom(): boolean {
    return this.#chars > 0 && this.#values-- > 0;
  }

  #list(items: Iterable<unknown>, length: number, key: string): unknown[] {
    const out: unknown[] = [];
    for (const item of items) {
      if (!this.#hasRoom()) break;
      out.push(this.copy(item, key) ?? null);
    }
    if (out.length < length) out.push(ellipsis);
    return out;
  }

  #map(map: Map<unknown, unknown>): Record<string, unknown> {
    const entries = Map.prototype.entries.call(map);
    return this.#fields(mapFields(entries as Iterable<[unknown, unknown]>));
  }

  #fields(entries: Iterable<readonly [name: string, value: unknown]>): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const [given, value] of entries) {
      if (!this.#hasRoom()) {
        out[ellipsis] = ellipsis;
        break;
      }
      if (Bytes.is(value)) {
        Object.assign(out, value.note());
        continue;
      }
      const name = this.#name(given);
      const item = this.copy(value, given);
      // An assignment to that would make no field.
      if (item !== undefined && name !== '__proto__') out[name] = item;
    }
    return out;
  }

  #name(given: string): string {
    const left = cleanMember(given, Math.max(this.#chars, 1), '', this.#redact);
    this.#chars -= left.length;
    return left;
  }
}

/** A property of the object's own. A getter is the application's code, and stays uncalled. */
function readOwn(value: object, name: string | number): unknown {
  const own = Reflect.getOwnPropertyDescriptor(value, name);
  return own && !('value' in own) ? '[Getter]' : own?.value;
}

function* readItems(value: readonly unknown[]): Iterable<unknown> {
  for (let index = 0; index < value.length; index++) yield readOwn(value, index);
}

function* readFields(value: object, names: readonly string[]): Iterable<[string, unknown]> {
  for (const name of names) yield [name, readOwn(value, name)];
}

function* mapFields(entries: Iterable<[unknown, unknown]>): Iterable<[string, unknown]> {
  for (const [key, value] of entries) yield [typeof key === 'object' ? '[object]' : String(key), value];
}

/** What the language's own classes hold, by their own methods and not by those of a subclass. */
function describe(value: object): string | undefined {
  if (value instanceof Date) {
    return Number.isNaN(Date.prototype.getTime.call(value)) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
  }
  if (value instanceof URL) return URL.prototype.toString.call(value);
  if (value instanceof RegExp) return RegExp.prototype.toString.call(value);
  return value instanceof Promise ? '[Promise]' : undefined;
}

function errorName(error: Error): unknown {
  return readOwn(error, 'name') ?? className(error);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as object | null;
  const made = prototype && readOwn(prototype, 'constructor');
  const name = typeof made === 'function' ? readOwn(made, 'name') : undefined;
  return typeof name === 'string' && name !== '' ? name.slice(0, 64) : 'object';
}
