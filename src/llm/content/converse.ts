import { asObject, asString, type Json } from '../../json.ts';
import { BlobDigest, toBytes } from './blob.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  type ContentReader,
  generic,
  list,
  type Message,
  maxItems,
  media,
  message,
  objects,
  type Part,
  readContent,
  reasoning,
  serverCall,
  serverResponse,
  simplify,
  text,
  tool,
  toolCall,
  toolResponse,
} from './message.ts';

const kinds = ['image', 'video', 'audio', 'document'] as const;

/** A picture or document by its format: `png`, `pdf`. */
function readMedia(block: Json): Part[] | undefined {
  const kind = kinds.find((name) => asObject(block[name]));
  if (!kind) return undefined;
  const { format, source: given } = asObject(block[kind])!;
  const source = asObject(given) ?? {};
  const type = asString(format) && `${kind === 'document' ? 'application' : kind}/${String(format)}`;
  if (source.text !== undefined) return text(source.text);
  if (source.content !== undefined) return readContent(source.content, readBlock);
  return media(source.bytes ?? asObject(source.s3Location)?.uri, type, kind);
}

/** A block has its type as its key. */
function readBlock(block: Json): Part[] {
  if (block.text !== undefined) return text(block.text);
  const use = asObject(block.toolUse);
  if (use?.type === 'server_tool_use')
    return [serverCall(use.toolUseId, use.name, { type: use.type, arguments: use.input })];
  if (use) return toolCall(use.toolUseId, use.name, use.input);
  const result = asObject(block.toolResult);
  if (result) {
    const parts = readContent(result.content, readBlock);
    // The vendor's own tools say of what kind they are.
    if (asString(result.type)) return [serverResponse(result.toolUseId, { type: result.type, content: parts })];
    const [first] = parts;
    return [
      toolResponse(result.toolUseId, parts.length === 1 && first?.type === 'json' ? first.json : simplify(parts)),
    ];
  }
  const thought = asObject(block.reasoningContent);
  // Enciphered: there is nothing to read in it.
  if (thought?.redactedContent !== undefined) return [{ type: 'redacted_thinking' }];
  if (thought) return reasoning(asObject(thought.reasoningText)?.text);
  const guarded = asObject(block.guardContent);
  if (guarded) return readBlock({ ...guarded, ...asObject(guarded.text) });
  const cited = asObject(block.citationsContent);
  if (cited) return readContent(cited.content, readBlock);
  if (block.cachePoint !== undefined) return [];
  const [kind] = Object.keys(block);
  return readMedia(block) ?? (kind === undefined ? [] : [generic(block, kind)]);
}

function readConverse(body: Json): Message[] {
  return answer(readContent(asObject(asObject(body.output)?.message)?.content, readBlock), body.stopReason);
}

/** What of a piece is no text: a part of a picture, of what a tool of the vendor's answered, of enciphered thoughts. */
function addParts(block: Json, { image, toolResult, reasoningContent }: Json): void {
  const given = asObject(asObject(image)?.source)?.bytes;
  const bytes = toBytes(given) ?? asString(given);
  if (bytes) block.picture = ((block.picture as BlobDigest | undefined) ?? new BlobDigest()).add(bytes);
  const results = [...list(block.results), ...objects(toolResult)];
  if (results.length > 0) block.results = results.slice(0, maxItems);
  const secret = asObject(reasoningContent)?.redactedContent;
  if (secret !== undefined) block.reasoningContent = { redactedContent: '' };
}

/** A block as the unstreamed reply has it. */
function readStreamed({ start, input, thought, picture, results, ...block }: Json): Json {
  const { toolUse, image, toolResult } = asObject(start) ?? {};
  if (toolUse) return { toolUse: { ...asObject(toolUse), input } };
  if (toolResult) return { toolResult: { ...asObject(toolResult), content: results } };
  if (image ?? picture) return { image: { ...asObject(image), source: { bytes: picture } } };
  return thought === undefined ? block : { reasoningContent: { reasoningText: { text: thought } } };
}

/** A frame has its type beside it; what SDKs and Nova's own streams give is an object with the type as its one key. */
export function createConverseContent(maxText: number): ContentReader {
  const blocks = createBlocks(maxText);
  let started = false;
  let reason: unknown;
  return {
    event({ type, json }) {
      const event = asObject(json) ?? {};
      const name = type ?? Object.keys(event)[0] ?? '';
      const body = (type === undefined ? asObject(event[name]) : event) ?? {};
      started ||= name === 'messageStart';
      if (name === 'messageStop') reason = asString(body.stopReason) ?? reason;
      if (name === 'contentBlockStart') blocks.get(body.contentBlockIndex).start = asObject(body.start);
      if (name !== 'contentBlockDelta') return;
      const delta = asObject(body.delta) ?? {};
      blocks.append(body.contentBlockIndex, 'text', delta.text);
      blocks.append(body.contentBlockIndex, 'input', asObject(delta.toolUse)?.input);
      blocks.append(body.contentBlockIndex, 'thought', asObject(delta.reasoningContent)?.text);
      addParts(blocks.get(body.contentBlockIndex), delta);
    },
    result() {
      const content = blocks.list().map(readStreamed);
      return started ? readConverse({ output: { message: { content } }, stopReason: reason ?? 'error' }) : [];
    },
  };
}

/** Converse and ConverseStream, on the wire or as the SDK takes them. */
export const converseContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    const tools = objects(asObject(body.toolConfig)?.tools).flatMap((one) => {
      const [kind = ''] = Object.keys(one);
      if (kind === 'cachePoint') return [];
      return tool(asObject(one[kind])?.name, kind === 'toolSpec' ? undefined : kind);
    });
    return {
      messages: objects(body.messages).map((one) => message(one.role, readContent(one.content, readBlock))),
      system: readContent(body.system, readBlock),
      tools,
    };
  },
  response: (json) => readConverse(asObject(json) ?? {}),
  stream: createConverseContent,
};
