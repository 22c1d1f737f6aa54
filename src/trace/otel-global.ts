import type { Context, ContextManager, MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import { rootContext } from './otel-context.ts';

interface Slots {
  readonly version?: string;
  trace?: TracerProvider;
  context?: ContextManager;
  metrics?: MeterProvider;
  propagation?: TextMapPropagator;
}

/** Where every copy of the API's first major version looks for what is registered. */
const apiKey = /* @__PURE__ */ Symbol.for('opentelemetry.js.api.1');

/** The API reads an object whose minor version is at least its own; this is above all of them. */
const readableByAll = '1.999.0';

function host(): { [apiKey]?: Slots } {
  return globalThis as { [apiKey]?: Slots };
}

/** The context that is active in the host's own OpenTelemetry, the root where it has none. */
export function activeHostContext(): Context {
  try {
    return host()[apiKey]?.context?.active() ?? rootContext;
  } catch {
    return rootContext;
  }
}

/**
 * Fills a slot that is empty; the function empties it again. `undefined` where somebody else has it. What the user has
 * put there through the API himself is ours already, and stays.
 */
export function registerGlobal<K extends Exclude<keyof Slots, 'version'>>(
  slot: K,
  instance: NonNullable<Slots[K]>,
): (() => void) | undefined {
  const existing = host()[apiKey];
  const taken = existing?.[slot] as { getDelegate?(): unknown } | undefined;
  if (taken) return taken === instance || taken.getDelegate?.() === instance ? () => {} : undefined;
  const api = existing ?? Object.defineProperty({}, 'version', { value: readableByAll, enumerable: true });
  if (!Reflect.set(api, slot, instance) || (!existing && !Reflect.set(globalThis, apiKey, api))) return undefined;
  return () => {
    const now = host()[apiKey];
    if (now?.[slot] !== instance) return;
    delete now[slot];
    // Ours and empty again: whoever comes next sets its own version.
    if (now.version === readableByAll && Object.keys(now).length === 1) delete host()[apiKey];
  };
}
