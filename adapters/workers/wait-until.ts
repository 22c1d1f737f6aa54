import type { Parts } from '../../src/parts.ts';

export interface WaitUntilContext {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * The handler's `ctx`, with background work watched: what it records ends after the response, and is flushed when that
 * work is done. Methods stay bound to the real object, which refuses any other `this`.
 */
export function trackWaitUntil(ctx: WaitUntilContext | undefined, { flusher, engine }: Parts) {
  // A test may call a handler without one.
  if (!ctx) return { ctx, waitUntil: undefined };
  const waitUntil = (promise: Promise<unknown>) => ctx.waitUntil(promise);
  const track = (promise: Promise<unknown>): void => {
    ctx.waitUntil(promise);
    const flushed = Promise.resolve(promise).then(
      () => flusher.flush(),
      () => flusher.flush(),
    );
    ctx.waitUntil(flushed.catch(engine.diagnostics.report));
  };
  const watched = new Proxy(ctx, {
    get(target, key) {
      if (key === 'waitUntil') return track;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ctx: watched, waitUntil };
}
