import type { Attributes } from '@opentelemetry/api';
import type { Environment } from '../../environment.ts';
import { parseJson } from '../../json.ts';
import { clean, heldLength, type Redact } from './clean.ts';
import type { Fitted } from './fit.ts';
import type { Message, RequestContent } from './message.ts';
import { type Rendering, renderInput, renderOutput, renderParts, renderValue } from './render.ts';

/**
 * What is kept of what goes into calls and of what comes out of them: nothing by default, 500 characters with `true`, or
 * so many as a number says. They count for each text of a message, for the JSON of arguments, results and documents, and
 * no attribute is longer than `limits.valueLength`.
 */
export interface Capture {
  /** What models, tools, retrievals and other wrapped functions are given. */
  inputs?: boolean | number;
  /** What they answer. */
  outputs?: boolean | number;
}

/** Characters to keep, 0 for none. */
export interface CaptureLimits {
  readonly inputs: number;
  readonly outputs: number;
}

export interface ContentCapture {
  /** What holds for a call that may have options of its own. */
  limits(own?: Capture): CaptureLimits;
  /** What a model was given. */
  request(content: RequestContent, limit: number): Attributes;
  /** What a model answered. */
  response(messages: readonly Message[], limit: number): Attributes;
  /** Any value, as JSON. */
  json(name: string, value: unknown, limit: number): Attributes;
  /** A text as it is, anything else as JSON. */
  value(name: string, value: unknown, limit: number): Attributes;
  /** Characters that have to be held of a text that is still to come, for so many of it to be kept. */
  held(limit: number): number;
  /** A text for people, in so many characters. */
  text(text: string, length: number): string;
}

export interface ContentCaptureOptions {
  readonly capture: Capture | undefined;
  readonly environment: Environment;
  readonly valueLength: number;
  readonly redact?: Redact | undefined;
}

const defaultLength = 500;
const variable = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
const choices = ['true', 'false', 'span_only', 'event_only', 'span_and_event', 'no_content'] as const;

function toLength(wish: boolean | number): number {
  return typeof wish === 'number' ? wish : wish ? defaultLength : 0;
}

/** What is written down of contents, and in how much room: secrets go first, then what is too long. */
export function createContentCapture(options: ContentCaptureOptions): ContentCapture {
  const { valueLength: room, redact, capture } = options;
  // Read where it says something: what is given in code beats it.
  const silent = capture?.inputs === undefined || capture.outputs === undefined;
  const choice = silent ? options.environment.choice(variable, choices) : undefined;
  const wished = choice === 'true' || choice === 'span_only' || choice === 'span_and_event';
  const inputs = capture?.inputs ?? wished;
  const outputs = capture?.outputs ?? wished;
  const common: CaptureLimits = { inputs: toLength(inputs), outputs: toLength(outputs) };

  /** With what the rules still find in JSON, once more in less room; what they break leaves nothing. */
  function settle<T extends { json: string | undefined }>(
    name: string,
    empty: string,
    render: (room: number) => T,
  ): T | undefined {
    for (let less = 0; less < room; less = less * 2 + 64) {
      const rendered = render(room - less);
      const { json } = rendered;
      const left = json === undefined ? undefined : redacted(json, name);
      if (left === undefined || left === json) return rendered;
      if (parseJson(left) === undefined || redacted(left, name) !== left) return { ...rendered, json: empty };
      if (left.length <= room) return { ...rendered, json: left };
    }
    return undefined;
  }

  function redacted(json: string, name: string): string {
    const left = redact ? redact(json, name) : json;
    return typeof left === 'string' ? left : '';
  }

  function list(name: string, limit: number, render: (rendering: Rendering) => Fitted): Attributes {
    const fitted = settle(name, '[]', (left) => render({ limit, room: left, redact }));
    if (fitted?.json === undefined) return {};
    const { json, dropped } = fitted;
    return { [name]: json, ...(dropped > 0 && { [`edgespan.dropped.${name}`]: dropped }) };
  }

  function json(name: string, value: unknown, limit: number): Attributes {
    if (value === undefined || limit === 0) return {};
    const settled = settle(name, '"[REDACTED]"', (left) => ({
      json: renderValue(value, { limit, room: left, redact }),
    }));
    return settled?.json === undefined || settled.json.length > room ? {} : { [name]: settled.json };
  }

  function value(name: string, given: unknown, limit: number): Attributes {
    if (typeof given !== 'string') return json(name, given, limit);
    return limit === 0 ? {} : { [name]: clean(given, Math.min(limit, room), name, redact) };
  }

  return {
    limits: (own) => ({
      inputs: own?.inputs === undefined ? common.inputs : toLength(own.inputs),
      outputs: own?.outputs === undefined ? common.outputs : toLength(own.outputs),
    }),
    request({ messages = [], system = [], tools = [], raw }, limit) {
      if (limit === 0) return {};
      return {
        ...(messages.length > 0 &&
          list('gen_ai.input.messages', limit, (rendering) => renderInput(messages, rendering))),
        ...(system.length > 0 &&
          list('gen_ai.system_instructions', limit, (rendering) => renderParts(system, rendering))),
        ...(tools.length > 0 && list('gen_ai.tool.definitions', limit, (rendering) => renderParts(tools, rendering))),
        ...value('edgespan.input', raw, limit),
      };
    },
    response: (messages, limit) =>
      messages.length > 0 && limit > 0
        ? list('gen_ai.output.messages', limit, (rendering) => renderOutput(messages, rendering))
        : {},
    json,
    value,
    held: (limit) => heldLength(limit, redact),
    text: (given, length) => clean(given, length, 'preview', redact),
  };
}
