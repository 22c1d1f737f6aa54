import { asArray, asObject, asString, type Json } from '../../json.ts';
import type { LlmResponse } from '../provider.ts';

type Guardrail = NonNullable<LlmResponse['guardrail']>;

const intervened = 'GUARDRAIL_INTERVENED';

/**
 * What two parts of an answer say together: one that was held back makes it so for both, and what was only noticed says
 * nothing beside that. Who stopped for such a reason without a word of why needs none of this: the reason is told anyway.
 */
function merge(before: Guardrail | undefined, blocked: readonly string[], noticed: readonly string[], held = false) {
  const isBlocked = held || blocked.length > 0;
  if (!isBlocked && noticed.length === 0) return before;
  const wasBlocked = before?.action === intervened;
  const known = wasBlocked || !isBlocked ? (before?.categories ?? []) : [];
  const found = isBlocked ? blocked : wasBlocked ? [] : noticed;
  const categories = [...new Set([...known, ...found])];
  const action = isBlocked || wasBlocked ? intervened : 'NONE';
  return { action, ...(categories.length > 0 && { categories }) };
}

/** `{ hate: { filtered, severity }, jailbreak: { filtered, detected } }`: the categories of which `flag` is true. */
function flagged(results: readonly (Json | undefined)[], flag: string): string[] {
  return results.flatMap((result) =>
    Object.keys(result ?? {}).filter((category) => asObject(result![category])?.[flag] === true),
  );
}

function listResults(body: Json): (Json | undefined)[] {
  const error = asObject(body.error);
  const inner = asObject(error?.innererror) ?? asObject(error?.inner_error);
  const lists = [body.choices, body.prompt_filter_results, body.prompt_annotations, body.content_filters];
  return [
    ...lists.flatMap(asArray).map((item) => asObject(asObject(item)?.content_filter_results)),
    asObject(inner?.content_filter_result) ?? asObject(inner?.content_filter_results),
    ...asArray(error?.content_filters).map((item) => asObject(asObject(item)?.content_filter_results)),
  ];
}

/** A model that says so itself, apart from its answer: `refusal` of a message, or a part of that type. */
function isRefused(body: Json): boolean {
  const inChoice = asArray(body.choices).some((value) => {
    const choice = asObject(value);
    return asString((asObject(choice?.delta) ?? asObject(choice?.message))?.refusal) !== undefined;
  });
  const parts = asArray(body.output).flatMap((item) => asArray(asObject(item)?.content));
  return inChoice || parts.some((part) => asObject(part)?.type === 'refusal');
}

/**
 * What the content filters of Azure and OpenAI held back, in a reply, a chunk, a `response` object or an error. `before`
 * is what earlier chunks said. https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
 */
export function parseContentFilter(body: Json, before?: Guardrail): Guardrail | undefined {
  const results = listResults(body);
  const isHeld = /^content_(filter|policy_violation)$/.test(asString(asObject(body.error)?.code) ?? '');
  const refusal = isRefused(body) ? ['refusal'] : [];
  return merge(before, [...flagged(results, 'filtered'), ...refusal], flagged(results, 'detected'), isHeld);
}

/** Gemini's ratings of what it held back. https://ai.google.dev/gemini-api/docs/safety-settings */
export function parseSafety(body: Json, before?: Guardrail): Guardrail | undefined {
  const places = [body.promptFeedback, ...asArray(body.candidates)].map(asObject);
  const ratings = places.flatMap((place) => asArray(place?.safetyRatings)).map(asObject);
  const blocked = ratings.map((rating) => (rating?.blocked === true ? asString(rating.category) : undefined));
  return merge(
    before,
    blocked.filter((category) => category !== undefined),
    [],
  );
}

/** What Claude's classifiers say of a message that they have ended. */
export function parseRefusal(message: Json): Guardrail | undefined {
  const category = asString(asObject(message.stop_details)?.category);
  return message.stop_reason === 'refusal' && category ? merge(undefined, [category], []) : undefined;
}
