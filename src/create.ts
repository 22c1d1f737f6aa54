import { type BuiltIn, createEngine } from './engine.ts';
import { createFlusher } from './flush.ts';
import { createSpanRunner } from './llm/spans.ts';
import type { TelemetryOptions } from './options.ts';
import type { Runtime } from './runtime.ts';
import type { Telemetry } from './telemetry.ts';
import { View } from './view.ts';

/** A telemetry from options, with the providers and prices that a bundle brings. */
export function assembleTelemetry(options: TelemetryOptions, builtIn: BuiltIn): Telemetry {
  const engine = createEngine(options, builtIn);
  const runner = createSpanRunner({
    tracer: engine.tracer,
    clock: engine.clock,
    instruments: engine.instruments,
    recorder: engine.recorder,
    report: engine.diagnostics.report,
  });
  return new View({ engine, runner, flusher: createFlusher(engine) }, engine.root);
}

/** `createTelemetry` of an adapter: its runtime, whose parts the options may replace. */
export function assembleFor(
  runtime: Runtime,
  options: TelemetryOptions | (() => TelemetryOptions),
  builtIn: BuiltIn,
): Telemetry {
  const given = typeof options === 'function' ? options() : options;
  return assembleTelemetry({ ...given, runtime: { ...runtime, ...given?.runtime } }, builtIn);
}
