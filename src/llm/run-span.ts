import type { Context, Span } from '@opentelemetry/api';
import { messageOf } from '../errors.ts';
import type { ContextView } from '../trace/context.ts';
import { setSpan, statusError } from '../trace/otel-span.ts';
import { errorName } from './error-class.ts';

/** How what ran ended; `left` where the consumer of a generator wanted no more. */
export type Ending = { readonly value: unknown; readonly left?: boolean } | { readonly thrown: unknown };

/** Runs `fn` with its span active, tells `finish` how it ended, and ends the span, once. */
export function runInSpan<T>(
  view: ContextView,
  context: Context,
  span: Span,
  fn: () => T,
  finish: (ending: Ending) => void,
  onYield?: () => void,
): T {
  const inside = setSpan(context, span);
  function end(ending: Ending): void {
    try {
      finish(ending);
    } finally {
      span.end();
    }
  }
  return follow((step) => view.run(inside, step), fn, end, onYield);
}

export function recordError(span: Span, thrown: unknown): void {
  const message = messageOf(thrown);
  span.recordException(thrown instanceof Error ? thrown : message);
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
  onYield?: () => void,
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

  function followPromise<R>(promise: Promise<R>, settled: (value: R) => void): Promise<R> {
    const followed = promise.then((value) => {
      settled(value);
      return value;
    }, failed);
    if (promise.constructor === Promise) return followed;
    // An SDK's promise has methods of its own, such as `withResponse`.
    followed.catch(() => {});
    return promise;
  }

  let result: T;
  try {
    result = run(fn);
  } catch (error) {
    return failed(error);
  }
  if (isPromise(result)) return followPromise(result, (value) => endOnce({ value })) as T;
  if (!isGenerator(result)) {
    endOnce({ value: result });
    return result;
  }

  const generator = result;
  /** The generator runs at each step, where no async context would lead by itself. */
  function step(method: 'next' | 'return' | 'throw', argument: unknown): unknown {
    const left = method === 'return';
    function note({ done, value }: IteratorResult<unknown>): void {
      if (done && !left) endOnce({ value });
      else if (left) endOnce({ value: undefined, left });
      else onYield?.();
    }
    let answer: unknown;
    try {
      answer = run<unknown>(() => generator[method](argument as never));
    } catch (error) {
      return failed(error);
    }
    if (isPromise(answer)) return followPromise(answer as Promise<IteratorResult<unknown>>, note);
    note(answer as IteratorResult<unknown>);
    return answer;
  }
  return proxyGenerator(generator, step) as T;
}

/** A promise of this realm: a `then` on an SDK's lazy thenable would start its work. */
function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}

type AnyGenerator = AsyncGenerator | Generator;

function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== 'object' || value === null) return false;
  const { next, return: leave, throw: fail } = value as Partial<AsyncGenerator>;
  const iterable = Symbol.asyncIterator in value || Symbol.iterator in value;
  return iterable && [next, leave, fail].every((method) => typeof method === 'function');
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
      const native = /^\[object (Async)?Generator\]$/.test(Object.prototype.toString.call(target));
      return native ? value : value.bind(target);
    },
  });
}
