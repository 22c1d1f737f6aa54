import type { Attributes, Span, SpanContext } from '@opentelemetry/api';
import { safely } from '../errors.ts';
import { asArray, asObject, asString } from '../json.ts';
import { overflowValue } from '../metrics/cardinality.ts';
import type { TraceRef } from '../metrics/instrument.ts';
import type { NumberInstrument } from '../metrics/number.ts';
import type { MetricLabels } from './labels.ts';
import type { LlmRequest, LlmResponse } from './provider.ts';

/** What a check of one's own found. `action` is `GUARDRAIL_INTERVENED` or `NONE`. */
export interface GuardrailResult {
  /** Of the guardrail: the label `guardrail_id`. */
  id?: string;
  action: string;
  /** What it found, as `SELF_HARM`; metrics have a bounded set of these. */
  category?: string;
  /** Of the model call that was checked; inside of an agent, by default, those of its latest. */
  provider?: string;
  model?: string;
  /** Gets the attributes; the active span by default. */
  span?: Span | SpanContext;
}

/** What a guardrail, a content filter or the model itself did about a call. */
export interface Verdict {
  readonly id: string;
  readonly version: string;
  /** The request named a guardrail, or somebody asked one. */
  readonly asked: boolean;
  readonly action: string | undefined;
  readonly categories: readonly string[];
}

const intervened = 'GUARDRAIL_INTERVENED';
const actions = [intervened, 'NONE'];

/** Looks at an exchange that is over. */
export type GuardrailHook = (exchange: { request: unknown; response: unknown }) => GuardrailResult | undefined;

/** Reads the verdict off a call at its end. What was sent is held where a hook wants to see it, and else not. */
export function createVerdictReader(
  { guardrail: hook, report }: { readonly guardrail?: GuardrailHook | undefined; report: (error: unknown) => void },
  request: LlmRequest,
  body: unknown,
): (response: LlmResponse, answer: unknown) => Verdict | undefined {
  const sent = hook && body;
  return (response, answer) => {
    const found = hook && safely(() => hook({ request: sent, response: answer ?? response }), report);
    return readVerdict(request, response, found);
  };
}

/** All that the label `category` may be; anything else counts as overflow. */
export const guardrailCategories = [
  'CONTENT_POLICY',
  'SENSITIVE_INFORMATION_POLICY',
  'WORD_POLICY',
  'TOPIC_POLICY',
  'CONTEXTUAL_GROUNDING_POLICY',
  'DENIED_TOPIC',
  'HATE',
  'SEXUAL',
  'VIOLENCE',
  'SELF_HARM',
  'HARASSMENT',
  'DANGEROUS_CONTENT',
  'PROFANITY',
  'CIVIC_INTEGRITY',
  'JAILBREAK',
  'INDIRECT_ATTACK',
  'PROTECTED_MATERIAL',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SAFETY',
  'REFUSAL',
  'MODEL_ARMOR',
  'CYBER',
  'BIO',
  'FRONTIER_LLM',
  'REASONING_EXTRACTION',
] as const;

/** What vendors call by other names. */
const synonyms: Readonly<Record<string, (typeof guardrailCategories)[number]>> = {
  HATE_SPEECH: 'HATE',
  SEXUALLY_EXPLICIT: 'SEXUAL',
  SELFHARM: 'SELF_HARM',
  DANGEROUS: 'DANGEROUS_CONTENT',
  ILLICIT: 'DANGEROUS_CONTENT',
  GENERAL_HARMS: 'DANGEROUS_CONTENT',
  INDIRECT_PROMPT_INJECTION: 'INDIRECT_ATTACK',
  PROMPT_ATTACK: 'JAILBREAK',
  PROTECTED_MATERIAL_TEXT: 'PROTECTED_MATERIAL',
  PROTECTED_MATERIAL_CODE: 'PROTECTED_MATERIAL',
  RECITATION: 'PROTECTED_MATERIAL',
  CUSTOM_BLOCKLISTS: 'BLOCKLIST',
  SPII: 'SENSITIVE_INFORMATION_POLICY',
  PII: 'SENSITIVE_INFORMATION_POLICY',
  PERSONALLY_IDENTIFIABLE_INFORMATION: 'SENSITIVE_INFORMATION_POLICY',
  UNGROUNDED_MATERIAL: 'CONTEXTUAL_GROUNDING_POLICY',
};

