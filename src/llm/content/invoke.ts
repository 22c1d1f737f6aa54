import { asArray, asObject, asString, type Json, parseJson } from '../../json.ts';
import { anthropicContent } from './anthropic.ts';
import { toBytes } from './blob.ts';
import { createBlocks } from './blocks.ts';
import { cohereContent } from './cohere.ts';
import { converseContent, createConverseContent } from './converse.ts';
import {
  answer,
  type ContentFormat,
  type ContentReader,
  known,
  type Message,
  objects,
  prompt,
  text,
  toolCall,
} from './message.ts';
import { openaiContent } from './openai.ts';
import { createChatContent } from './openai-chat.ts';

/** Bytes that an SDK has, or will have, or the base64 of them: JSON in any case. */
function readJson(value: unknown): unknown {
  const bytes = toBytes(value);
  if (bytes) return parseJson(new TextDecoder().decode(bytes));
  if (typeof value !== 'string') return value;
  try {
    return parseJson(new TextDecoder().decode(Uint8Array.from(atob(value), (char) => char.charCodeAt(0))));
  } catch {
    return undefined;
  }
}

/** Whose words a request is in. */
function formatOf(body: Json): ContentFormat | undefined {
  if (asString(body.message) !== undefined) return cohereContent;
  if (!Array.isArray(body.messages)) return undefined;
  if (body.anthropic_version !== undefined) return anthropicContent;
  const blocks = objects(body.messages).flatMap(({ content }) => objects(content));
  if (body.schemaVersion !== undefined || body.inferenceConfig !== undefined) return converseContent;
  return blocks.length > 0 && blocks.every(({ type }) => type === undefined) ? converseContent : openaiContent;
}

const textFields = ['generation', 'outputText', 'completion', 'text'] as const;

/** Answers of a body: of Titan `results`, Mistral `outputs`, Cohere `generations`, AI21 `completions`, else itself. */
function listItems(body: Json): readonly Json[] {
  const items = [body.results, body.outputs, body.generations, body.completions].find(Array.isArray);
  return items ? objects(items) : [body];
}

function readReason(item: Json): unknown {
  const { stop_reason, completionReason, finish_reason, finishReason, response } = item;
  const places = [stop_reason, completionReason, finish_reason, asObject(finishReason)?.reason];
  return [...places, asObject(response)?.finish_reason].find((reason) => asString(reason));
}

function readText(item: Json): string | undefined {
  return textFields.map((field) => asString(item[field]) ?? asString(asObject(item.data)?.[field])).find(Boolean);
}

function readOwn(body: Json): Message[] {
  const calls = objects(body.tool_calls).flatMap(({ id, name, parameters }) => toolCall(id, name, parameters));
  return listItems(body).flatMap((item) => {
    const reason = readReason(item);
    return answer([...text(readText(item)), ...(item === body ? calls : [])], reason);
  });
}

function readBody(body: Json): readonly Message[] {
  if (body.type === 'message') return anthropicContent.response(body);
  if (asObject(asObject(body.output)?.message)) return converseContent.response(body);
  return Array.isArray(body.choices) ? openaiContent.response(body) : readOwn(body);
}

/** Chunks of a model that has words of its own. */
function createOwnContent(maxText: number): ContentReader {
  const items = createBlocks(maxText);
  return {
    event({ json }) {
      listItems(asObject(json) ?? {}).forEach((item, position) => {
        const key = item.index ?? position;
        items.append(key, 'text', readText(item));
        const known = items.get(key);
        known.finish_reason = readReason(item) ?? known.finish_reason;
      });
    },
    result: () => readOwn({ results: items.list().map((item) => ({ finish_reason: 'error', ...known(item) })) }),
  };
}

function createVendorContent(chunk: Json, maxText: number): ContentReader {
  if (/^(message_|content_block_|ping$)/.test(asString(chunk.type) ?? '')) return anthropicContent.stream(maxText);
  if (/^(messageSt|contentBlock|metadata)/.test(Object.keys(chunk)[0] ?? '')) return createConverseContent(maxText);
  return Array.isArray(chunk.choices) ? createChatContent(maxText) : createOwnContent(maxText);
}

/** What a model of Bedrock's is asked by InvokeModel, each vendor's in its own words. */
export const invokeContent: ContentFormat = {
  request(given) {
    const outer = asObject(given) ?? {};
    // The SDK takes it beside the model's id.
    const body = asObject(outer.modelId === undefined ? outer : readJson(readText(outer) ?? outer.body)) ?? {};
    const format = formatOf(body);
    if (format) return format.request(body);
    const texts = [body.inputText, body.prompt, ...asArray(body.texts)];
    const messages = prompt(texts.flatMap((one) => text(one)));
    return messages ? { messages } : {};
  },
  response(json) {
    const outer = asObject(json) ?? {};
    const body = asObject(toBytes(outer.body) ? readJson(outer.body) : outer);
    return body ? readBody(body) : [];
  },
  stream(maxText) {
    let reader: ContentReader | undefined;
    return {
      event({ type, json }) {
        const event = asObject(json) ?? {};
        const { bytes } = (type === undefined ? asObject(event.chunk) : event) ?? {};
        const chunk = asObject(readJson(bytes));
        if (!chunk) return;
        reader ??= createVendorContent(chunk, maxText);
        reader.event({ json: chunk });
      },
      result: () => reader?.result() ?? [],
    };
  },
};
