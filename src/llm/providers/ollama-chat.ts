import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { ollamaContent } from '../content/ollama.ts';
import { fault, readCount } from '../faults.ts';
import type {
  LlmRequest,
  LlmResponse,
  LlmUsage,
  Operation,
  ProviderRequest,
  Reply,
  ReplyField,
  StreamReader,
} from '../provider.ts';
import type { Format } from './format.ts';
import { readOutputType, readParameters, readStops } from './parameters.ts';
import { maxItems, parseError, present } from './wire.ts';

const durations = ['total', 'load', 'prompt_eval', 'eval'];

/** Nanoseconds on the wire. */
function parseDurations(body: Json): Attributes | undefined {
  const seconds = durations.map((name) => {
    const value = asNumber(body[`${name}_duration`]);
    return [`edgespan.ollama.${name}_seconds`, value === undefined ? undefined : value / 1e9] as const;
  });
  return present(Object.fromEntries(seconds));
}

function parseToolCalls(message: Json | undefined): { id?: string; name: string }[] {
  return asArray(message?.tool_calls).flatMap((value) => {
    const call = asObject(value);
    const name = asString(asObject(call?.function)?.name);
    return name ? [present({ id: asString(call?.id), name })!] : [];
  });
}

/** A model that a server at home hands on to the cloud, whatever its name here, by the name that prices know. */
function findRemote({ remote_model: model, remote_host: host }: Json): string | undefined {
  return asString(model) && /\bollama\.com\b/.test(String(host)) ? `${model}-cloud` : undefined;
}

/** Errors are a text and nothing else. */
function parseFailure(body: Json, status: number): LlmResponse['error'] {
  const error = parseError(body);
  return error && status >= 400 ? { ...error, type: String(status) } : error;
}

/** A chat, a completion, embeddings or an error; `missing` stands for an end that never came. */
function parseReply(json: unknown, status: number, missing?: string): LlmResponse {
  const body = asObject(json) ?? {};
  const error = parseFailure(body, status);
  const toolCalls = parseToolCalls(asObject(body.message)).slice(0, maxItems);
  const reason = asString(body.done_reason) ?? (body.done === true ? undefined : missing);
  // The prompt's count is left out where the prompt was cached.
  const usage = present<LlmUsage>({ input: readCount(body.prompt_eval_count), output: readCount(body.eval_count) });
  const generated = body.done_reason === 'stop' || body.done_reason === 'length';
  const isSaid = body.done !== true || asObject(body.message) !== undefined || typeof body.response === 'string';
  // A picture is neither said nor counted.
  if (!error && !asString(body.image) && (!isSaid || (generated && usage?.output === undefined))) fault();
  const vector = asArray(body.embeddings)[0] ?? body.embedding;
  return (
    present<LlmResponse>({
      model: asString(body.model),
      usage,
      finishReasons: reason ? [reason] : undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      attributes: present({
        ...parseDurations(body),
        'edgespan.pricing.model': findRemote(body),
        'gen_ai.embeddings.dimension.count': Array.isArray(vector) ? vector.length : undefined,
      }),
      error,
    }) ?? {}
  );
}

/** Whether a line carries a part of the answer. */
function hasContent(body: Json | undefined): boolean {
  const message = asObject(body?.message);
  const texts = [body?.response, body?.thinking, message?.content, message?.thinking];
  return texts.some(asString) || asArray(message?.tool_calls).length > 0;
}

/** Every line is a reply of its own; the last one has the counts. */
function createReader({ status }: Pick<Reply, 'status'>): StreamReader {
  const calls: unknown[] = [];
  let last: Json | undefined;
  let error: unknown;
  return {
    event({ json }) {
      const body = asObject(json);
      if (!body) return;
      if (body.error !== undefined) {
        // Nothing comes after it, and the SDK reads no further.
        error = body.error;
        return 'end';
      }
      last = body;
      for (const call of asArray(asObject(body.message)?.tool_calls)) if (calls.length < maxItems) calls.push(call);
      if (body.done === true) return 'end';
      return hasContent(body) ? 'content' : undefined;
    },
    matters: (data) => !data.endsWith('"done":false}') || data.includes('"tool_calls"'),
    result() {
      if (!last) return error === undefined ? {} : parseReply({ error }, status);
      const whole = { ...last, message: { tool_calls: calls }, ...(error !== undefined && { error }) };
      return parseReply(whole, status, 'error');
    },
  };
}

const numbers = {
  temperature: 'temperature',
  top_p: 'top_p',
  top_k: 'top_k',
  seed: 'seed',
  frequency_penalty: 'frequency_penalty',
  presence_penalty: 'presence_penalty',
};

/** The older way to embed answers a vector and no more. */
function listAlways(operation: Operation, { url }: Reply): readonly ReplyField[] {
  if (operation !== 'embed') return ['model', 'finishReasons'];
  return url?.pathname.endsWith('/embeddings') ? [] : ['model'];
}

/** https://docs.ollama.com/api: chats and completions stream unless they are told not to. */
function parseRequest({ url, body }: ProviderRequest): Partial<LlmRequest> {
  const request = asObject(body) ?? {};
  const options = asObject(request.options) ?? {};
  const parameters: Attributes = {
    ...readParameters(options, numbers),
    ...readStops(options.stop),
    // It is `json`, or a schema.
    ...readOutputType(request.format && 'json'),
  };
  const stream = /\/(chat|generate)\/?$/.test(url.pathname) && request.stream !== false;
  if (stream) parameters['gen_ai.request.stream'] = true;
  // Below 0 it means "without an end".
  const maxTokens = asNumber(options.num_predict);
  const limited = maxTokens !== undefined && maxTokens > 0;
  if (limited) parameters['gen_ai.request.max_tokens'] = maxTokens;
  const level = asString(request.think);
  if (level) parameters['gen_ai.request.reasoning.level'] = level;
  const dimensions = asNumber(request.dimensions);
  if (dimensions !== undefined) parameters['gen_ai.embeddings.dimension.count'] = dimensions;
  return { model: asString(request.model), stream, ...(limited && { maxTokens }), parameters };
}

const operations: Readonly<Record<string, string>> = {
  chat: 'chat',
  generate: 'text_completion',
  embed: 'embed',
  embeddings: 'embed',
};

/** A whole answer, or a line of one. */
function isAnswer(body: Json | undefined): boolean {
  if (typeof body?.done !== 'boolean' || asString(body.model) === undefined) return false;
  return asObject(body.message) !== undefined || typeof body.response === 'string';
}

/** Ollama's own API, streamed as lines of JSON or not. */
export const ollamaChat: Format = {
  match(pathname) {
    const path = /\/api\/(chat|generate|embed|embeddings)\/?$/.exec(pathname)?.[1];
    return path && operations[path];
  },
  request: parseRequest,
  response: (json, { status }) => parseReply(json, status),
  stream: createReader,
  always: listAlways,
  content: ollamaContent,
  accepts(value) {
    const body = asObject(value);
    if (Array.isArray(body?.embeddings)) return asString(body.model) !== undefined && body.total_duration !== undefined;
    return isAnswer(body);
  },
  acceptsItem: (item) => isAnswer(asObject(item)),
};
