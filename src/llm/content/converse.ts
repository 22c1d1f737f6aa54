import { asObject, asString, type Json } from '../../json.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  type ContentReader,
  generic,
  type Message,
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
    return [toolResponse(result.toolUseId, simplify(parts))];
  }
  const thought = asObject(block.reasoningContent);
  if (thought) return reasoning(asObject(thought.reasoningText)?.text);
  const guarded = asObject(asObject(block.guardContent)?.text);
  if (guarded) return text(guarded.text);
  if (block.cachePoint !== undefined) return [];
  const [kind] = Object.keys(block);
  return readMedia(block) ?? (kind === undefined ? [] : [generic(block, kind)]);
}

export function readConverse(body: Json): Message[] {
  return answer(readContent(asObject(asObject(body.output)?.message)?.content, readBlock), body.stopReason);
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
    },
    result() {
      const content = blocks.list().map(({ start, input, thought, ...block }) => {
        const use = asObject(asObject(start)?.toolUse);
        if (use) return { toolUse: { ...use, input } };
        return thought === undefined
          ? { ...asObject(start), ...block }
          : { reasoningContent: { reasoningText: { text: thought } } };
      });
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
