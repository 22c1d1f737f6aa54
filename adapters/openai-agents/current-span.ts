import { ignore, safely } from '../../src/errors.ts';
import { asString } from '../../src/json.ts';

/** The SDK keeps its current span in an async storage, by a symbol that all its copies share. */
const storageKey = /* @__PURE__ */ Symbol.for('openai.agents.core.asyncLocalStorage');

interface Storage {
  getStore?(): { span?: { spanId?: unknown } } | undefined;
}

/** The span whose code is executed now, where the SDK can tell. */
export function currentSpan(): string | undefined {
  const storage = (globalThis as unknown as Record<symbol, Storage | undefined>)[storageKey];
  return safely(() => asString(storage?.getStore?.()?.span?.spanId), ignore);
}
