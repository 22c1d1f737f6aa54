import type { Context } from '@opentelemetry/api';

/**
 * The same symbol as the one that `@opentelemetry/api` makes of a description, so that its contexts and ours hold each
 * other's values.
 */
export function createContextKey(description: string): symbol {
  return Symbol.for(description);
}

function createContext(values: ReadonlyMap<symbol, unknown>): Context {
  return {
    getValue: (key) => values.get(key),
    setValue: (key, value) => createContext(new Map(values).set(key, value)),
    deleteValue: (key) => createContext(new Map([...values].filter(([other]) => other !== key))),
  };
}

/** A context without values. The API's own root is another object: tell the two by what they hold. */
export const rootContext: Context = /* @__PURE__ */ createContext(/* @__PURE__ */ new Map());
