import type { Context, ContextManager } from '@opentelemetry/api';
import type { Engine } from './engine.ts';
import { TelemetryError } from './errors.ts';
import { rootContext } from './trace/otel-context.ts';
import { registerGlobal } from './trace/otel-global.ts';

/** What of `@opentelemetry/api` a registration may go through. */
export type OpenTelemetryApi = Pick<
  typeof import('@opentelemetry/api'),
  'context' | 'metrics' | 'propagation' | 'trace'
>;

/**
 * Makes a telemetry OpenTelemetry's global one, so that other libraries' spans and metrics come here. Where the host
 * owns the globals already (Deno with OTEL_DENO, another SDK) theirs stay, and that is reported.
 *
 * Given the API, it goes through its `setGlobal…` functions, and tracers that were taken from it before come here too.
 * Without, it writes what they write and loads nothing; then `diag.setLogger` has to come before, since the API refuses
 * to write into what a version other than its own has made.
 */
export function registerGlobals(engine: Engine, api?: OpenTelemetryApi): () => void {
  const contexts = createContextManager(engine);
  // Whose the tracers are, theirs is the rest: half of each would tear their traces apart.
  const steps: readonly (() => (() => void) | undefined)[] = api
    ? [
        () => (api.trace.setGlobalTracerProvider(engine.tracerProvider) ? () => api.trace.disable() : undefined),
        () => (api.context.setGlobalContextManager(contexts) ? () => api.context.disable() : undefined),
        () => (api.metrics.setGlobalMeterProvider(engine.meterProvider!) ? () => api.metrics.disable() : undefined),
        () => (api.propagation.setGlobalPropagator(engine.propagator) ? () => api.propagation.disable() : undefined),
      ]
    : [
        () => registerGlobal('trace', engine.tracerProvider),
        () => registerGlobal('context', contexts),
        () => registerGlobal('metrics', engine.meterProvider!),
        () => registerGlobal('propagation', engine.propagator),
      ];
  const undo: (() => void)[] = [];
  for (const step of steps) {
    const revert = step();
    if (revert) undo.push(revert);
    else {
      engine.diagnostics.report(new TelemetryError('internal', 'OpenTelemetry is registered by somebody else already'));
      if (undo.length === 0) break;
    }
  }
  return () => {
    for (const revert of undo.splice(0)) revert();
  };
}

function createContextManager({ root, runtime }: Engine): ContextManager {
  const manager: ContextManager = {
    // Not that of the root view, which asks the registered manager in turn.
    active: () => runtime.context.get() ?? rootContext,
    with: (ctx, fn, thisArg, ...args) => root.run(ctx, () => fn.apply(thisArg as never, args as never)),
    bind(ctx: Context, target) {
      if (typeof target !== 'function') return target;
      const bound = function (this: unknown, ...args: unknown[]) {
        return root.run(ctx, () => target.apply(this, args));
      };
      return bound as typeof target;
    },
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}
