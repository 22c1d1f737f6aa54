import { decodePrices } from './compact.ts';
import type { Price, PriceTable } from './price.ts';

/** A built-in table as the lookup sees it. */
export interface TablePart {
  /** The provider whose prices these are. */
  readonly owner: string;
  /** What the keys put before an id: nothing where the ids are the vendor's own, `owner/` where others serve them too. */
  readonly prefix: string;
  /** Decodes the table when first called. */
  read(): PriceTable;
}

const partsKey = /* @__PURE__ */ Symbol('parts');

/** What a built-in table is made of; nothing for any other object. */
export function partsOf(table: PriceTable): readonly TablePart[] | undefined {
  return (table as { [partsKey]?: readonly TablePart[] })[partsKey];
}

/** Prices of a vendor by its own model ids. `text` and `factors` are what `scripts/prices.ts` writes. */
export function vendorPrices(owner: string, text: string, factors?: string): PriceTable {
  return createTable(owner, '', text, factors);
}

/** Prices of a host of models that other vendors serve too: its keys are `owner/id`. */
export function hostPrices(owner: string, text: string, factors?: string): PriceTable {
  return createTable(owner, `${owner}/`, text, factors);
}

/** Several built-in tables as one; the first that has a key wins. */
export function joinTables(tables: readonly PriceTable[]): PriceTable {
  const parts = once(() => tables.flatMap((table) => partsOf(table) ?? []));
  const read = (): PriceTable =>
    Object.assign(
      {},
      ...parts()
        .toReversed()
        .map((part) => part.read()),
    );
  return lazyRecord(read, parts);
}

function createTable(owner: string, prefix: string, text: string, factors?: string): PriceTable {
  const parts = [{ owner, prefix, read: once(() => decodePrices(text, prefix, factors)) }];
  return lazyRecord(parts[0]!.read, () => parts);
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Looks like the object that `read` makes, which is not made before somebody looks. */
function lazyRecord(read: () => PriceTable, parts: () => readonly TablePart[]): PriceTable {
  const target: Record<string, Price> = {};
  function fill(): Record<string, Price> {
    if (Object.isExtensible(target)) Object.freeze(Object.assign(target, read()));
    return target;
  }
  return new Proxy(target, {
    get: (_, key) => (key === partsKey ? parts() : Reflect.get(fill(), key)),
    // Whoever asks whether it is a list looks at nothing in it.
    has: (_, key) => Reflect.has(typeof key === 'symbol' ? target : fill(), key),
    ownKeys: () => Reflect.ownKeys(fill()),
    getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(fill(), key),
    preventExtensions: () => Reflect.preventExtensions(fill()),
  });
}
