import type { Context } from '@opentelemetry/api';
import type { FlushResult } from './flush.ts';
import type { Shared } from './parts.ts';
import { createOpenStreams } from './stream/open-streams.ts';
import { type Invocation, invocationKey } from './trace/context.ts';

/** One request, batch or run: the work whose end flushes. */
export interface OwnInvocation extends Invocation {
  within(context: Context): Context;
  /** Waits for the bodies that this work handed out, then flushes. What streams for long is no reason to keep the rest. */
  flush(): Promise<FlushResult>;
}

export function createInvocation(
  { engine, flusher }: Shared,
  options: Pick<Invocation, 'waitUntil' | 'server'> = {},
): OwnInvocation {
  const streams = createOpenStreams(engine.clock.monotonic);
  const invocation: OwnInvocation = {
    ...options,
    streams,
    within: (context) => context.setValue(invocationKey, invocation),
    async flush() {
      await streams.settled(engine.flushing.timeoutMs);
      return flusher.flush();
    },
  };
  return invocation;
}
