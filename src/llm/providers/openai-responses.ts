import { asArray, asObject, asString, type Json } from '../../json.ts';
import { fault, isMissing, readCount } from '../faults.ts';
import type { LlmResponse, LlmUsage, Reply, StreamReader } from '../provider.ts';
import { parseContentFilter } from './content-filter.ts';
import { type Dialect, parseResponseAttributes, readUsage } from './openai-dialect.ts';
import { maxItems, parseError, present } from './wire.ts';

type ToolCall = { id?: string; name: string };

function parseToolCall(value: unknown): ToolCall | undefined {
  const item = asObject(value);
  const name = asString(item?.name);
  if (!name || (item?.type !== 'function_call' && item?.type !== 'custom_tool_call')) return undefined;
  return present({ id: asString(item.call_id), name });
}

/** Searches are billed apart, one by one; opening a page that was found is not. Where the vendor counts them, it wins. */
function countSearches(body: Json, output: readonly unknown[]): number | undefined {
  const billed = readCount(asObject(asObject(body.tool_usage)?.web_search)?.num_requests);
  if (billed !== undefined) return billed;
  const searches = output.map(asObject).filter((item) => {
    const action = asString(asObject(item?.action)?.type);
    return item?.type === 'web_search_call' && (action ?? 'search') === 'search';
  });
  return searches.length || undefined;
}

/** A `response` object of the Responses API. */
export function parseResponses(json: unknown, dialect: Dialect = {}, reply?: Reply): LlmResponse {
  const body = asObject(json) ?? {};
  const output = asArray(body.output).slice(0, maxItems);
  const usage = readUsage(body, dialect);
  const extras = dialect.extras?.(body, reply);
  const status = asString(body.status);
  const running = status === 'in_progress' || status === 'queued';
  const reason = (status === 'incomplete' && asString(asObject(body.incomplete_details)?.reason)) || status;
  const toolCalls = output.map(parseToolCall).filter((call) => call !== undefined);
  const response =
    present<LlmResponse>({
      id: asString(body.id),
      model: asString(body.model),
      usage: usage && present<LlmUsage>({ webSearches: countSearches(body, output), ...usage }),
      finishReasons: reason && !running ? [reason] : undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      guardrail: parseContentFilter(body),
      costUsd: extras?.costUsd,
      attributes: present({ ...parseResponseAttributes(body), ...extras?.attributes }),
      error: extras?.error ?? parseError(body),
    }) ?? {};
  if (!response.error && !running && lacksFields(body, response)) fault();
  return response;
}

/** Whether something is missing that each response has; what is compacted is no response and has no status. */
function lacksFields({ object, status, output }: Json, response: LlmResponse): boolean {
  if (asString(status) === undefined) return object === 'response';
  if (status !== 'completed') return false;
  return !Array.isArray(output) || always.some((field) => isMissing(response, field));
}

const always = ['id', 'model', 'input', 'output'] as const;

/** Events of the Responses API; the last one carries the whole response. */
export function createResponsesReader(dialect?: Dialect, reply?: Reply): StreamReader {
  const calls = new Map<unknown, ToolCall>();
  let started: LlmResponse | undefined;
  let final: LlmResponse | undefined;
  let error: LlmResponse['error'];
  return {
    event({ type, json }) {
      const body = asObject(json);
      const name = type ?? asString(body?.type) ?? '';
      if (name.endsWith('.delta')) return 'content';
      error ??= parseError(body);
      if (name.startsWith('response.output_item.')) {
        const call = parseToolCall(body?.item);
        if (call && calls.size < maxItems) calls.set(body?.output_index ?? call.id, call);
      }
      const response = asObject(body?.response);
      if (!response) return;
      if (/^response\.(completed|failed|incomplete|done)$/.test(name)) {
        final = parseResponses(response, dialect, reply);
        return 'end';
      }
      started = { ...started, ...parseResponses(response, dialect, reply) };
    },
    matters: (_data, type) => !type?.endsWith('.delta'),
    result() {
      const toolCalls = final?.toolCalls ?? (calls.size > 0 ? [...calls.values()] : undefined);
      const finishReasons = final ? final.finishReasons : started && ['error'];
      return present({ ...started, ...final, finishReasons, toolCalls, error: error ?? final?.error }) ?? {};
    },
  };
}
