import { ignore, safely } from '../../src/errors.ts';
import { asObject, asString } from '../../src/json.ts';

/** LangChain keeps what runs in an async storage of its own, by symbols that all its copies share. */
const storageKey = /* @__PURE__ */ Symbol.for('ls:tracing_async_local_storage');
const configKey = /* @__PURE__ */ Symbol.for('lc:child_config');

interface Storage {
  getStore?(): { extra?: Record<symbol, unknown> } | undefined;
}

/** The run whose code is executed now, where LangChain can tell. */
export function currentRun(): string | undefined {
  return safely(() => {
    const storage = (globalThis as unknown as Record<symbol, Storage | undefined>)[storageKey];
    const config = asObject(storage?.getStore?.()?.extra?.[configKey]);
    const manager = asObject(config?.callbacks) as { getParentRunId?(): unknown } | undefined;
    return asString(manager?.getParentRunId?.());
  }, ignore);
}
