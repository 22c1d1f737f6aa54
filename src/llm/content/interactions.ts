import { asObject, asString, type Json } from '../../json.ts';
import { createBlocks } from './blocks.ts';
import {
  answer,
  type ContentFormat,
  file,
  generic,
  type Message,
  media,
  message,
  objects,
  type Part,
  prompt,
  readContent,
  reasoning,
  serverCall,
  serverResponse,
  text,
  tool,
  toolCall,
  toolResponse,
} from './message.ts';

const mediaTypes = /^(image|audio|video|document)$/;

/** A piece of content, or a step with content or a call in it. */
function readStep(step: Json): Part[] {
  const type = asString(step.type) ?? '';
  if (type === 'text') return text(step.text);
  if (type === 'thought') return readContent(step.summary, readStep).flatMap(({ content }) => reasoning(content));
  if (type === 'function_call') return toolCall(step.id, step.name, step.arguments);
  if (type === 'function_result') return [toolResponse(step.call_id, step.result)];
  if (mediaTypes.test(type)) {
    return [...media(step.data ?? step.uri, step.mime_type, type), ...file(step.file_id, step.mime_type, type)];
  }
  if (step.content !== undefined) return readContent(step.content, readStep);
  if (type.endsWith('_call')) return [serverCall(step.id, type, { ...step, type })];
  return type.endsWith('_result') ? [serverResponse(step.call_id, { ...step, type })] : [generic(step)];
}

/** A text, content of one turn, or the steps of several. */
function readInput(input: unknown): readonly Message[] | undefined {
  const steps = objects(input);
  const isTurns = steps.some(
    ({ role, type }) => role !== undefined || /_(input|output|call|result)$/.test(String(type)),
  );
  if (!isTurns) return prompt(readContent(input, readStep));
  return steps.map((step) => message(step.role ?? roleOf(step.type), readStep(step)));
}

function roleOf(type: unknown): string {
  if (type === 'user_input') return 'user';
  return type === 'function_result' ? 'tool' : 'assistant';
}

function readInteraction(body: Json, missing?: string): Message[] {
  const { status } = body;
  const isRunning = status === 'in_progress' || status === 'queued';
  return answer(objects(body.steps).flatMap(readStep), isRunning ? missing : (status ?? missing));
}

/** Google's Interactions API. */
export const interactionsContent: ContentFormat = {
  request(given) {
    const body = asObject(given) ?? {};
    const messages = readInput(body.input);
    return {
      ...(messages && { messages }),
      system: text(body.system_instruction),
      tools: objects(body.tools).flatMap(({ name, type }) => tool(name, type)),
    };
  },
  response: (json) => readInteraction(asObject(Array.isArray(json) ? json[0] : json) ?? {}),
  stream(maxText) {
    const steps = createBlocks(maxText);
    let status: unknown;
    let started = false;
    return {
      event({ type, json }) {
        const body = asObject(json) ?? {};
        const name = type ?? body.event_type;
        const delta = asObject(body.delta) ?? {};
        started ||= name === 'interaction.created';
        status = asString(asObject(body.interaction)?.status) ?? asString(body.status) ?? status;
        if (name === 'step.start') {
          // Its arguments and texts come in pieces.
          const { arguments: _arguments, ...step } = asObject(body.step) ?? {};
          Object.assign(steps.get(body.index), step);
        } else if (name === 'step.delta') {
          steps.append(body.index, delta.type === 'thought_summary' ? 'thought' : 'said', delta.text);
          steps.append(body.index, 'thought', asObject(delta.content)?.text);
          steps.append(body.index, 'json', delta.arguments);
        }
      },
      result() {
        const whole = steps.list().map(({ said, thought, json, ...step }) => ({
          ...step,
          ...(said !== undefined && { content: said }),
          ...(thought !== undefined && { summary: thought }),
          ...(json !== undefined && { arguments: json }),
        }));
        return started ? readInteraction({ status, steps: whole }, 'error') : [];
      },
    };
  },
};
