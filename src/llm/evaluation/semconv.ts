import type { Attributes } from '@opentelemetry/api';
import { cut } from '../../attributes.ts';
import type { SpanDialect } from '../span-dialect.ts';
import type { EvaluationResult, Evaluator } from './evaluator.ts';

/** On all that is done to judge an answer. */
export const judgeMark = 'edgespan.judge';
/** Characters of what a judge or a user says to a score. */
const maxExplanation = 500;

/** What is judged, as far as it is known. */
export interface About {
  readonly name: string;
  readonly provider?: string;
  readonly model?: string;
  readonly responseId?: string | undefined;
}

/** Name and attributes of the span of an evaluation, which the conventions have no word for but its name. */
export function describeEvaluation(
  { name, provider = '', model = '' }: About,
  judge: Pick<Evaluator, 'provider' | 'model'>,
  dialect: SpanDialect,
): { name: string; attributes: Attributes } {
  const known = dialect.attributes?.start('evaluation', {
    evaluation_type: name,
    evaluator_model: judge.model ?? '',
    evaluator_provider: judge.provider ?? '',
    provider: provider && dialect.attributes.provider(provider, model),
    model,
  });
  return {
    name: dialect.workName(`evaluate ${name}`, `evaluate:${name}`),
    attributes: { 'gen_ai.evaluation.name': name, ...known },
  };
}

/**
 * The event of a result, or of none.
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-events.md
 */
export function resultEvent(
  { name, responseId }: About,
  result: EvaluationResult | undefined,
  errorType?: string,
): { name: string; attributes: Attributes } {
  const { score, label, explanation } = result ?? {};
  return {
    name: 'gen_ai.evaluation.result',
    attributes: {
      'gen_ai.evaluation.name': name,
      ...(score !== undefined && { 'gen_ai.evaluation.score.value': score }),
      ...(label && { 'gen_ai.evaluation.score.label': label }),
      ...(explanation && { 'gen_ai.evaluation.explanation': cut(explanation, maxExplanation) }),
      ...(responseId && { 'gen_ai.response.id': responseId }),
      ...(errorType && { 'error.type': errorType }),
    },
  };
}
