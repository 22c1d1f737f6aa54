import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString, parseJson } from '../json.ts';
import { readCount } from './faults.ts';
import {
  agentNames,
  capturedCalls,
  costs,
  firstTokenMs,
  firstTokenSeconds,
  guardrailActions,
  guardrailIds,
  type Names,
  operationNames,
  replyIds,
  requestModels,
  responseModels,
  serviceTiers,
  toolNames,
  usageNames,
  vendorNames,
} from './foreign-names.ts';
import type { LlmRequest, LlmResponse, LlmUsage } from './provider.ts';
import { shortProviderName } from './provider-names.ts';
import { present } from './providers/wire.ts';

/** What a span of another tracer is about. `undefined` stands for what is no work of ours, or restates its parts. */
export type ForeignWork =
  | { readonly type: 'llm'; readonly operation: string; readonly stream: boolean }
  | { readonly type: 'agent' | 'tool' | 'retrieval'; readonly name: string };

/** `gen_ai.operation.name`, `openinference.span.kind`, `llm.request.type` and `traceloop.span.kind`. */
const kinds: Readonly<Record<string, string>> = {
  chat: 'chat',
  generate_content: 'chat',
  llm: 'chat',
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

function text(attributes: Attributes, names: Names): string | undefined {
  for (const name of names) {
    const value = asString(attributes[name]);
    if (value) return value;
  }
  return undefined;
}

function number(attributes: Attributes, names: Names): number | undefined {
  for (const name of names) {
    const value = asNumber(attributes[name]);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A count; some say `NaN` for what they don't know. */
function count(attributes: Attributes, names: Names): number | undefined {
  for (const name of names) {
    const value = attributes[name];
    const known = value === undefined || Number.isNaN(value) ? undefined : readCount(value);
    if (known !== undefined) return known;
  }
  return undefined;
}

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
  switch (kind) {
    case undefined:
      return undefined;
    case 'tool':
      return { type: kind, name: text(attributes, toolNames) ?? '' };
    case 'agent':
      return { type: kind, name: text(attributes, agentNames) ?? '' };
    case 'retrieval':
      return { type: kind, name: asString(attributes['gen_ai.data_source.id']) ?? '' };
    default:
      return { type: 'llm', operation: kind, stream: kind !== 'embed' && isStreamed(attributes) };
  }
}

function isStreamed(attributes: Attributes): boolean {
  const { 'gen_ai.request.stream': asked, 'llm.is_streaming': streaming } = attributes;
  const parameters = asObject(parseJson(asString(attributes['llm.invocation_parameters']) ?? ''));
  return [asked, streaming, parameters?.stream].includes(true) || readFirstToken(attributes) !== undefined;
}

/** Seconds until the first chunk of a stream. */
export function readFirstToken(attributes: Attributes): number | undefined {
  const ms = number(attributes, firstTokenMs);
  const seconds = number(attributes, firstTokenSeconds) ?? (ms === undefined ? undefined : ms / 1000);
  return seconds !== undefined && seconds >= 0 ? seconds : undefined;
}

export function readForeignRequest(work: ForeignWork & { type: 'llm' }, attributes: Attributes): LlmRequest {
  const vendor = text(attributes, vendorNames);
  const model = text(attributes, requestModels);
  return {
    provider: vendor ? shortProviderName(vendor) : 'unknown',
    model: model?.replace(/^models\//, ''),
    operation: work.operation,
    stream: work.stream,
    ...readAskedGuardrail(attributes),
  };
}

export function readForeignResponse(attributes: Attributes): LlmResponse {
  const model = text(attributes, responseModels);
  const reasons = attributes['gen_ai.response.finish_reasons'] ?? attributes['ai.response.finishReason'];
  const calls = readToolNames(attributes);
  return (
    present<LlmResponse>({
      id: text(attributes, replyIds),
      model: model?.replace(/^models\//, ''),
      finishReasons: [reasons].flat().filter((reason) => typeof reason === 'string'),
      usage: readForeignUsage(attributes),
      costUsd: readForeignCost(attributes),
      toolCalls: calls.length > 0 ? calls : undefined,
      guardrail: readForeignGuardrail(attributes),
      attributes: present({ 'edgespan.service_tier': text(attributes, serviceTiers) }),
    }) ?? {}
  );
}

function readForeignUsage(attributes: Attributes): LlmUsage | undefined {
  return present<LlmUsage>({
    input: count(attributes, usageNames.input),
    output: count(attributes, usageNames.output),
    total: count(attributes, usageNames.total),
    cacheRead: count(attributes, usageNames.cacheRead),
    cacheWrite: count(attributes, usageNames.cacheWrite),
    reasoning: count(attributes, usageNames.reasoning),
  });
}

/** US dollars, where the tracer has reckoned them. */
function readForeignCost(attributes: Attributes): number | undefined {
  const currency = asString(attributes['gen_ai.usage.cost.currency']) ?? 'USD';
  const amount = currency === 'USD' ? asNumber(attributes['gen_ai.usage.cost.amount']) : undefined;
  return amount ?? number(attributes, costs);
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
