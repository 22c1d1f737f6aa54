import { asArray, asObject, asString, type Json } from '../../json.ts';
import type { LlmRequest, LlmResponse } from '../provider.ts';
import { present } from './wire.ts';

type Guardrail = NonNullable<LlmResponse['guardrail']>;

/** The kinds of policies, and how metrics call them. */
const policies: Readonly<Record<string, string>> = {
  topicPolicy: 'TOPIC_POLICY',
  contentPolicy: 'CONTENT_POLICY',
  wordPolicy: 'WORD_POLICY',
  sensitiveInformationPolicy: 'SENSITIVE_INFORMATION_POLICY',
  contextualGroundingPolicy: 'CONTEXTUAL_GROUNDING_POLICY',
};

/** A full trace also lists what was looked for and not found. */
function isFinding(value: unknown): boolean {
  const entry = asObject(value);
  return entry !== undefined && (typeof entry.detected === 'boolean' ? entry.detected : entry.action !== 'NONE');
}

function hasFinding(policy: unknown): boolean {
  return Object.values(asObject(policy) ?? {}).some((list) => asArray(list).some(isFinding));
}

/** Assessments by the guardrail's id: one of the input, lists of the output. */
function flatten(value: unknown): [id: string, assessment: Json][] {
  const byId = Array.isArray(value) ? value.map(asObject) : [asObject(value)];
  return byId.flatMap((entry) =>
    Object.entries(entry ?? {}).flatMap(([id, assessments]) =>
      [assessments].flat().flatMap((item): [string, Json][] => (asObject(item) ? [[id, item as Json]] : [])),
    ),
  );
}

/**
 * What a guardrail did, by the trace of Converse (`inputAssessment`, `outputAssessments`) or of a model's own body
 * (`input`, `outputs`). https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html
 */
export function parseGuardrail(
  trace: unknown,
  intervened: boolean,
  requested: LlmRequest['guardrail'] | undefined,
): Guardrail | undefined {
  const guardrail = asObject(asObject(trace)?.guardrail);
  if (!guardrail && !intervened && !requested) return undefined;
  const { inputAssessment, outputAssessments, input, outputs } = guardrail ?? {};
  const assessments = [inputAssessment, outputAssessments, input, outputs].flatMap(flatten);
  const found = Object.keys(policies).filter((name) => assessments.some(([, item]) => hasFinding(item[name])));
  return present<Guardrail>({
    id: asString(assessments[0]?.[0]) ?? requested?.id,
    action: intervened ? 'GUARDRAIL_INTERVENED' : 'NONE',
    categories: found.length > 0 ? found.map((name) => policies[name]!) : undefined,
  });
}
