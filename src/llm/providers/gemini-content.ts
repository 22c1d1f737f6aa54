import { asArray, asNumber, asObject, asString, type Json } from '../../json.ts';
import { geminiContent } from '../content/gemini.ts';
import { fault } from '../faults.ts';
import { pick } from '../field-names.ts';
import type {
  LlmRequest,
  LlmResponse,
  LlmUsage,
  ProviderRequest,
  Reply,
  ReplyField,
  StreamReader,
} from '../provider.ts';
import { parseSafety } from './content-filter.ts';
import type { Format } from './format.ts';
import { describeRequest, parseAddress, parseConfig } from './gemini-address.ts';
import { countSearches, overlay, parseGoogleError, parseMetadata } from './gemini-usage.ts';
import { readBlockReason, readFinishReason, readTier } from './gemini-words.ts';
import { readAskedTier } from './tier.ts';
import { maxItems, present } from './wire.ts';

/** By the conventions' words: a content is what others call a chat. */
const operations: ReadonlyMap<string, string> = new Map([
  ['generateContent', 'generate_content'],
  ['streamGenerateContent', 'generate_content'],
  ['embedContent', 'embed'],
  ['batchEmbedContents', 'embed'],
  ['countTokens', 'count_tokens'],
]);

/** What of a part is content; a signature of thoughts alone is none. */
const contentFields = ['text', 'functionCall', 'inlineData', 'fileData', 'executableCode', 'codeExecutionResult'];

interface Candidate {
  finishReason?: string;
  calls: { id?: string; name: string }[];
}

