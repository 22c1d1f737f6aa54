import type { Context } from '@opentelemetry/api';
import { withTimeout } from './clock.ts';
import type { Shared } from './parts.ts';
import { createOpenStreams } from './stream/open-streams.ts';
import { type Invocation, invocationKey } from './trace/context.ts';

/** One request, batch or run: the work whose end flushes. */
export interface OwnInvocation extends Invocation {
  within(context: Context): Context;
  /**
   * Waits for the bodies that this work handed out, then flushes. What streams for long is no reason to keep the rest.
   * Where the process lives on and flushes by interval, it only waits: a request to the receiver for each one served
   * would be too many.
   */
  flush(): Promise<void>;
  /** Calls it, and hands `waitUntil` the flush that follows once its promise, if it is one, has settled. */
  run<T>(call: () => T): T;
}

export function createInvocation(
  { engine, flusher }: Shared,
  options: Pick<Invocation, 'waitUntil' | 'server'> & { onIdle?: () => void } = {},
): OwnInvocation {
  const { timeoutMs } = engine.flushing;
  const { report } = engine.diagnostics;
  const flushers = new Set<{ flush(): Promise<unknown> }>([flusher]);
  const streams = createOpenStreams(engine.clock.monotonic, options.onIdle);

  const { ephemeral, every } = engine.runtime;
  const byInterval = options.waitUntil === undefined && !ephemeral && every !== undefined;
  let over = false;
  let asked = false;

  const flushAll = () => Promise.all([...flushers].map((each) => each.flush()));

  async function flush(): Promise<void> {
    const settled = streams.settled(timeoutMs);
    await withTimeout(settled, timeoutMs);
    if (streams.size > 0) {
      if (!byInterval) await flushAll();
      await settled;
    }
    over = true;
    if (!byInterval) await flushAll();
  }

  async function flushLater(): Promise<void> {
    await withTimeout(new Promise(() => {}), engine.flushing.intervalMs);
    asked = false;
    await flush();
  }

  /** `waitUntil` refuses where the request is over, which is no reason to fail its work. */
  function keepAlive(promise: Promise<unknown>): void {
    try {
      options.waitUntil?.(promise.catch(report));
    } catch (error) {
      report(error);
    }
  }

  const invocation: OwnInvocation = {
    waitUntil: options.waitUntil,
    ...(options.server && { server: options.server }),
    streams,
    within: (context) => context.setValue(invocationKey, invocation),
    flush,
    // A WebSocket, a timer or an object that was handed out lives on, and nobody else flushes what it does.
    recorded(by) {
      flushers.add(by);
      if (!over || asked || !options.waitUntil) return;
      asked = true;
      keepAlive(flushLater());
    },
    run(call) {
      let result: ReturnType<typeof call> | undefined;
      try {
        result = call();
        return result;
      } finally {
        keepAlive(result instanceof Promise ? result.then(flush, flush) : flush());
      }
    },
  };
  return invocation;
}
