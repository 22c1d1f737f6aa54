import { type Context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ContextView } from '../trace/context.ts';
import { errorName } from './error-class.ts';

/** How what ran in a span ended. */
export type Ending = { readonly value: unknown } | { readonly thrown: unknown };

/**
 * Runs a function with its span active and ends the span once: at its return, when the promise it returned settles, or
 * when the generator it returned is exhausted, left or fails. Results and errors pass through as they are.
 */
export function runInSpan<T>(
  view: ContextView,
  context: Context,
  span: Span,
  fn: () => T,
  finish: (ending: Ending) => void,
  onYield?: () => void,
): T {
  const inside = trace.setSpan(context, span);
  let ended = false;

  function end(ending: Ending): void {
    if (ended) return;
    ended = true;
    if ('thrown' in ending) recordError(span, ending.thrown);
    try {
      finish(ending);
    } finally {
      span.end();
    }
  }

  function failed(error: unknown): never {
    end({ thrown: error });
    throw error;
  }

  let result: T;
  try {
    result = view.run(inside, fn);
  } catch (error) {
    return failed(error);
  }
  if (isPromise(result)) {
    return result.then((value) => {
      end({ value });
      return value;
    }, failed) as T;
  }
  if (isGenerator(result)) return followGenerator(view, inside, result, end, onYield) as T;
  end({ value: result });
  return result;
}

export function recordError(span: Span, thrown: unknown): void {
  const exception = thrown instanceof Error ? thrown : String(thrown);
  span.recordException(exception);
  span.setAttribute('error.type', errorName(thrown));
  span.setStatus({ code: SpanStatusCode.ERROR, message: thrown instanceof Error ? thrown.message : String(thrown) });
}

/** A promise of this realm: a `then` on an SDK's lazy thenable would start its work. */
function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}

function isGenerator(value: unknown): value is AsyncGenerator | Generator {
  if (typeof value !== 'object' || value === null) return false;
  const { next, return: leave, throw: fail } = value as Partial<AsyncGenerator>;
  const iterable = Symbol.asyncIterator in value || Symbol.iterator in value;
  return iterable && [next, leave, fail].every((method) => typeof method === 'function');
}

/** The same generator with the span active at each step, which no async context does by itself. */
function followGenerator(
  view: ContextView,
  context: Context,
  generator: AsyncGenerator | Generator,
  end: (ending: Ending) => void,
  onYield?: () => void,
): AsyncGenerator | Generator {
  function note(step: IteratorResult<unknown>, leaving: boolean): IteratorResult<unknown> {
    if (step.done || leaving) end({ value: step.done ? step.value : undefined });
    else onYield?.();
    return step;
  }
  function step(method: 'next' | 'return' | 'throw', value: unknown) {
    try {
      const result = view.run(context, () => generator[method](value as never));
      if (!isPromise(result)) return note(result as IteratorResult<unknown>, method === 'return');
      return result.then(
        (settled) => note(settled as IteratorResult<unknown>, method === 'return'),
        (error) => {
          end({ thrown: error });
          throw error;
        },
      );
    } catch (error) {
      end({ thrown: error });
      throw error;
    }
  }
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
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
