import {
  type Context,
  type ContextManager,
  context,
  metrics,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import type { Engine } from './engine.ts';
import { TelemetryError } from './errors.ts';

/**
 * Makes a telemetry OpenTelemetry's global one, so that other libraries' spans and metrics come here. Where the host
 * owns the globals already (Deno with OTEL_DENO, another SDK) theirs stay, and that is reported.
 */
export function registerGlobals(engine: Engine): () => void {
  const undo: (() => void)[] = [];
  function attempt(done: boolean, revert: () => void): boolean {
    if (done) undo.push(revert);
    else
      engine.diagnostics.report(new TelemetryError('internal', 'OpenTelemetry is registered by somebody else already'));
    return done;
  }
  // Whose the tracers are, theirs is the rest: half of each would tear their traces apart.
  if (attempt(trace.setGlobalTracerProvider(engine.tracerProvider), () => trace.disable())) {
    attempt(context.setGlobalContextManager(createContextManager(engine)), () => context.disable());
    attempt(metrics.setGlobalMeterProvider(engine.meterProvider), () => metrics.disable());
    attempt(propagation.setGlobalPropagator(engine.propagator), () => propagation.disable());
  }
  return () => {
    for (const revert of undo.splice(0)) revert();
  };
}

function createContextManager({ root, runtime }: Engine): ContextManager {
  const manager: ContextManager = {
    // Not that of the root view, which asks the registered manager in turn.
    active: () => runtime.context.get() ?? ROOT_CONTEXT,
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
