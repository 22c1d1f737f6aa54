import { ignore, safely } from '../../src/errors.ts';
import { asString } from '../../src/json.ts';

/** The SDK keeps its current span and trace in an async storage, by a symbol that all its copies share. */
const storageKey = /* @__PURE__ */ Symbol.for('openai.agents.core.asyncLocalStorage');

interface Storage {
  getStore?(): { span?: { spanId?: unknown }; trace?: { traceId?: unknown } } | undefined;
}

function readStore() {
  return (globalThis as unknown as Record<symbol, Storage | undefined>)[storageKey]?.getStore?.();
}

/** The span whose code is executed now, where the SDK can tell. */
export function currentSpan(): string | undefined {
  return safely(() => asString(readStore()?.span?.spanId), ignore);
}

/** The same, or the trace where no span is around. */
export function currentWork(): string | undefined {
  return currentSpan() ?? safely(() => asString(readStore()?.trace?.traceId), ignore);
}
