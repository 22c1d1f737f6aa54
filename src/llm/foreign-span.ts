import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString, parseJson } from '../json.ts';
import { statusError } from '../trace/otel-span.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import { readCount } from './faults.ts';
import {
  agentNames,
  capturedCalls,
  finishReasons,
  firstTokenMs,
  firstTokenSeconds,
  guardrailActions,
  guardrailIds,
  type Names,
  operationNames,
  reckonedCosts,
  replyIds,
  requestModels,
  responseModels,
  serviceTiers,
  streamed,
  toolNames,
  usageNames,
  vendorNames,
} from './foreign-names.ts';
import { readLangfuseCost, readLangfuseStart, readLangfuseUsage } from './langfuse-usage.ts';
import type { LlmRequest, LlmResponse, LlmUsage } from './provider.ts';
import { shortProviderName } from './provider-names.ts';
import { present } from './providers/wire.ts';

/** What a span of another tracer is about. `undefined` stands for what is no work of ours, or restates its parts. */
export type ForeignWork =
  | { readonly type: 'llm'; readonly operation: string; readonly stream: boolean }
  | { readonly type: 'agent' | 'tool' | 'retrieval'; readonly name: string };

/** `gen_ai.operation.name`, `openinference.span.kind`, `llm.request.type`, `traceloop.span.kind` and Langfuse's types. */
const kinds: Readonly<Record<string, string>> = {
  chat: 'chat',
  generate_content: 'chat',
  llm: 'chat',
  generation: 'chat',
  text_completion: 'text_completion',
  completion: 'text_completion',
  embeddings: 'embed',
  embedding: 'embed',
  execute_tool: 'tool',
  tool: 'tool',
  invoke_agent: 'agent',
  agent: 'agent',
  retrieval: 'retrieval',
  retriever: 'retrieval',
};

function first<T>(attributes: Attributes, names: Names, read: (value: unknown) => T | undefined): T | undefined {
  for (const name of names) {
    const value = read(attributes[name]);
    if (value !== undefined) return value;
  }
  return undefined;
}

