import type { Engine } from './engine.ts';
import { createEvaluations, type Evaluations } from './llm/evaluation/evaluations.ts';
import { createViewFetch } from './observed-fetch.ts';
import type { TelemetryOptions } from './options.ts';

/** The evaluations of an engine that is still being wired; they are made with the first call. */
export function assembleEvaluations(
  { evaluation }: TelemetryOptions,
  getEngine: () => Engine,
): Evaluations | undefined {
  if (!evaluation?.evaluators?.length) return undefined;
  let made: Evaluations | undefined;
  function get(): Evaluations {
    if (made) return made;
    const engine = getEngine();
    made = createEvaluations({
      options: evaluation!,
      tracer: engine.tracer,
      clock: engine.clock,
      runtime: engine.runtime,
      metrics: engine.instruments.evaluation,
      dialect: engine.spanDialect,
      run: engine.root.run,
      createFetch: (context) => createViewFetch({ engine }, engine.root.at(context)),
      report: engine.diagnostics.report,
    });
    return made;
  }
  return {
    wants: (context, operation) => get().wants(context, operation),
    judge: (call) => get().judge(call),
    settled: (ms) => made?.settled(ms),
  };
}
