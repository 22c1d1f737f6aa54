import type { Context } from '@opentelemetry/api';
import { ignore, safely } from '../errors.ts';
import { asArray, asObject, asString } from '../json.ts';
import { getScopeAttributes } from '../trace/context.ts';
import type { CallStart } from './call.ts';
import { judgeMark } from './evaluation/semconv.ts';

/** A model call that a framework has announced, before anything goes over the wire. */
export interface ExpectedCall {
  /** Where its span belongs. */
  readonly context: Context;
  /** What is known of it by now; some tell their model only after they have announced the call. */
  readonly model: () => string | undefined;
  /** A text that the request has in it. */
  readonly text: () => string | undefined;
  /** Where the framework can tell: whether the code that asks now may run on behalf of this call. */
  readonly isCurrent?: (() => boolean | undefined) | undefined;
}

export interface Expectation {
  /** An observed request has been this call. */
  readonly isClaimed: boolean;
  end(): void;
}

/**
 * Model calls that frameworks tell of and cannot be run in a context of ours. An observed request that is one of them is
 * recorded in its place, under the framework's spans; so it is counted once, with all that its wire says.
 */
export interface ExpectedCalls {
  expect(call: ExpectedCall): Expectation;
  /** The call as it is where a framework has announced it, else as it was given. */
  adopt(call: CallStart): CallStart;
}

interface Entry {
  readonly call: ExpectedCall;
  readonly key: string;
  attempts: number;
}

/** Calls that never end; beyond it the oldest are forgotten. */
const maxExpected = 1000;
/** Values of a request that are looked at, from its end: what was said last stands there. */
const maxValues = 2000;
/** Characters that tell two texts apart. */
const maxText = 512;

export function createExpectedCalls(): ExpectedCalls {
  const entries = new Set<Entry>();
  let count = 0;

  return {
    expect(call) {
      const entry: Entry = { call, key: `expected ${count++}`, attempts: 0 };
      entries.add(entry);
      if (entries.size > maxExpected) entries.delete(entries.values().next().value!);
      return {
        get isClaimed() {
          return entry.attempts > 0;
        },
        end: () => void entries.delete(entry),
      };
    },
    adopt(call) {
      // What does not go over a wire is somebody's own word for a call.
      if (entries.size === 0 || call.attributes?.['server.address'] === undefined) return call;
      // A judge quotes what was asked, maybe of the same model.
      if (getScopeAttributes(call.context)?.[judgeMark] === true) return call;
      const place = find([...entries], call);
      if (!place) return call;
      const number = place.attempts++;
      const timeoutSeconds = call.attempt?.timeoutSeconds ?? Number.POSITIVE_INFINITY;
      return { ...call, context: place.call.context, attempt: { number, key: place.key, timeoutSeconds } };
    },
  };
}

/** The one that the framework itself points at, else one with the same model and text: of several, one not yet asked. */
function find(entries: readonly Entry[], call: CallStart): Entry | undefined {
  const told = entries.map((entry) => safely(() => entry.call.isCurrent?.(), ignore));
  const current = entries.find((_, index) => told[index] === true);
  if (current) return current;
  const alike = entries.filter((entry, index) => told[index] === undefined && isAlike(entry.call, call));
  return alike.find(({ attempts }) => attempts === 0) ?? alike[0];
}

function isAlike(expected: ExpectedCall, { request, body }: CallStart): boolean {
  const [model, text] = [safely(expected.model, ignore), safely(expected.text, ignore)];
  if (model && request.model && !isSame(model, request.model)) return false;
  return text ? hasText(body, text.slice(0, maxText)) : model !== undefined;
}

/** Some put a path before a model's name. */
function isSame(one: string, other: string): boolean {
  return one === other || one.endsWith(`/${other}`) || other.endsWith(`/${one}`);
}

function hasText(body: unknown, text: string): boolean {
  const open: unknown[] = [body];
  for (let seen = 0; open.length > 0 && seen < maxValues; seen++) {
    const value = open.pop();
    if (typeof value === 'string' && value.includes(text)) return true;
    // The last of a list is looked at first.
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) open.push(inner);
  }
  return false;
}

/** The last text of a conversation, by which its request is known again. */
export function lastText(messages: unknown): string | undefined {
  for (const message of asArray(messages).toReversed()) {
    const content = asObject(message)?.content;
    const found =
      asString(content) ??
      asArray(content)
        .map((part) => asString(asObject(part)?.text))
        .findLast(Boolean);
    if (found) return found;
  }
  return undefined;
}