const text = (attributes: Attributes, names: Names) => first(attributes, names, asString);
/** Some put it as Google's paths do. */
const modelOf = (attributes: Attributes, names: Names) => text(attributes, names)?.replace(/^models\//, '');
const number = (attributes: Attributes, names: Names) => first(attributes, names, asNumber);
/** Some say `NaN` for what they don't know. */
const count = (value: unknown) => (Number.isNaN(value) ? undefined : readCount(value));

/** The AI SDK names its operations: those that `do` something are the calls, the others the whole of several. */
function readOperationId(id: string, attributes: Attributes): ForeignWork | undefined {
  if (id === 'ai.toolCall') return { type: 'tool', name: asString(attributes['ai.toolCall.name']) ?? '' };
  const call = /^ai\.(?:(?:generate|stream)(?:Text|Object)\.do(Generate|Stream)|embed(?:Many)?\.doEmbed)$/.exec(id);
  if (!call) return undefined;
  return { type: 'llm', operation: call[1] ? 'chat' : 'embed', stream: call[1] === 'Stream' };
}

export function readWork(spanName: string, attributes: Attributes): ForeignWork | undefined {
  const id = asString(attributes['ai.operationId']) ?? /^ai\.[\w.]+$/.exec(spanName)?.[0];
  const named = asString(attributes['gen_ai.operation.name']);
  if (id && !named) return readOperationId(id, attributes);
  const said = named ?? text(attributes, operationNames) ?? '';
  const kind = Object.hasOwn(kinds, said.toLowerCase()) ? kinds[said.toLowerCase()]! : undefined;
  // An observation of Langfuse is called what it is about.
  const ownName = attributes['langfuse.observation.type'] === undefined ? '' : spanName;
  switch (kind) {
    case undefined:
      return undefined;
    case 'tool':
      return { type: kind, name: text(attributes, toolNames) ?? ownName };
    case 'agent':
      return { type: kind, name: text(attributes, agentNames) ?? ownName };
    case 'retrieval':
      return { type: kind, name: asString(attributes['gen_ai.data_source.id']) ?? '' };
    default:
      return { type: 'llm', operation: kind, stream: kind !== 'embed' && isStreamed(attributes) };
  }
}

function isStreamed(attributes: Attributes): boolean {
  const said = streamed.map((name) => attributes[name]);
  const parameters = asObject(parseJson(asString(attributes['llm.invocation_parameters']) ?? ''));
  return said.includes(true) || parameters?.stream === true || readFirstToken(attributes, 0) !== undefined;
}

/** Seconds until the first chunk of a stream that began at `startMs`. */
export function readFirstToken(attributes: Attributes, startMs: number): number | undefined {
  const ms = number(attributes, firstTokenMs) ?? readLangfuseStart(attributes) - startMs;
  const seconds = number(attributes, firstTokenSeconds) ?? ms / 1000;
  return seconds >= 0 ? seconds : undefined;
}

/** By its status, or by Langfuse's level, which leaves that alone. */
export function isFailed({ status, attributes }: Pick<ReadableSpan, 'status' | 'attributes'>): boolean {
  return status?.code === statusError || attributes['langfuse.observation.level'] === 'ERROR';
}

/** What a call is taken for where nobody asks what it was. */
const chat = { operation: 'chat', stream: false };

export function readForeignRequest(
  attributes: Attributes,
  { operation, stream }: Pick<LlmRequest, 'operation' | 'stream'> = chat,
): LlmRequest {
  const vendor = text(attributes, vendorNames);
  return {
    provider: vendor ? shortProviderName(vendor) : 'unknown',
    model: modelOf(attributes, requestModels),
    operation,
    stream,
    ...readAskedGuardrail(attributes),
  };
}

export function readForeignResponse(attributes: Attributes): LlmResponse {
  const reasons = first(attributes, finishReasons, (said) => said);
  const calls = readToolNames(attributes);
  return (
    present<LlmResponse>({
      id: text(attributes, replyIds),
      model: modelOf(attributes, responseModels),
      finishReasons: [reasons].flat().filter((reason) => typeof reason === 'string'),
      usage: readForeignUsage(attributes) ?? readLangfuseUsage(attributes),
      costUsd: readForeignCost(attributes),
      toolCalls: calls.length > 0 ? calls : undefined,
      guardrail: readForeignGuardrail(attributes),
      attributes: present({ 'edgespan.service_tier': text(attributes, serviceTiers) }),
    }) ?? {}
  );
}

function readForeignUsage(attributes: Attributes): LlmUsage | undefined {
  const counts: Record<string, number | undefined> = {};
  for (const kind in usageNames) counts[kind] = first(attributes, usageNames[kind]!, count);
  return present<LlmUsage>(counts);
}

/** US dollars, where the tracer says what it was. */
function readForeignCost(attributes: Attributes): number | undefined {
  const currency = asString(attributes['gen_ai.usage.cost.currency']) ?? 'USD';
  const amount = currency === 'USD' && asNumber(attributes['gen_ai.usage.cost.amount']);
  // Some tracers reckon 0 for a model that they don't know; we don't.
  const reckoned = amount || number(attributes, reckonedCosts) || readLangfuseCost(attributes);
  return reckoned || asNumber(attributes['llm.cost_usd']);
}

/** Whom the request had check it, where the tracer says so. */
function readAskedGuardrail(attributes: Attributes): Pick<LlmRequest, 'guardrail'> {
  const id = text(attributes, guardrailIds);
  const version = asString(attributes['rastir.guardrail_version']);
  return id ? { guardrail: { id, ...(version && { version }) } } : {};
}

function readForeignGuardrail(attributes: Attributes): LlmResponse['guardrail'] {
  const action = text(attributes, guardrailActions);
  const named = [attributes['llm.guardrail.categories'] ?? attributes['rastir.guardrail_category']].flat();
  return action ? { action, categories: named.filter((name) => typeof name === 'string') } : undefined;
}

/** Names of tool calls, of those that are kept. */
const maxToolCalls = 128;
/** Captured messages above this are not looked at. */
const maxJson = 65_536;
const flatName =
  /^(?:llm\.output_messages|gen_ai\.completion)\.\d+\.(?:message\.)?tool_calls\.\d+\.(?:tool_call\.function\.)?name$/;

/** The tools that the model asked for: by our own name, else where the tracer captures what was answered. */
function readToolNames(attributes: Attributes): { name: string }[] {
  const own = asArray(attributes['llm.tool_names'])
    .map(asString)
    .filter((name) => name !== undefined);
  if (own.length > 0) return own.slice(0, maxToolCalls).map((name) => ({ name }));
  const json = text(attributes, capturedCalls) ?? '';
  const list = asArray(json.length <= maxJson ? parseJson(json) : undefined).map(asObject);
  const parts = list.flatMap((item) => (item?.parts ? asArray(item.parts).map(asObject) : [item]));
  const names = parts.map((part) => part?.toolName ?? (part?.type === 'tool_call' ? part.name : undefined));
  const flat = Object.keys(attributes).filter((key) => key.endsWith('name') && flatName.test(key));
  const all = [...names, ...flat.map((key) => attributes[key])].map(asString).filter((name) => name !== undefined);
  return all.slice(0, maxToolCalls).map((name) => ({ name }));
}
