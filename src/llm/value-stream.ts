import { ignore, safely } from '../errors.ts';
import { tapBody } from '../stream/tap.ts';
import { watchEmitter } from './value-emitter.ts';
import { isLazy } from './values.ts';

/** Sees what a stream yields. `end` is called with how it came to its end; the first time counts. */
export interface StreamObserver {
  /** Somebody asks for what comes next. */
  pull(): void;
  item(value: unknown): void;
  /** A reply is whole; another one may come. Its parts have been items, where it came in parts. */
  reply?(value: unknown): void;
  end(how: { readonly thrown?: unknown; readonly left?: boolean }): void;
}

type AnyMethod = (this: unknown, ...given: unknown[]) => unknown;
type Stream = Record<PropertyKey, unknown>;

/** Where SDKs put a stream beside what else they know. A `Response` has its body by a getter, and is left alone. */
const holders = ['stream', 'body', 'completion', 'data'];

/**
 * Watches a stream that a function returned, be it an SDK's, one inside of a result, or the platform's. Answers the value
 * to hand on, which is the same object but for a plain `ReadableStream`; `undefined` for what is no stream.
 */
export function observeStream<T>(value: T, observer: StreamObserver): T | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isPlainStream(value)) return tapStream(value, observer) as T;
  if (isLazy(value)) return tapInside(value, observer) ? value : undefined;
  if (watchEmitter(value, observer)) return value;
  const stream = [value, ...holders.map((name) => ownField(value, name))].find(isAsyncIterable);
  return stream && patchStream(stream, noticeAbort(stream, observer)) ? value : undefined;
}

/** Streams of some SDKs just end when the caller aborts the request; their controllers know. */
function noticeAbort(stream: Stream, { end, ...observer }: StreamObserver): StreamObserver {
  const isAborted = () =>
    ['controller', 'abortController'].some((name) => {
      const controller = ownField(stream, name);
      return controller instanceof AbortController && controller.signal.aborted;
    });
  return { ...observer, end: (how) => end(!('thrown' in how) && isAborted() ? { left: true } : how) };
}

function isAsyncIterable(value: unknown): value is Stream {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  return typeof safely(() => (value as never)[Symbol.asyncIterator], ignore) === 'function';
}

function ownField(value: object, name: string): unknown {
  return safely(() => Object.getOwnPropertyDescriptor(value, name)?.value as unknown, ignore);
}

/** Not an SDK's stream that extends it: that has methods of its own. */
function isPlainStream(value: object): value is ReadableStream<unknown> {
  return value instanceof ReadableStream && Object.getPrototypeOf(value) === ReadableStream.prototype;
}

function tapStream(stream: ReadableStream<unknown>, { pull, item, end }: StreamObserver): ReadableStream<unknown> {
  return tapBody(stream as ReadableStream<Uint8Array>, {
    pull,
    chunk: item,
    end: (reason, error) => end(reason === 'done' ? {} : reason === 'error' ? { thrown: error } : { left: true }),
  });
}

/** The AI SDK's result of a stream has one that all its others are made from, whenever they are asked for. */
function tapInside(value: object, observer: StreamObserver): boolean {
  const stream = ownField(value, 'baseStream');
  if (!(stream instanceof ReadableStream) || stream.locked || !isWritable(value, 'baseStream')) return false;
  return Reflect.set(value, 'baseStream', tapStream(stream, observer));
}

function isWritable(value: object, name: string): boolean {
  return Object.getOwnPropertyDescriptor(value, name)?.writable === true;
}

/** Ways to read a stream, by what comes of them. `values` is a `ReadableStream`'s; `iterator` is of OpenAI's SDKs. */
const iterators: readonly PropertyKey[] = [Symbol.asyncIterator, 'iterator', 'values'];
const steps = ['next', 'return', 'throw'] as const;
const pipes = ['tee', 'pipeTo', 'pipeThrough', 'getReader'];

/**
 * The stream itself, its methods watched: whatever else it has goes on through them. Of several ways that lead into each
 * other the first that is taken is watched, so that nothing is seen twice.
 */
function patchStream(stream: Stream, observer: StreamObserver): boolean {
  let taken = false;
  /** Whether this way is the first. */
  function take(): boolean {
    const isFirst = !taken;
    taken = true;
    return isFirst;
  }

  function iterate(create: AnyMethod): AnyMethod {
    return function (...given) {
      const isFirst = take();
      const iterator = create.apply(this, given);
      if (!isFirst) return iterator;
      // A generator is its own iterator: its steps tell.
      if (iterator === stream) taken = false;
      // What can't be watched is at its end as far as we know.
      else if (!patchSteps(iterator, observer, () => true)) observer.end({});
      return iterator;
    };
  }

  /** A platform's stream under an SDK's class, by one that takes its place in what is done with it. */
  function pipe(name: string, original: AnyMethod): AnyMethod {
    return function (...given) {
      if (taken || this !== stream) return original.apply(this, given);
      taken = true;
      const tapped = tapStream(stream as unknown as ReadableStream<unknown>, observer);
      return (tapped as unknown as Record<string, AnyMethod>)[name]!(...given);
    };
  }

  const patched = iterators.map((name) => patch(stream, name, iterate));
  if (typeof stream.next === 'function') patched.push(patchSteps(stream, observer, take));
  if (stream instanceof ReadableStream) for (const name of pipes) patch(stream, name, (fn) => pipe(name, fn));
  return patched.some(Boolean);
}

/** The method of the object itself in place of the one it has, unless it has none or is frozen. */
function patch(object: Stream, name: PropertyKey, wrap: (original: AnyMethod) => AnyMethod): boolean {
  const original = object[name];
  if (typeof original !== 'function') return false;
  const value = wrap(original as AnyMethod);
  return Reflect.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: false });
}

/** `isOurs` says at the first step whether this way is the one that is watched. */
function patchSteps(iterator: unknown, { pull, item, end }: StreamObserver, isOurs: () => boolean): boolean {
  if (typeof iterator !== 'object' || iterator === null) return false;
  let watched: boolean | undefined;

  function seen(result: unknown): unknown {
    const { done, value } = (result ?? {}) as Partial<IteratorResult<unknown>>;
    if (done) end({});
    else item(value);
    return result;
  }

  function failed(thrown: unknown): never {
    end({ thrown });
    throw thrown;
  }

  const patched = steps.map((name) =>
    patch(iterator as Stream, name, (original) => {
      return function (...given) {
        watched ??= isOurs();
        if (!watched) return original.apply(this, given);
        if (name === 'return') end({ left: true });
        else pull();
        const answer = original.apply(this, given);
        return answer instanceof Promise && name !== 'return' ? answer.then(seen, failed) : answer;
      };
    }),
  );
  return patched[0]!;
}
