import { ignore, safely } from '../../errors.ts';
import { asObject } from '../../json.ts';
import type { Provider } from '../provider.ts';
import { listRequests, maxUnwraps, unwrap } from '../values.ts';
import type { ContentFormat, ContentReader, Message, RequestContent } from './message.ts';

/** Of the arguments so many are looked at. */
const maxArguments = 4;
const knownTypes = new Set([
  ...['text', 'reasoning', 'tool_call', 'tool_call_response', 'server_tool_call', 'server_tool_call_response'],
  ...['blob', 'file', 'uri', 'compaction', 'redacted_thinking'],
]);

function listFormats(providers: readonly Provider[]): readonly ContentFormat[] {
  return [...new Set(providers.flatMap((provider) => provider.content?.all ?? []))];
}

/** Parts that a format has no word for. */
function countUnknown({ messages = [] }: RequestContent): number {
  return messages.flatMap(({ parts }) => parts).filter(({ type }) => !knownTypes.has(type)).length;
}

/**
 * What goes into a function that asks a model, by the format that knows most of it; `raw` where none of the arguments is
 * a request of a known form.
 */
export function readArgumentContent(
  args: readonly unknown[],
  providers: readonly Provider[],
): RequestContent | undefined {
  if (args.length === 0) return undefined;
  let best: RequestContent | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  const objects = args.slice(0, maxArguments).map(asObject);
  for (const body of objects.flatMap((object) => (object ? listRequests(object) : []))) {
    for (const format of listFormats(providers)) {
      const content = safely(() => format.request(body), ignore);
      if (!content?.messages?.length) continue;
      const unknown = countUnknown(content);
      if (unknown < fewest) [best, fewest] = [content, unknown];
      if (unknown === 0) return content;
    }
  }
  return best ?? { raw: args.length === 1 ? args[0] : args };
}

/** What a function that asks a model returned, be it messages or something else. */
export function readValueContent(value: unknown, providers: readonly Provider[]): unknown {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= maxUnwraps && level.length > 0; depth++) {
    for (const candidate of level) {
      for (const { content } of providers) {
        const messages = safely(() => content?.of(candidate)?.response(candidate), ignore);
        if (messages?.length) return messages;
      }
    }
    level = level.flatMap(unwrap);
  }
  return value;
}

/** What the items of a stream come to. */
export interface ItemContent {
  add(value: unknown): void;
  result(): readonly Message[] | string | undefined;
}

/** Folds what a stream yields, by whichever format makes something of it; else the items themselves are it. */
export function createItemContent(providers: readonly Provider[], maxText: number): ItemContent {
  let readers: readonly ContentReader[] | undefined;
  let texts = '';
  let last: unknown;
  return {
    add(value) {
      last = value;
      readers ??= listFormats(providers).map((format) => format.stream(maxText));
      if (typeof value === 'string' && texts.length < maxText) texts += value.slice(0, maxText);
      for (const reader of readers) safely(() => reader.event({ json: value }), ignore);
    },
    result() {
      const said = (readers ?? []).map((reader) => safely(() => reader.result(), ignore) ?? []);
      const known = said.find((messages) => messages.some(({ parts }) => parts.length > 0));
      if (known) return known;
      // Of a loop that yields whole replies.
      const whole = readValueContent(last, providers);
      return whole === last ? texts || undefined : (whole as readonly Message[]);
    },
  };
}
