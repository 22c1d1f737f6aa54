import { type Context, type ContextManager, context, metrics, propagation, trace } from '@opentelemetry/api';
import type { Engine } from './engine.ts';
import { TelemetryError } from './errors.ts';

/**
 * Makes a telemetry OpenTelemetry's global one, so that other libraries' spans and metrics come here. Where the host
 * owns the globals already (Deno with OTEL_DENO, another SDK) theirs stay, and that is reported.
 */
export function registerGlobals(engine: Engine): () => void {
  const undo: (() => void)[] = [];
  const attempts: [boolean, () => void][] = [
    [context.setGlobalContextManager(createContextManager(engine)), () => context.disable()],
    [trace.setGlobalTracerProvider(engine.tracerProvider), () => trace.disable()],
    [metrics.setGlobalMeterProvider(engine.meterProvider), () => metrics.disable()],
    [propagation.setGlobalPropagator(engine.propagator), () => propagation.disable()],
  ];
  for (const [done, revert] of attempts) if (done) undo.push(revert);
  if (undo.length < attempts.length) {
    engine.diagnostics.report(new TelemetryError('internal', 'OpenTelemetry is registered by somebody else already'));
  }
  return () => {
    for (const revert of undo.splice(0)) revert();
  };
}

function createContextManager({ root }: Engine): ContextManager {
  const manager: ContextManager = {
    active: () => root.active(),
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
