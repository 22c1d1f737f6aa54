import { asArray, asObject, asString, type Json } from '../../json.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  generic,
  type Message,
  maxItems,
  media,
  message,
  objects,
  type Part,
  readContent,
  reasoning,
  serverCall,
  text,
  tool,
  toolCall,
  toolResponse,
} from './message.ts';

/** A part of a message, a result, or the model's own specification; older versions have other names for the same. */
function readPart(part: Json): Part[] {
  switch (part.type) {
    case 'text':
      return text(part.text);
    case 'reasoning':
      return reasoning(part.text);
    case 'tool-call':
      return readCall(part);
    case 'tool-result':
      return [toolResponse(part.toolCallId, readOutput(part))];
    case 'image':
      return media(readData(part.image), part.mediaType ?? part.mimeType, 'image');
    case 'file': {
      const generated = asObject(part.file);
      const { data, mediaType, mimeType } = generated ?? part;
      return media(readData(generated?.base64 ?? data), generated?.mediaType ?? mediaType ?? mimeType);
    }
    default:
      return [generic(part)];
  }
}

function readCall({ toolCallId, toolName, input, args, providerExecuted }: Json): Part[] {
  const given = input ?? args;
  if (providerExecuted !== true) return toolCall(toolCallId, toolName, given);
  return [serverCall(toolCallId, toolName, { type: toolName, arguments: given })];
}

/** `{ type: 'text', value }`, or what older versions call the result. */
function readOutput({ output, result }: Json): unknown {
  const typed = asObject(output);
  return typed && 'value' in typed ? typed.value : (output ?? result);
}

/** Bytes, their base64, or an address. */
function readData(value: unknown): unknown {
  if (value instanceof URL) return value.href;
  const tagged = asObject(value);
  if (!tagged || !('type' in tagged)) return value;
  return readData(tagged.data ?? tagged.url);
}

/** What the parts of others are never called; a text is one everywhere. */
const ownTypes = new Set(['tool-call', 'tool-result', 'image', 'file', 'reasoning']);

function isOwn(given: Json): boolean {
  return objects(given.content).some(
    ({ type, image, data, text: said, toolName }) =>
      ownTypes.has(String(type)) && [image, data, said, toolName].some((field) => field !== undefined),
  );
}

function readMessage(given: Json): Message {
  return message(given.role, readContent(given.content, readPart));
}

/** A step, or a result that has but one. */
function readStep(step: Json): Message[] {
  const parts = Array.isArray(step.content)
    ? objects(step.content)
    : [{ type: 'text', text: step.text }, ...objects(step.toolCalls).map((call) => ({ ...call, type: 'tool-call' }))];
  const made = step.object === undefined ? [] : text(JSON.stringify(step.object));
  return answer([...parts.flatMap(readPart), ...made], readReason(step.finishReason));
}

function readReason(value: unknown): string | undefined {
  return asString(value) ?? asString(asObject(value)?.unified);
}

/** What goes into functions of the AI SDK and its models, and comes out of them. https://ai-sdk.dev/docs/reference */
export const aiSdkContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    const messages = objects(body.messages ?? body.prompt);
    if (!messages.some(isOwn)) return {};
    const tools = Object.keys(asObject(body.tools) ?? {}).flatMap((name) => tool(name));
    return { messages: messages.map(readMessage), system: text(body.system ?? body.instructions), tools };
  },
  response(value) {
    const result = asObject(value) ?? {};
    const steps = asArray(result.steps).slice(0, maxItems).map(asObject);
    return (steps.length > 0 ? steps : [result]).flatMap((step) => readStep(step ?? {}));
  },
  stream(maxText) {
    const blocks = createBlocks(maxText);
    const messages: Message[] = [];

    function end(reason: string | undefined): void {
      const parts = blocks.list().flatMap(readPart);
      blocks.clear();
      if (parts.length > 0 && messages.length < maxItems) messages.push(...answer(parts, reason));
    }

    return {
      event({ json }) {
        const outer = asObject(json);
        const part = asObject(outer?.part) ?? outer;
        const type = asString(part?.type) ?? '';
        if (!part) return;
        const kind = /^(text|reasoning)-delta$/.exec(type)?.[1];
        if (kind) {
          const key = `${kind} ${asString(part.id)}`;
          blocks.get(key).type = kind;
          blocks.append(key, 'text', part.text ?? part.delta ?? part.textDelta);
        } else if (type === 'tool-call') Object.assign(blocks.get(`call ${asString(part.toolCallId)}`), part);
        else if (/^(finish-step|step-finish|finish)$/.test(type)) end(readReason(part.finishReason));
      },
      result() {
        end('error');
        return messages;
      },
    };
  },
};
