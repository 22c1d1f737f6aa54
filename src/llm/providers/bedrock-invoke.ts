import { asObject, asString, type Json, parseJson } from '../../json.ts';
import { invokeContent } from '../content/invoke.ts';
import { fault, readCount } from '../faults.ts';
import type { LlmResponse, LlmUsage, Operation, Reply, StreamReader } from '../provider.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { createConverseReader, isConverse, parseConverse, sumUsage } from './bedrock-converse.ts';
import { parseGuardrail } from './bedrock-guardrail.ts';
import { createBodyFold } from './bedrock-invoke-bodies.ts';
import { parseAwsError, withReply } from './bedrock-reply.ts';
import { parsePath, parseRequest } from './bedrock-request.ts';
import type { Format } from './format.ts';
import { present } from './wire.ts';

const metricsField = 'amazon-bedrock-invocationMetrics';
const actionField = 'amazon-bedrock-guardrailAction';
const traceField = 'amazon-bedrock-trace';

/** The path is the same for all; the models' ids tell. */
function readOperation(model: string): Operation {
  if (/embed/i.test(model)) return 'embed';
  if (/rerank/i.test(model)) return 'rerank';
  return /(^|[./])stability\.|titan-image|nova-(canvas|reel)/i.test(model) ? 'image_generation' : 'chat';
}

/** Bytes that an SDK has taken from their JSON, or their base64 as it is on the wire. */
function readBytes(value: unknown): unknown {
  const text = new TextDecoder();
  if (value instanceof Uint8Array) return parseJson(text.decode(value));
  const base64 = asString(value);
  if (base64 === undefined) return undefined;
  return parseJson(text.decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))));
}

/** What AWS counts beside the model, by the names of its fields. The input is without what the cache took. */
function readAwsUsage(read: (name: string) => unknown, names: readonly string[]): LlmUsage | undefined {
  const [input, cacheRead, cacheWrite, output] = names.map(read);
  return present<LlmUsage>({ ...sumUsage(input, cacheRead, cacheWrite), output: readCount(output) });
}

const headerNames = ['input', 'cache-read-input', 'cache-write-input', 'output'];
const metricNames = ['inputTokenCount', 'cacheReadInputTokenCount', 'cacheWriteInputTokenCount', 'outputTokenCount'];

/** Every model's reply has these headers, whoever is its vendor. */
function readHeaders({ headers }: Reply): LlmUsage | undefined {
  return readAwsUsage((name) => {
    const count = headers.get(`x-amzn-bedrock-${name}-token-count`);
    return count !== null && /^\d+$/.test(count) ? Number(count) : count;
  }, headerNames);
}

/** Where the model's own usage, which says more, has no input, all that AWS counted stands in. */
function mergeUsage(own: LlmUsage | undefined, aws: LlmUsage | undefined): LlmUsage | undefined {
  if (own?.input === undefined) return present<LlmUsage>({ ...own, ...aws });
  return present<LlmUsage>({ ...own, output: own.output ?? aws?.output });
}

/** What a body or the chunks of one say beside the model's words. */
interface AwsPart {
  usage?: LlmUsage | undefined;
  action?: string | undefined;
  trace?: unknown;
}

/** What a guardrail has put in the place of a text, no model has finished: Converse has a reason of its own for it. */
function addAws(own: LlmResponse, { usage, action, trace }: AwsPart, reply: Reply): LlmResponse {
  const { usage: ownUsage, finishReasons, ...rest } = own;
  const intervened = action === 'INTERVENED';
  const merged = mergeUsage(ownUsage, usage);
  const guardrail = action ? parseGuardrail(trace, intervened, reply.request.guardrail) : own.guardrail;
  return withReply(
    {
      ...rest,
      ...(merged && { usage: merged }),
      ...(finishReasons && !intervened && { finishReasons }),
      ...(guardrail && { guardrail }),
    },
    reply,
  );
}

/** A body in the words of its vendor. */
function parseBody(body: Json, reply: Reply): LlmResponse {
  if (anthropicMessages.accepts?.(body)) return anthropicMessages.response(body, reply);
  if (isConverse(body)) return parseConverse(body, reply);
  const fold = createBodyFold();
  fold.add(body);
  return fold.result();
}

