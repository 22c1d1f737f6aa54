import type { Context, ContextManager } from '@opentelemetry/api';
import type { Engine } from './engine.ts';
import { TelemetryError } from './errors.ts';
import { rootContext } from './trace/otel-context.ts';
import { registerGlobal } from './trace/otel-global.ts';

/**
 * Makes a telemetry OpenTelemetry's global one, so that other libraries' spans and metrics come here. Where the host
 * owns the globals already (Deno with OTEL_DENO, another SDK) theirs stay, and that is reported.
 *
 * It writes what the API's `setGlobal…` functions write, without loading the API. Two things remain to the API itself.
 * A tracer that was taken from it *before* this call comes to us only where the user has called
 * `trace.setGlobalTracerProvider(telemetry.tracerProvider)` first. And `diag.setLogger` has to come before this call too:
 * the API refuses to write into what a version other than its own has made.
 */
export function registerGlobals(engine: Engine): () => void {
  const undo: (() => void)[] = [];
  function attempt(revert: (() => void) | undefined): boolean {
    if (revert) undo.push(revert);
    else
      engine.diagnostics.report(new TelemetryError('internal', 'OpenTelemetry is registered by somebody else already'));
    return revert !== undefined;
  }
  // Whose the tracers are, theirs is the rest: half of each would tear their traces apart.
  if (attempt(registerGlobal('trace', engine.tracerProvider))) {
    attempt(registerGlobal('context', createContextManager(engine)));
    attempt(registerGlobal('metrics', engine.meterProvider));
    attempt(registerGlobal('propagation', engine.propagator));
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
