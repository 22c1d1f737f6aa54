import type { Baggage, BaggageEntry, BaggageEntryMetadata, Context } from '@opentelemetry/api';
import { createContextKey } from '../trace/otel-context.ts';

const baggageKey = /* @__PURE__ */ createContextKey('OpenTelemetry Baggage Key');

export function getBaggage(context: Context): Baggage | undefined {
  return (context.getValue(baggageKey) as Baggage | undefined) || undefined;
}

export function setBaggage(context: Context, baggage: Baggage): Context {
  return context.setValue(baggageKey, baggage);
}

/** The API's immutable baggage; of two entries with one key the later counts. */
export function createBaggage(entries: Iterable<readonly [string, BaggageEntry]> = []): Baggage {
  const map = new Map(entries);
  return {
    getEntry(key) {
      const entry = map.get(key);
      return entry && { ...entry };
    },
    getAllEntries: () => [...map],
    setEntry: (key, entry) => createBaggage([...map, [key, entry]]),
    removeEntry: (key) => without(map, [key]),
    removeEntries: (...keys) => without(map, keys),
    clear: () => createBaggage(),
  };
}

function without(map: ReadonlyMap<string, BaggageEntry>, keys: readonly string[]): Baggage {
  return createBaggage([...map].filter(([key]) => !keys.includes(key)));
}

/** Metadata is told by its text; the symbol that its type asks for is in no code's reach but the API's. */
export function createMetadata(text: string): BaggageEntryMetadata {
  return { toString: () => text } as BaggageEntryMetadata;
}
