import { asArray, asObject, asString, type Json } from '../../json.ts';
import type { LlmResponse } from '../provider.ts';

type Guardrail = NonNullable<LlmResponse['guardrail']>;

const intervened = 'GUARDRAIL_INTERVENED';

/** What two parts of an answer say together: one that was held back makes it so for both. */
function merge(before: Guardrail | undefined, blocked: readonly string[], noticed: readonly string[], held: boolean) {
  if (!held && blocked.length === 0 && noticed.length === 0) return before;
  const isBlocked = held || blocked.length > 0;
  const wasBlocked = before?.action === intervened;
  // What was only noticed says nothing beside what was held back.
  const known = before && (wasBlocked || !isBlocked) ? (before.categories ?? []) : [];
  const found = isBlocked ? blocked : wasBlocked ? [] : noticed;
  const categories = [...new Set([...known, ...found])];
  return {
    action: isBlocked || wasBlocked ? intervened : 'NONE',
    ...(categories.length > 0 && { categories }),
  };
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
  const reasons = asArray(body.choices).map((choice) => asObject(choice)?.finish_reason);
  const isHeld =
    reasons.includes('content_filter') ||
    asObject(body.incomplete_details)?.reason === 'content_filter' ||
    /^content_(filter|policy_violation)$/.test(asString(asObject(body.error)?.code) ?? '');
  const refusal = isRefused(body) ? ['refusal'] : [];
  return merge(before, [...flagged(results, 'filtered'), ...refusal], flagged(results, 'detected'), isHeld);
}

/** Reasons of Gemini's to stop or to refuse that say what it objected to. */
const safetyReason = /^(IMAGE_)?(SAFETY|RECITATION|PROHIBITED_CONTENT)$|^(BLOCKLIST|SPII|MODEL_ARMOR|JAILBREAK)$/;

/** Ratings that blocked tell more than the reason does. https://ai.google.dev/gemini-api/docs/safety-settings */
export function parseSafety(body: Json, before?: Guardrail): Guardrail | undefined {
  const feedback = asObject(body.promptFeedback);
  const places = [feedback, ...asArray(body.candidates).map(asObject)];
  const ratings = places.flatMap((place) => asArray(place?.safetyRatings)).map(asObject);
  const blocked = ratings.flatMap((rating) =>
    rating?.blocked === true && asString(rating.category) ? [rating.category as string] : [],
  );
  const reasons = places.map((place) => asString(place?.blockReason) ?? asString(place?.finishReason) ?? '');
  const named = reasons.filter((reason) => safetyReason.test(reason));
  const isHeld =
    named.length > 0 ||
    (asString(feedback?.blockReason) ?? 'BLOCKED_REASON_UNSPECIFIED') !== 'BLOCKED_REASON_UNSPECIFIED';
  return merge(before, blocked.length > 0 ? blocked : named, [], isHeld);
}

/** Claude's classifiers, which end a message in a refusal and may say why. */
export function parseRefusal(message: Json): Guardrail | undefined {
  if (message.stop_reason !== 'refusal') return undefined;
  return merge(undefined, [asString(asObject(message.stop_details)?.category) ?? 'refusal'], [], true);
}
