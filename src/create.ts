import { createDiagnostics } from './diagnostics.ts';
import { createEngine } from './engine.ts';
import type { BuiltIn } from './features/feature.ts';
import { createFlusher } from './flush.ts';
import { createSpanRunner } from './llm/spans.ts';
import { Registry } from './metrics/registry.ts';
import { checkOptions } from './option-checks.ts';
import type { TelemetryOptions } from './options.ts';
import type { Shared } from './parts.ts';
import type { Runtime } from './runtime.ts';
import { resolveCaps, resolveDialect } from './settings.ts';
import type { Telemetry } from './telemetry.ts';
import { View } from './view.ts';

/** A telemetry from options, with the providers and prices that a bundle brings. */
export function assembleTelemetry(options: TelemetryOptions, builtIn: BuiltIn): Telemetry {
  const shared = assembleParts(options, builtIn);
  return new View(shared, shared.engine.root);
}

function assembleParts(options: TelemetryOptions, builtIn: BuiltIn): Shared {
  const engine = createEngine(options, builtIn);
  const { tracer, clock, instruments, recorder, diagnostics } = engine;
  return {
    engine,
    runner: createSpanRunner({
      tracer,
      clock,
      instruments,
      seen: recorder.seen,
      content: recorder.content,
      legacyAttributes: engine.legacyAttributes,
      dialect: engine.spanDialect,
      report: diagnostics.report,
    }),
    runModelCall: builtIn.features.wrapping?.createRunner(engine),
    flusher: createFlusher(engine),
  };
}

/** `createTelemetry` of an adapter: its runtime, whose parts the options may replace. */
export function assembleFor(
  runtime: Runtime,
  options: TelemetryOptions | (() => TelemetryOptions),
  builtIn: BuiltIn,
): Telemetry {
  const given = typeof options === 'function' ? options() : options;
  // Before a runtime is filled in: a copy of what is no object would be one.
  checkOptions(given);
  return assembleTelemetry({ ...given, runtime: { ...runtime, ...given.runtime } }, builtIn);
}

/**
 * A telemetry whose environment comes with the first request: until `bind` everything passes through and is counted,
 * metrics of the application's own excepted. Options that turn out wrong then leave it so, and are reported once.
 */
export function assembleLate<Env>(
  runtime: Runtime,
  options: (env: Env) => TelemetryOptions,
  builtIn: BuiltIn,
): Telemetry {
  const registry = new Registry();
  const unbound = assembleParts({ enabled: false, metrics: { registry }, runtime }, builtIn);
  const { engine } = unbound;
  engine.onBypass = () => engine.books.dropped('traces', 'unbound', 1);

  function bind(env: unknown): void {
    shared.bind = undefined;
    engine.onBypass = () => {};
    let given: TelemetryOptions | undefined;
    try {
      given = options(env as Env);
      checkOptions(given);
      const metrics = { registry, ...given.metrics };
      if (!given.metrics?.registry) registry.limitLabels(resolveCaps(given, resolveDialect(given, builtIn.features)));
      const bound = { ...runtime, env: env as Record<string, unknown>, ...given.runtime };
      Object.assign(shared, assembleParts({ ...given, metrics, runtime: bound }, builtIn));
    } catch (error) {
      createDiagnostics(engine.clock.now, given?.onError).report(error);
    }
  }

  const shared: { -readonly [K in keyof Shared]: Shared[K] } = { ...unbound, bind };
  return new View(shared, engine.root);
}
