import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';

/** Headers of any runtime, an MCP request's `_meta`, a message's attributes; also entries, as of a `Map`. */
export type Carrier = Headers | Record<string, unknown> | Iterable<readonly [string, unknown]> | null | undefined;

/** A carrier with more fields is read no further. */
const maxFields = 1000;

/**
 * Reads fields whatever their case. A field that is there several times gives all its strings; what is no string is
 * as good as absent. Never throws.
 */
export const getter: TextMapGetter<Carrier> = {
  keys: (carrier) => fields(carrier).map(([name]) => name),
  get(carrier, key) {
    if (carrier instanceof Headers) return carrier.get(key) ?? undefined;
    const wanted = key.toLowerCase();
    const values = fields(carrier)
      .filter(([name]) => name.toLowerCase() === wanted)
      .flatMap(([, value]) => value)
      .filter((value) => typeof value === 'string');
    return values.length > 1 ? values : values[0];
  },
};

/** Writes a field in place of one whose name differs only in case. A carrier that cannot be written stays as it is. */
export const setter: TextMapSetter<Carrier> = {
  set(carrier, key, value) {
    try {
      if (carrier instanceof Headers || carrier instanceof Map) carrier.set(key, value);
      else if (typeof carrier === 'object' && carrier !== null)
        setProperty(carrier as Record<string, unknown>, key, value);
    } catch {
      // Immutable headers and frozen objects carry nothing.
    }
  },
};

function setProperty(carrier: Record<string, unknown>, key: string, value: string): void {
  const lower = key.toLowerCase();
  for (const name of Object.keys(carrier)) if (name !== key && name.toLowerCase() === lower) delete carrier[name];
  carrier[key] = value;
}

function fields(carrier: Carrier): [string, unknown][] {
  const found: [string, unknown][] = [];
  try {
    if (typeof carrier !== 'object' || carrier === null) return found;
    const entries = Symbol.iterator in carrier ? (carrier as Iterable<unknown>) : Object.entries(carrier);
    for (const entry of entries) {
      if (found.length === maxFields) break;
      if (Array.isArray(entry) && typeof entry[0] === 'string') found.push([entry[0], entry[1]]);
    }
  } catch {
    // Getters and proxies of the application may throw.
  }
  return found;
}