/** What AWS counts of every model; a value that an SDK returned comes without the headers. */
function checkUsage({ usage }: LlmResponse, { url, request }: Reply): void {
  const counted = /^(chat|embed)$/.test(readOperation(request.model ?? ''));
  if (url && counted && usage?.input === undefined) fault();
}

function parseInvoke(json: unknown, reply: Reply): LlmResponse {
  const value = asObject(json);
  const body = asObject(value?.body instanceof Uint8Array ? readBytes(value.body) : value) ?? {};
  const error = parseAwsError(body, reply);
  if (error) return withReply({ error }, reply);
  const aws = { usage: readHeaders(reply), action: asString(body[actionField]), trace: body[traceField] };
  const response = addAws(parseBody(body, reply), aws, reply);
  checkUsage(response, reply);
  return response;
}

/** The reader for a vendor's chunks, by the first of them. */
function createVendorReader(chunk: Json, reply: Reply): StreamReader {
  if (/^(message_|content_block_|ping$|error$)/.test(asString(chunk.type) ?? '')) {
    return anthropicMessages.stream!(reply);
  }
  if (/^(messageSt|contentBlock|metadata)/.test(Object.keys(chunk)[0] ?? '')) return createConverseReader(reply);
  const fold = createBodyFold();
  return {
    event: ({ json }) => (fold.add(json as Json) ? 'content' : undefined),
    result: (isWhole) => fold.result(isWhole ? undefined : 'error'),
  };
}

/** A text of Claude's: base64 of `{"type":"content_block_delta",`. */
const claudeText = '"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIs';

/** Frames whose payload is base64 of the vendor's own event; the last one also has what AWS counted. */
function createInvokeReader(reply: Reply): StreamReader {
  let reader: StreamReader | undefined;
  let aws: AwsPart = {};
  let error: LlmResponse['error'];
  let hasContent = false;
  let measured = false;

  function readAws(chunk: Json): void {
    const metrics = asObject(chunk[metricsField]);
    measured ||= metrics !== undefined;
    if (metrics) aws.usage = readAwsUsage((name) => metrics[name], metricNames);
    const action = asString(chunk[actionField]);
    if (aws.action !== 'INTERVENED' && action) aws = { ...aws, action };
    if (asObject(chunk[traceField])) aws.trace = chunk[traceField];
  }

  function add(chunk: Json) {
    readAws(chunk);
    const own = Object.fromEntries(Object.entries(chunk).filter(([name]) => !name.startsWith('amazon-bedrock-')));
    reader ??= createVendorReader(own, reply);
    const outcome = reader.event({ json: own });
    const isFirst = outcome === 'content' && !hasContent;
    hasContent ||= isFirst;
    return chunk[metricsField] !== undefined && !isFirst ? 'end' : outcome;
  }

  return {
    event({ type, json }) {
      const event = asObject(json) ?? {};
      const failure = parseAwsError(event, reply);
      error ??= failure;
      if (failure) return 'end';
      if (type !== undefined && type !== 'chunk') return;
      const { bytes } = (type === undefined ? asObject(event.chunk) : event) ?? {};
      const chunk = asObject(readBytes(bytes));
      return chunk ? add(chunk) : fault();
    },
    // What a guardrail did may stand in any of them.
    matters: (data) => reply.request.guardrail !== undefined || !data.includes(claudeText),
    result(isWhole) {
      const response = addAws(reader?.result(isWhole && !error) ?? {}, aws, reply);
      if (measured) checkUsage(response, reply);
      return { ...response, ...(error && { error }) };
    },
  };
}

/** The models' own APIs, https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html */
export const invoke: Format = {
  match(pathname) {
    const { action = '', model = '' } = parsePath(pathname) ?? {};
    return action.startsWith('invoke') ? readOperation(model) : undefined;
  },
  request: parseRequest,
  response: parseInvoke,
  stream: createInvokeReader,
  content: invokeContent,
  accepts(value) {
    const output = asObject(value);
    return output?.body instanceof Uint8Array && asObject(output.$metadata) !== undefined;
  },
  acceptsItem: (item) => asObject(asObject(item)?.chunk)?.bytes instanceof Uint8Array,
  toEvent: (json) => ({ json }),
};
