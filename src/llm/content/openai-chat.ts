import { asNumber, asObject, asString, type Json } from '../../json.ts';
import { BlobDigest } from './blob.ts';
import { type Blocks, createBlocks } from './blocks.ts';
import {
  answer,
  type ContentReader,
  file,
  generic,
  list,
  type Message,
  media,
  message,
  objects,
  type Part,
  prompt,
  type RequestContent,
  readContent,
  reasoning,
  simplify,
  text,
  tool,
  toolCall,
  toolResponse,
} from './message.ts';

/** A part of a content in OpenAI's words, or in those of vendors who took them over. */
export function readBlock(block: Json): Part[] {
  switch (block.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return text(block.text);
    case 'refusal':
      return text(block.refusal);
    case 'thinking':
      return readContent(block.thinking, readBlock).flatMap(({ content }) => reasoning(content));
    case 'image_url':
    case 'input_image':
    case 'computer_screenshot':
      return [
        ...media(asObject(block.image_url)?.url ?? block.image_url, undefined, 'image'),
        ...readFile(block, 'image'),
      ];
    case 'video_url':
      return media(asObject(block.video_url)?.url ?? block.video_url, undefined, 'video');
    case 'document_url':
      return media(block.document_url, undefined, 'document');
    case 'input_audio': {
      const audio = asObject(block.input_audio) ?? { data: block.input_audio };
      const format = asString(audio.format);
      return media(audio.data, format && `audio/${format}`, 'audio');
    }
    case 'file':
    case 'input_file':
      return readFile(asObject(block.file) ?? block);
    default:
      return [generic(block)];
  }
}

function readFile({ file_id, file_data, file_url }: Json, kind?: string): Part[] {
  return [...media(file_data, undefined, kind), ...media(file_url, undefined, kind), ...file(file_id, undefined, kind)];
}

function readCalls({ tool_calls, function_call }: Json): Part[] {
  const calls = objects(tool_calls).flatMap((call) => {
    const made = asObject(call.function) ?? asObject(call.custom) ?? call;
    return toolCall(call.id, made.name, made.arguments ?? made.input);
  });
  const old = asObject(function_call);
  return old ? [...calls, ...toolCall(undefined, old.name, old.arguments)] : calls;
}

function readAudio(value: unknown): Part[] {
  const audio = asObject(value);
  const [sound] = media(audio?.data, undefined, 'audio');
  const transcript = asString(audio?.transcript);
  // What was said before is named by its id alone.
  if (!sound) return transcript === undefined ? file(audio?.id, undefined, 'audio') : text(transcript);
  return [{ ...sound, ...(transcript !== undefined && { transcript }) }];
}

/** The parts of a message, reasoning first, as it came first. */
function readParts(given: Json): Part[] {
  return [
    ...reasoning(given.reasoning_content ?? given.reasoning),
    ...readContent(given.content, readBlock),
    ...text(given.refusal),
    ...readAudio(given.audio),
    ...readCalls(given),
  ];
}

function readChatMessage(given: Json): Message {
  const { role, name, tool_call_id } = given;
  if (role !== 'tool' && role !== 'function') return message(role, readParts(given), { name });
  const response = simplify(readContent(given.content, readBlock));
  return message('tool', [toolResponse(tool_call_id, response)], { name });
}

/** By their names; those of the vendor's own have only a type. */
export function readTools(tools: unknown): Part[] {
  return objects(tools).flatMap((one) =>
    tool(asObject(one.function)?.name ?? asObject(one.custom)?.name ?? one.name, one.type),
  );
}

/** A chat completion's or legacy completion's request. */
export function readChatRequest(body: Json): RequestContent {
  const messages = Array.isArray(body.messages)
    ? objects(body.messages).map(readChatMessage)
    : prompt(readContent(body.prompt, readBlock));
  return { ...(messages && { messages }), tools: readTools(body.tools ?? body.functions) };
}

/** A message a choice. */
export function readChoices(body: Json): Message[] {
  return objects(body.choices).flatMap((choice) => {
    const parts = [...text(choice.text), ...readParts(asObject(choice.message) ?? {})];
    return answer(parts, choice.finish_reason ?? choice.stop_reason);
  });
}

interface Choice {
  readonly texts: Blocks;
  readonly calls: Blocks;
  sound: BlobDigest | undefined;
  reason: unknown;
}

const textFields = ['content', 'reasoning_content', 'reasoning', 'refusal'];

/** Chunks of a chat completion or legacy completion. */
export function createChatContent(maxText: number): ContentReader {
  const choices = new Map<number, Choice>();

  function getChoice(index: number): Choice {
    const fresh = () => ({
      texts: createBlocks(maxText),
      calls: createBlocks(maxText),
      sound: undefined,
      reason: undefined,
    });
    const choice = choices.get(index) ?? fresh();
    if (choices.size < 128) choices.set(index, choice);
    return choice;
  }

  function addCalls({ calls }: Choice, delta: Json): void {
    const old = asObject(delta.function_call);
    const given = [...objects(delta.tool_calls), ...(old ? [{ function: old }] : [])] as Json[];
    given.forEach((call, position) => {
      const key = asNumber(call.index) ?? asString(call.id) ?? position;
      const made = asObject(call.function) ?? asObject(call.custom);
      const known = calls.get(key);
      known.id ??= asString(call.id);
      known.name ??= asString(made?.name);
      const args = made?.arguments ?? made?.input;
      // Some send them whole, as an object.
      if (asObject(args)) known.arguments = args;
      else calls.append(key, 'arguments', args);
    });
  }

  function add(choice: Choice, delta: Json): void {
    for (const field of textFields) choice.texts.append(0, field, delta[field]);
    for (const block of list(delta.content)) {
      for (const { type, content } of readContent(block, readBlock)) {
        choice.texts.append(0, type === 'reasoning' ? 'reasoning_content' : 'content', content);
      }
    }
    const audio = asObject(delta.audio);
    choice.texts.append(0, 'transcript', audio?.transcript);
    if (asString(audio?.data)) choice.sound = (choice.sound ?? new BlobDigest()).add(audio!.data as string);
    addCalls(choice, delta);
  }

  return {
    event({ json }) {
      objects(asObject(json)?.choices).forEach((item, position) => {
        const choice = getChoice(asNumber(item.index) ?? position);
        choice.reason = asString(item.finish_reason) ?? choice.reason;
        choice.texts.append(0, 'text', item.text);
        add(choice, asObject(item.delta) ?? asObject(item.message) ?? {});
      });
    },
    result() {
      const ordered = [...choices].sort(([a], [b]) => a - b).map(([, choice]) => choice);
      return readChoices({
        choices: ordered.map(({ texts, calls, sound, reason }) => {
          const { text, transcript, ...rest } = texts.get(0);
          const message = { ...rest, audio: { data: sound, transcript }, tool_calls: calls.list() };
          return { text, message, finish_reason: reason ?? 'error' };
        }),
      });
    },
  };
}
