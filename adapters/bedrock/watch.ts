export interface Watcher {
  /** Somebody asks for an item. */
  pull(): void;
  item(value: unknown): void;
  done(): void;
  /** The consumer wanted no more. */
  left(): void;
  thrown(error: unknown): void;
}

export function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * Sees what passes through an iterable. It stays the same object, and so do its iterators and their promises: nothing is
 * read ahead, held back or copied.
 */
export function watch(iterable: AsyncIterable<unknown>, watcher: Watcher): void {
  const iterate = iterable[Symbol.asyncIterator];
  const value = () => watchIterator(iterate.call(iterable), watcher);
  Object.defineProperty(iterable, Symbol.asyncIterator, { value, configurable: true, writable: true });
}

function watchIterator(iterator: AsyncIterator<unknown>, watcher: Watcher): AsyncIterator<unknown> {
  const { next, return: leave, throw: fail } = iterator;

  function follow(promise: Promise<IteratorResult<unknown>>, left = false) {
    const seen = ({ done, value }: IteratorResult<unknown>) => {
      if (left) watcher.left();
      else if (done) watcher.done();
      else watcher.item(value);
    };
    // What watches must not change what is watched.
    promise.then(seen, watcher.thrown).catch(() => {});
    return promise;
  }

  iterator.next = (...args) => {
    watcher.pull();
    return follow(next.apply(iterator, args));
  };
  if (leave) iterator.return = (value) => follow(leave.call(iterator, value), true);
  if (fail) iterator.throw = (error) => follow(fail.call(iterator, error));
  return iterator;
}
