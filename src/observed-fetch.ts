import type { Engine } from './engine.ts';
import { createLlmFetch } from './llm/fetch.ts';
import type { Shared } from './parts.ts';
import { setter } from './propagation/carrier.ts';
import type { Fetch } from './runtime.ts';
import type { ContextView } from './trace/context.ts';

/** Whether calls are recorded; one that is not is told to the engine. */
export function isOn({ engine }: Pick<Shared, 'engine'>): boolean {
  if (!engine.enabled) engine.onBypass();
  return engine.enabled;
}

/** `fetch` with the static members that a runtime's own has, such as Bun's `preconnect`. */
export function createViewFetch(shared: Pick<Shared, 'engine'>, view: ContextView): typeof globalThis.fetch {
  let observed: Fetch | undefined;
  const fetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    if (!isOn(shared)) return shared.engine.fetch()(input, init);
    observed ??= createObserved(shared.engine, view);
    return observed(input, init);
  };
  return Object.assign(fetch as typeof globalThis.fetch, shared.engine.fetch());
}

function createObserved(engine: Engine, view: ContextView): Fetch {
  const { to } = engine.options.propagation ?? {};
  return createLlmFetch({
    recorder: engine.recorder,
    providers: engine.providers,
    fetch: engine.fetch,
    active: view.active,
    inject(url, context) {
      if (!to?.(url)) return undefined;
      const headers: Record<string, string> = {};
      engine.propagator.inject(context, headers, setter);
      return headers;
    },
    streams: engine.streams,
    gate: engine.budget?.gate,
    usage: engine.usage,
    limits: engine.limits,
    copyInit: engine.runtime.copyInit,
    parseError: engine.instruments.parseError,
    report: engine.diagnostics.report,
  });
}
