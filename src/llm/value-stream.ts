import { safely } from '../errors.ts';
import { asObject } from '../json.ts';
import { tapBody } from '../stream/tap.ts';

/** Sees what a stream yields. `end` is called once, with how it came to its end. */
export interface StreamObserver {
  item(value: unknown): void;
  end(how: { readonly thrown?: unknown; readonly left?: boolean }): void;
}

const ignore = () => {};

type AsyncIterableObject = object & AsyncIterable<unknown>;

/**
 * Watches a stream that a function returned, be it an SDK's, one inside of a result, or the platform's. Answers the value
 * to hand on, which is the same object but for a plain `ReadableStream`; `undefined` for what is no stream.
 */
export function observeStream<T>(value: T, observer: StreamObserver): T | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isPlainStream(value)) return tapStream(value, observer) as T;
  if (isEmitter(value)) return watchEmitter(value, observer) ? value : undefined;
  const holder = [
    value,
    ...['stream', 'body', 'completion'].map((name) => safely(() => (value as never)[name], ignore)),
  ];
  const stream = (holder as unknown[]).find(isAsyncIterable);
  if (!stream || ArrayBuffer.isView(stream)) return undefined;
  return patchIterator(stream, observer) ? value : undefined;
}

function isAsyncIterable(value: unknown): value is AsyncIterableObject {
  return typeof value === 'object' && value !== null && typeof (value as never)[Symbol.asyncIterator] === 'function';
}

/** Not an SDK's stream that extends it: that has methods of its own. */
function isPlainStream(value: object): value is ReadableStream<unknown> {
  return value instanceof ReadableStream && Object.getPrototypeOf(value) === ReadableStream.prototype;
}

function tapStream(stream: ReadableStream<unknown>, { item, end }: StreamObserver): ReadableStream<unknown> {
  return tapBody(stream as ReadableStream<Uint8Array>, {
    chunk: item,
    end: (reason, error) => end(reason === 'done' ? {} : reason === 'error' ? { thrown: error } : { left: true }),
  });
}

/** The stream itself, its iterators watched: whatever else it has goes on through them. */
function patchIterator(stream: AsyncIterableObject, observer: StreamObserver): boolean {
  const create = stream[Symbol.asyncIterator];
  const watched = function (this: unknown): AsyncIterator<unknown> {
    return watchIterator(create.call(stream), observer);
  };
  return Reflect.defineProperty(stream, Symbol.asyncIterator, { value: watched, configurable: true, writable: true });
}

function watchIterator(iterator: AsyncIterator<unknown>, { item, end }: StreamObserver): AsyncIterator<unknown> {
  async function step(run: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> {
    let result: IteratorResult<unknown>;
    try {
      result = await run();
    } catch (error) {
      end({ thrown: error });
      throw error;
    }
    if (result.done) end({});
    else item(result.value);
    return result;
  }
  return {
    next: (...given) => step(() => iterator.next(...(given as []))),
    async return(value) {
      end({ left: true });
      return iterator.return ? iterator.return(value) : { done: true, value };
    },
    ...(iterator.throw && { throw: (error) => step(() => iterator.throw!(error)) }),
    [Symbol.asyncIterator]() {
      return this;
    },
  } as AsyncIterator<unknown>;
}

/** Helpers as `client.messages.stream()`: they read by themselves, and tell their listeners. */
interface Emitter {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  finalMessage?: unknown;
  finalChatCompletion?: unknown;
  finalResponse?: unknown;
}

function isEmitter(value: object): value is Emitter {
  const { on, finalMessage, finalChatCompletion, finalResponse } = value as Partial<Emitter>;
  return (
    typeof on === 'function' &&
    [finalMessage, finalChatCompletion, finalResponse].some((fn) => typeof fn === 'function')
  );
}

function watchEmitter(emitter: Emitter, { item, end }: StreamObserver): boolean {
  // Nobody listens for `error` here: a listener would keep a failure that nobody handles from being told.
  for (const event of ['streamEvent', 'chunk', 'event']) emitter.on(event, item);
  emitter.on('end', () => {
    const state = asObject(emitter) ?? {};
    if (state.aborted === true) end({ left: true });
    else end(state.errored === true ? { thrown: new Error('stream failed') } : {});
  });
  return true;
}
