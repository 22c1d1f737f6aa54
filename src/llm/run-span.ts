import type { Context, Span } from '@opentelemetry/api';
import { ignore, messageOf, safely } from '../errors.ts';
import type { ContextView } from '../trace/context.ts';
import { setSpan, statusError } from '../trace/otel-span.ts';
import { errorName } from './error-class.ts';

/** How what ran ended; `left` where the consumer of a generator wanted no more. */
export type Ending = { readonly value: unknown; readonly left?: boolean } | { readonly thrown: unknown };

/** What else is to be seen of a result than its end. */
export interface Watch {
  /** A generator has yielded. */
  readonly onYield?: ((value: unknown) => void) | undefined;
  /**
   * Takes over a value that is not all there yet, as a stream: answers the one to hand on, and calls `end` at its end.
   * `undefined` leaves it alone.
   */
  readonly takeOver?: (<V>(value: V, end: (ending: Ending) => void) => V | undefined) | undefined;
}

/** Runs `fn` with its span active, tells `finish` how it ended, and ends the span, once. */
export function runInSpan<T>(
  view: ContextView,
  context: Context,
  span: Span,
  fn: () => T,
  finish: (ending: Ending) => void,
  watch: Watch = {},
): T {
  const inside = setSpan(context, span);
  function end(ending: Ending): void {
    try {
      finish(ending);
    } finally {
      span.end();
    }
  }
  return follow((step) => view.run(inside, step), fn, end, watch);
}

export function recordError(span: Span, thrown: unknown): void {
  const message = messageOf(thrown);
  // A proxy may throw when it is asked what it is.
  const isError = safely(
    () => thrown instanceof Error,
    () => {},
  );
  span.recordException(isError ? (thrown as Error) : message);
  span.setAttribute('error.type', errorName(thrown));
  span.setStatus({ code: statusError, message });
}

/**
 * Calls `fn` and tells `end` once how it ended: at its return, when the promise it returned settles, or when the
 * generator it returned is exhausted, left or fails. Each step goes through `run`. Results and errors pass as they are.
 */
export function follow<T>(
  run: <R>(step: () => R) => R,
  fn: () => T,
  end: (ending: Ending) => void,
  { onYield, takeOver }: Watch = {},
): T {
  let ended = false;

  function endOnce(ending: Ending): void {
    if (ended) return;
    ended = true;
    // What watches must not change what is watched.
    try {
      end(ending);
    } catch {}
  }

  function failed(thrown: unknown): never {
    endOnce({ thrown });
    throw thrown;
  }

  /** Ends with a value, unless that is a stream, which ends later. Answers what to hand on. */
  function done<V>(value: V): V {
    const taken = ended ? undefined : safely(() => takeOver?.(value, endOnce), ignore);
    if (taken !== undefined) return taken;
    endOnce({ value });
    return value;
  }

  function followPromise<R>(promise: Promise<R>, settled: (value: R) => R): Promise<R> {
    if (promise.constructor === Promise) return promise.then(settled, failed);
    return followLazily(promise, (lazy) => lazy.then(settled, failed), followGenerator);
  }

  function followGenerator(generator: AnyGenerator): AnyGenerator {
    /** The generator runs at each step, where no async context would lead by itself. */
    function step(method: 'next' | 'return' | 'throw', argument: unknown): unknown {
      const left = method === 'return';
      function note(step: IteratorResult<unknown>): IteratorResult<unknown> {
        if (left) endOnce({ value: undefined, left });
        else if (step.done) endOnce({ value: step.value });
        else onYield?.(step.value);
        return step;
      }
      let answer: unknown;
      try {
        answer = run<unknown>(() => generator[method](argument as never));
      } catch (error) {
        return failed(error);
      }
      if (isPromise(answer)) return followPromise(answer as Promise<IteratorResult<unknown>>, note);
      return note(answer as IteratorResult<unknown>);
    }
    return proxyGenerator(generator, step);
  }

  let result: T;
  try {
    result = run(fn);
  } catch (error) {
    return failed(error);
  }
  if (isPromise(result)) return followPromise(result, done) as T;
  return isGenerator(result) ? (followGenerator(result) as T) : done(result);
}

/**
 * An SDK's own promise, whose work may begin with its `then` and whose methods, as `asResponse`, are another way to the
 * result: it is followed on the way that its owner takes, and else left alone.
 */
function followLazily<R>(
  promise: Promise<R>,
  follow: (promise: Promise<R>) => Promise<R>,
  followGenerator: (generator: AnyGenerator) => AnyGenerator,
): Promise<R> {
  let followed: Promise<R> | undefined;
  const start = () => {
    followed ??= follow(promise);
    return followed;
  };
  return new Proxy(promise, {
    get(target, key) {
      if (key === 'then' || key === 'catch' || key === 'finally') {
        return (...handlers: never[]) => (start()[key] as AnyMethod)(...handlers);
      }
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || key === 'constructor') return value;
      return (...given: never[]) => {
        const out: unknown = (value as AnyMethod).apply(target, given);
        // A promise of a page is an iterator of all pages, too.
        if (isGenerator(out)) return followGenerator(out);
        if (!isPromise(out)) return out;
        if (out.constructor !== Promise) return followLazily(out as Promise<R>, follow, followGenerator);
        // What it comes to is the result, or has it inside.
        follow(out as Promise<R>).catch(ignore);
        return out;
      };
    },
  });
}

type AnyMethod = (...given: never[]) => unknown;

/** A promise, of another realm too: a `then` on an SDK's lazy thenable would start its work. */
function isPromise(value: unknown): value is Promise<unknown> {
  return safely(() => value instanceof Promise || tagOf(value) === '[object Promise]', ignore) === true;
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

type AnyGenerator = AsyncGenerator | Generator;

function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== 'object' || value === null) return false;
  // Whatever it is may throw when it is looked at.
  return (
    safely(() => {
      const { next, return: leave, throw: fail } = value as Partial<AsyncGenerator>;
      const iterable = Symbol.asyncIterator in value || Symbol.iterator in value;
      return iterable && [next, leave, fail].every((method) => typeof method === 'function');
    }, ignore) === true
  );
}

function proxyGenerator(
  generator: AnyGenerator,
  step: (method: 'next' | 'return' | 'throw', argument: unknown) => unknown,
): AnyGenerator {
  const steps = {
    next: (value: unknown) => step('next', value),
    return: (value: unknown) => step('return', value),
    throw: (error: unknown) => step('throw', error),
  };
  return new Proxy(generator, {
    get(target, key, followed) {
      if (key === 'next' || key === 'return' || key === 'throw') return steps[key];
      if (key === Symbol.asyncIterator || key === Symbol.iterator) return key in target ? () => followed : undefined;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      // What JavaScript's own generators inherit, as `take` and `using`, goes through our steps; others have privates.
      const native = /^\[object (Async)?Generator\]$/.test(tagOf(target));
      return native ? value : value.bind(target);
    },
  });
}
