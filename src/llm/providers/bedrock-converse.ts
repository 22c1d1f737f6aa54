import { asArray, asObject, asString, type Json } from '../../json.ts';
import { converseContent } from '../content/converse.ts';
import { readCount, readList, sumCounts } from '../faults.ts';
import type { LlmResponse, LlmUsage, Reply, StreamEvent, StreamReader } from '../provider.ts';
import { parseGuardrail } from './bedrock-guardrail.ts';
import { parseAwsError, withReply } from './bedrock-reply.ts';
import { parsePath, parseRequest } from './bedrock-request.ts';
import type { Format } from './format.ts';
import { mapResult, maxItems, present } from './wire.ts';

/** The part of the cache writes that lives for an hour. */
function countHourly(details: unknown): number | undefined {
  const counts = asArray(details)
    .map(asObject)
    .flatMap((detail) => (detail?.ttl === '1h' ? [readCount(detail.inputTokens)] : []));
  return counts.some((count) => count !== undefined)
    ? counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)
    : undefined;
}

/** The counts beside each other, as Bedrock gives them, as totals. */
export function sumUsage(fresh: unknown, cacheRead: unknown, cacheWrite: unknown): LlmUsage {
  const isKnown = readCount(fresh) !== undefined;
  const input = isKnown ? sumCounts([fresh, cacheRead, cacheWrite]) : undefined;
  return { input, cacheRead: readCount(cacheRead), cacheWrite: readCount(cacheWrite) };
}

/** Cache reads and writes stand beside the input; Nova calls them counts. */
function parseUsage(value: unknown): LlmUsage | undefined {
  const usage = asObject(value);
  if (!usage) return undefined;
  const read = usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount;
  const written = usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount;
  return present<LlmUsage>({
    ...sumUsage(usage.inputTokens, read, written),
    cacheWrite1h: countHourly(usage.cacheDetails),
    output: readCount(usage.outputTokens),
    total: readCount(usage.totalTokens),
  });
}

/** Tools of the application, not those that the model's host runs by itself. */
function parseToolCall(block: unknown): { id?: string; name: string }[] {
  const use = asObject(asObject(block)?.toolUse);
  const name = use?.type === 'server_tool_use' ? undefined : asString(use?.name);
  return name ? [present({ id: asString(use?.toolUseId), name })!] : [];
}

/** A prompt router names the model that it chose by its ARN. */
function readRouted(trace: unknown): string | undefined {
  return asString(asObject(asObject(trace)?.promptRouter)?.invokedModelId)?.replace(/^.*\//s, '');
}

/** Whether it is a reply of Converse, or of a model that answers in the same words. */
export function isConverse(value: unknown): value is Json {
  const body = asObject(value);
  return asObject(asObject(body?.output)?.message) !== undefined && typeof body?.stopReason === 'string';
}

/** A reply, whole; `missing` stands for a stop reason that never came. */
export function parseConverse(json: unknown, reply: Reply, missing?: string): LlmResponse {
  const body = asObject(json) ?? {};
  const error = parseAwsError(body, reply);
  const stopReason = asString(body.stopReason);
  const usage = parseUsage(body.usage);
  const message = asObject(asObject(body.output)?.message);
  const content = error ? [] : readList(message?.content).slice(0, maxItems);
  const toolCalls = content.flatMap(parseToolCall);
  const reason = stopReason ?? missing;
  const intervened = stopReason === 'guardrail_intervened';
  return (
    present<LlmResponse>({
      usage,
      finishReasons: reason ? [reason] : undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      guardrail: stopReason ? parseGuardrail(body.trace, intervened, reply.request.guardrail) : undefined,
      attributes: present({
        'edgespan.pricing.model': readRouted(body.trace),
        'edgespan.service_tier': asString(asObject(body.serviceTier)?.type),
      }),
      error,
    }) ?? {}
  );
}

/** A frame has its type beside it; what SDKs and Nova's own streams give is an object with the type as its one key. */
function readEvent({ type, json }: StreamEvent): [type: string | undefined, body: Json] {
  const event = asObject(json) ?? {};
  const name = type ?? Object.keys(event)[0];
  return [name, (type === undefined ? asObject(event[name ?? '']) : event) ?? {}];
}

function hasContent(value: unknown): boolean {
  const delta = asObject(value);
  const { text } = asObject(delta?.reasoningContent) ?? {};
  if (asObject(delta?.image)) return true;
  return [delta?.text, asObject(delta?.toolUse)?.input, text].some((part) => asString(part) !== undefined);
}

/** Rebuilds the reply that the unstreamed call would have given, without its texts. */
export function createConverseReader(reply: Reply): StreamReader {
  const content = new Map<unknown, Json>();
  let whole: Json = {};
  let started = false;

  return {
    event(event) {
      const [type, body] = readEvent(event);
      switch (type) {
        case 'messageStart':
          started = true;
          return;
        case 'contentBlockStart':
          if (content.size < maxItems) content.set(body.contentBlockIndex, asObject(body.start) ?? {});
          return;
        case 'contentBlockDelta':
          return hasContent(body.delta) ? 'content' : undefined;
        case 'messageStop':
          whole = { ...whole, stopReason: body.stopReason };
          return;
        case 'metadata':
          whole = { ...whole, usage: body.usage, trace: body.trace, serviceTier: body.serviceTier };
          return 'end';
        default:
          if (!parseAwsError(body, reply)) return;
          whole = { ...whole, __type: body.__type, message: body.message };
          return 'end';
      }
    },
    matters: (_data, type) => type !== 'contentBlockDelta',
    result(isWhole) {
      const output = { message: { content: [...content.values()] } };
      const isOpen = started && (!isWhole || whole.__type !== undefined);
      return parseConverse({ ...whole, output }, reply, isOpen ? 'error' : undefined);
    },
  };
}

/** Converse and ConverseStream, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export const converse: Format = {
  match: (pathname) => (/^converse/.test(parsePath(pathname)?.action ?? '') ? 'chat' : undefined),
  request: parseRequest,
  response: (json, reply) => withReply(parseConverse(json, reply), reply),
  stream: (reply) => mapResult(createConverseReader(reply), (response) => withReply(response, reply)),
  always: () => ['finishReasons', 'input', 'output'],
  content: converseContent,
  accepts: isConverse,
  acceptsItem: (item) => asObject(asObject(item)?.messageStart) !== undefined,
  toEvent: (json) => ({ json }),
};
