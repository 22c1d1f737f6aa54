import {
  type Check,
  type Checks,
  checkValues,
  count,
  fn,
  isObject,
  list,
  needed,
  ratio,
  string,
  timer,
} from '../checks.ts';
import type { Engine } from '../engine.ts';
import { createEvaluations, type Evaluations } from '../llm/evaluation/evaluations.ts';
import type { EvaluationOptions } from '../llm/evaluation/evaluator.ts';
import { recordEvaluation, recordFeedback } from '../llm/evaluation/record.ts';
import { createViewFetch } from '../observed-fetch.ts';
import { contentPart } from './content.ts';
import type { Feature } from './feature.ts';

const evaluator: Check = {
  allowed: 'an evaluator with name and evaluate',
  test: (v) => isObject(v) && string.test(v.name) && fn.test(v.evaluate),
};
const checks: Checks = { evaluators: needed(list(evaluator)), sampleRate: ratio, timeoutMs: timer, maxQueue: count };

/** The evaluations of an engine that is still being wired; they are made with the first call. */
function assemble(options: EvaluationOptions, getEngine: () => Engine): Evaluations | undefined {
  checkValues(options, checks, 'evaluation.');
  if (!options.evaluators?.length) return undefined;
  let made: Evaluations | undefined;
  function get(): Evaluations {
    if (made) return made;
    const engine = getEngine();
    made = createEvaluations({
      options,
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

export const evaluationPart = { assemble, record: recordEvaluation, recordFeedback };

/**
 * Answers are judged: the option `evaluation`, `recordEvaluation` and `recordFeedback`. What is judged is what was said, so
 * it brings `content`.
 */
export const evaluations: Feature = { content: contentPart, evaluations: evaluationPart };