/** Folds the chunks of one answer, or the whole of it as a single chunk: both give the same response. */
function createFold({ request, headers }: Reply, cloud: boolean) {
  let head: LlmResponse = {};
  let metadata: Json | undefined;
  let blockReason: string | undefined;
  const candidates = new Map<number, Candidate>();
  const queries = new Set<string>();

  function addCandidate(value: unknown, position: number): boolean {
    const item = asObject(value);
    const index = asNumber(item?.index) ?? position;
    const candidate = candidates.get(index) ?? { calls: [] };
    if (!item || (candidates.size >= maxItems && !candidates.has(index))) return false;
    candidates.set(index, candidate);
    candidate.finishReason = readFinishReason(item.finishReason, cloud) ?? candidate.finishReason;
    for (const query of asArray(asObject(item.groundingMetadata)?.webSearchQueries)) {
      if (asString(query) && queries.size < maxItems) queries.add(query as string);
    }
    const parts = asArray(asObject(item.content)?.parts).map(asObject);
    for (const part of parts) addCall(candidate, asObject(part?.functionCall));
    return parts.some((part) => contentFields.some((field) => part?.[field]));
  }

  /** A call whose arguments are streamed has its name in the first of its parts alone. */
  function addCall({ calls }: Candidate, call: Json | undefined): void {
    const name = asString(call?.name);
    if (name && calls.length < maxItems) calls.push(present({ id: asString(call?.id), name })!);
  }

  return {
    /** Whether the chunk carries content. */
    add(json: unknown): boolean {
      const body = asObject(json);
      if (!body) return false;
      metadata = overlay(metadata, body.usageMetadata);
      head = {
        ...head,
        ...present({
          id: asString(body.responseId),
          model: asString(body.modelVersion)?.replace(/^models\//, ''),
          error: head.error ?? parseGoogleError(body),
          guardrail: parseSafety(body, head.guardrail),
          attributes: present({ ...head.attributes, ...readDimensions(body) }),
        }),
      };
      blockReason = readBlockReason(asObject(body.promptFeedback)?.blockReason) ?? blockReason;
      return asArray(body.candidates).map(addCandidate).some(Boolean);
    },
    failed: () => head.error !== undefined,
    /** `missing` stands for the reason of a candidate that got none. */
    result(missing?: string): LlmResponse {
      const ordered = [...candidates].sort(([a], [b]) => a - b).map(([, candidate]) => candidate);
      const reasons = ordered.map(({ finishReason }) => finishReason ?? missing);
      const toolCalls = ordered.flatMap(({ calls }) => calls);
      if (ordered.length === 0 && blockReason) reasons.push(blockReason);
      const usage = metadata && parseMetadata(metadata);
      // A prompt that was blocked may not even be counted.
      if (usage?.input === undefined && ordered.some(({ finishReason }) => finishReason)) fault();
      const tier =
        asString(metadata?.serviceTier) ??
        readTier(metadata?.trafficType) ??
        asString(headers.get('x-gemini-service-tier'));
      return {
        ...head,
        ...present({
          usage:
            usage && present<LlmUsage>({ ...usage, webSearches: countSearches(queries, head.model ?? request.model) }),
          attributes: present({ ...head.attributes, 'edgespan.service_tier': tier }),
          finishReasons: reasons.some(Boolean) ? reasons.map((reason) => reason ?? 'error') : undefined,
          toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
        }),
      };
    },
  };
}

function readDimensions(body: Json) {
  const values = (asObject(body.embedding) ?? asObject(asArray(body.embeddings)[0]))?.values;
  return Array.isArray(values) && { 'gen_ai.embeddings.dimension.count': values.length };
}

function parseReply(json: unknown, reply: Reply, cloud: boolean): LlmResponse {
  const fold = createFold(reply, cloud);
  // A stream that is no server-sent events is a list of what the events would be; an error comes so too.
  for (const chunk of Array.isArray(json) ? json : [json]) fold.add(chunk);
  return fold.result();
}

function createReader(reply: Reply, cloud: boolean): StreamReader {
  const fold = createFold(reply, cloud);
  return {
    event({ json }) {
      const filled = fold.add(json);
      // SDKs throw at an error, and leave the rest of the stream as it is.
      if (fold.failed()) return 'end';
      return filled ? 'content' : undefined;
    },
    // They have no terminator: where none is named, the stream was cut.
    result: () => fold.result('error'),
  };
}

function parseRequest({ url, body }: ProviderRequest): Partial<LlmRequest> {
  const address = parseAddress(url.pathname);
  const request = asObject(body);
  const embedding = asObject(pick(request, 'embedContentConfig')) ?? request;
  const dimensions = asNumber(pick(embedding, 'outputDimensionality'));
  return describeRequest(address?.model, address?.method === 'streamGenerateContent', {
    ...parseConfig(pick(request, 'generationConfig')),
    ...(dimensions !== undefined && { 'gen_ai.embeddings.dimension.count': dimensions }),
    ...readAskedTier({ service_tier: pick(request, 'serviceTier') }),
  });
}

/** Whether a value that an SDK returned has the shape of one of the API's replies. */
function isReply(value: Json): boolean {
  const candidate = asObject(asArray(value.candidates)[0]);
  const embedding = asObject(value.embedding) ?? asObject(asArray(value.embeddings)[0]);
  return (
    (candidate !== undefined && (asObject(candidate.content) ?? asString(candidate.finishReason)) !== undefined) ||
    asString(asObject(value.promptFeedback)?.blockReason) !== undefined ||
    (Array.isArray(embedding?.values) && embedding.statistics === undefined)
  );
}

/** What Google's cloud says in its replies and the Gemini API does not. */
function isCloudReply({ createTime, usageMetadata }: Json): boolean {
  return (asString(createTime) ?? asString(asObject(usageMetadata)?.trafficType)) !== undefined;
}

const always: readonly ReplyField[] = ['id', 'model', 'finishReasons'];

/**
 * Gemini's own API: content, streamed as server-sent events or as one JSON list, embeddings, token counts. Google's
 * `cloud` serves it too: there an address has the model's publisher, or an endpoint, and replies say more.
 * https://ai.google.dev/api/generate-content
 */
/* @__NO_SIDE_EFFECTS__ */
export function createGeminiContent(cloud: boolean): Format {
  function accepts(value: unknown): boolean {
    const reply = asObject(value);
    return reply !== undefined && isReply(reply) && isCloudReply(reply) === cloud;
  }

  return {
    anywhere: true,
    match(pathname) {
      const address = parseAddress(pathname);
      const isCloud = address?.publisher !== undefined || address?.resource === 'endpoints';
      return address && isCloud === cloud ? operations.get(address.method) : undefined;
    },
    request: parseRequest,
    response: (json, reply) => parseReply(json, reply, cloud),
    stream: (reply) => createReader(reply, cloud),
    always: (operation) => (operation === 'generate_content' ? always : []),
    content: geminiContent,
    accepts,
    acceptsItem: accepts,
  };
}