/** `HARM_CATEGORY_HATE_SPEECH`, `hate` and `hate/threatening` are one and the same. */
export function normaliseCategory(given: string): string {
  const name = given
    .replace(/\/.*$/s, '')
    .replace(/[^a-z0-9]+/gi, '_')
    .toUpperCase()
    .replace(/^HARM_CATEGORY_/, '')
    .replace(/^IMAGE_/, '');
  return Object.hasOwn(synonyms, name) ? synonyms[name]! : name;
}

/** Reasons to stop that say that something was held back. */
const heldBack =
  /^(content[_-]?filter(ed)?|guardrail_intervened|refusal|(image_)?(safety|recitation|prohibited_content)|blocklist|spii|model_armor|jailbreak)$/i;

/** By what a hook found, else by what the response says, else by why it stopped. */
export function readVerdict(
  request: LlmRequest,
  response: LlmResponse,
  found?: GuardrailResult | undefined,
): Verdict | undefined {
  const said = asObject(response.guardrail);
  const named = asString(said?.id);
  const asked = request.guardrail !== undefined || found !== undefined || named !== undefined;
  const who = {
    id: asString(found?.id) ?? named ?? asString(request.guardrail?.id) ?? '',
    version: asString(request.guardrail?.version) ?? '',
    asked,
  };
  if (found) return { ...who, action: asString(found.action), categories: listCategories([found.category]) };
  const action = asString(said?.action);
  const reason = response.finishReasons?.find((one) => heldBack.test(one));
  // What was held back is more than what was noticed, unless a guardrail speaks for itself.
  const isTold = action !== undefined && (action !== 'NONE' || !reason || named !== undefined);
  if (isTold) return { ...who, action, categories: listCategories(said?.categories) };
  if (reason) {
    const category = /^(content|guardrail)/i.test(reason) ? [] : listCategories([reason]);
    return { ...who, action: intervened, categories: category };
  }
  return asked ? { ...who, action: undefined, categories: [] } : undefined;
}

/** Each once, whoever called them by what name. */
function listCategories(given: unknown): string[] {
  const names = asArray(given).map(asString);
  return [...new Set(names.filter((name) => name !== undefined).map(normaliseCategory))];
}

export function guardrailAttributes({ id, action, categories }: Verdict): Attributes {
  return {
    ...(id && { 'llm.guardrail.id': id }),
    ...(action && { 'llm.guardrail.action': action }),
    ...(categories.length > 0 && { 'llm.guardrail.categories': [...categories] }),
  };
}

export interface GuardrailRules {
  /** All that the label of a category may be. */
  readonly categories: readonly string[];
  /** Only a guardrail that was asked counts, once a call, by the first category that it names. */
  readonly strict?: boolean;
}

/** How a verdict is written to the families of guardrails, where they are. `labels` gets what is its own. */
export function createGuardrailMetrics(
  requests: NumberInstrument | undefined,
  violations: NumberInstrument | undefined,
  { categories: known, strict = false }: GuardrailRules,
  unknown: string,
) {
  function violate(category: string, labels: MetricLabels, trace: TraceRef | null): void {
    labels.category = labels.guardrail_category = strict ? bounded(known, category) : within(known, category);
    violations?.add(1, labels, trace);
  }

  return ({ id, version, asked, action, categories }: Verdict, labels: MetricLabels, trace: TraceRef | null): void => {
    if (strict && !asked) return;
    labels.guardrail_id = id || unknown;
    labels.guardrail_version = version;
    if (asked) requests?.add(1, labels, trace);
    if (!action || (action === 'NONE' && (strict || categories.length === 0))) return;
    labels.action = labels.guardrail_action = within(actions, action);
    if (strict || categories.length === 0) violate(categories[0] ?? '', labels, trace);
    else for (const category of categories) violate(category, labels, trace);
  };
}

/** An unknown category is empty, one that nobody knows is overflow. */
function within(known: readonly string[], value: string): string {
  return value === '' ? value : bounded(known, value);
}

function bounded(known: readonly string[], value: string): string {
  return known.includes(value) ? value : overflowValue;
}
