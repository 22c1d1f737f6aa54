import { ignore } from '../errors.ts';
import type { CallEnd, ModelCall } from './call.ts';
import { type Entered, type Followed, leave, type Pass } from './gate.ts';
import { readResponse } from './response.ts';

/** What a function answers by its kind, before it is called. */
export type FunctionKind = 'async' | 'generator' | 'asyncGenerator' | 'other';

const kinds: Readonly<Record<string, FunctionKind>> = {
  '[object AsyncFunction]': 'async',
  '[object GeneratorFunction]': 'generator',
  '[object AsyncGeneratorFunction]': 'asyncGenerator',
};

export function kindOf(fn: unknown): FunctionKind {
  return kinds[Object.prototype.toString.call(fn)] ?? 'other';
}

/** A model call whose end gives its pass back. */
export function withPass(call: ModelCall, pass: Pass, { recorder, request, isWrapper = false }: Followed): ModelCall {
  let begun = false;
  let ended = false;

  function giveBack(how: CallEnd): void {
    const response = readResponse(how.response);
    // What a wrapper is around may have been counted where no context led: then it is nobody's leaf.
    const delegated = how.delegated === true || (isWrapper && recorder.leaf(call.span) === undefined);
    const costUsd = recorder.book.price(request, response)?.totalUsd;
    leave(pass, { ...how, delegated }, { usage: response.usage, costUsd }, begun || response.id !== undefined);
  }

  return {
    span: call.span,
    maxText: call.maxText,
    firstToken(afterSeconds) {
      begun = true;
      call.firstToken(afterSeconds);
    },
    chunk() {
      begun = true;
      call.chunk();
    },
    answered(status) {
      // An error is not billed: what is held for it must not wait for somebody to read it.
      if (status >= 400) leave(pass, { status }, {}, false);
    },
    end(how) {
      call.end(how);
      if (!ended) giveBack(how);
      ended = true;
    },
  };
}

/**
 * Runs `begin` with its pass. Refused, what was called answers as its kind does: a rejection, a generator that throws at
 * its first step, or else it throws. Where the pass is yet to come, what is not a generator answers a promise.
 */
export function throughGate<T>(entered: Entered | Promise<Entered>, kind: FunctionKind, begin: (pass: Pass) => T): T {
  if (!(entered instanceof Promise)) return 'refused' in entered ? refuse(entered.refused, kind) : begin(entered);
  const start = async () => ({ value: begin(passOf(await entered)) });
  if (kind === 'async') return start().then(({ value }) => value) as T;
  return (kind === 'asyncGenerator' ? iterate(start) : defer(start())) as T;
}

function passOf(entered: Entered): Pass {
  if ('refused' in entered) throw entered.refused;
  return entered;
}

function refuse<T>(error: Error, kind: FunctionKind): T {
  if (kind === 'async') return Promise.reject(error) as T;
  if (kind === 'asyncGenerator') return iterate(() => Promise.reject(error)) as T;
  if (kind === 'generator') return fail(error) as T;
  throw error;
}

// biome-ignore lint/correctness/useYield: it is a generator for its caller's sake.
function* fail(error: Error): Generator {
  throw error;
}

/** Begins at the first step, as generators do. */
async function* iterate(start: () => Promise<{ value: unknown }>): AsyncGenerator {
  const { value } = await start();
  return yield* value as AsyncGenerator;
}

/**
 * A promise for what is not there yet, with the methods of what comes, as `asResponse` of an SDK's own promise: each
 * answers a promise. It is not read until somebody asks for it, since there may be several ways to read it.
 */
function defer(ready: Promise<{ value: unknown }>): unknown {
  let read: Promise<unknown> | undefined;
  const result = () => {
    read ??= ready.then(({ value }) => value);
    return read;
  };
  return new Proxy(ready, {
    get(target, key) {
      if (key === 'then' || key === 'catch' || key === 'finally') {
        return (...handlers: never[]) => (result()[key] as (...given: never[]) => unknown)(...handlers);
      }
      if (key === Symbol.asyncIterator) return () => iterate(() => ready.then(toIterable));
      if (typeof key === 'symbol' || key in target) return Reflect.get(target, key, target);
      return (...given: never[]) => {
        const answer = ready.then(({ value }) =>
          (value as Record<string, (...given: never[]) => unknown>)[key]!(...given),
        );
        answer.catch(ignore);
        return answer;
      };
    },
  });
}

/** A stream may be the value itself, or what it resolves to. */
async function toIterable({ value }: { value: unknown }): Promise<{ value: unknown }> {
  return { value: await value };
}
