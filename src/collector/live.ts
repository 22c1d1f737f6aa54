import type { ReadableSpan } from '../trace/readable-span.ts';
import { liveHeaders } from './live-poll.ts';
import { describeTrace } from './query.ts';
import { Refusal } from './refusal.ts';
import { readFacts } from './span-facts.ts';
import { summarize } from './summary.ts';
import type { CostOf, TraceStore } from './trace-store.ts';

export interface LivePorts {
  readonly traces: TraceStore;
  readonly costOf: CostOf;
  readonly maxListeners: number;
  readonly report: (error: unknown) => void;
}

/** Server-sent events: a summary of each trace that got a span. */
export interface Live {
  publish(spans: readonly ReadableSpan[], tenant: string): void;
  open(tenant: string, signal: AbortSignal): Response;
  close(): void;
}

/** Traces that one batch tells of. */
const maxTracesAtOnce = 50;
const heartbeatMs = 15_000;
/** Events that wait for a slow reader; it misses those beyond. */
const maxWaiting = 200;

interface Listener {
  readonly tenant: string;
  send(text: string): void;
  end(): void;
}

export function createLive({ traces, costOf, maxListeners, report }: LivePorts): Live {
  const listeners = new Set<Listener>();
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval> | undefined;

  function add(listener: Listener): void {
    listeners.add(listener);
    timer ??= setInterval(() => {
      for (const each of listeners) each.send(': still here\n\n');
    }, heartbeatMs);
    (timer as { unref?: () => void }).unref?.();
  }

  function remove(listener: Listener): void {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  async function tell(ids: readonly string[], tenant: string): Promise<void> {
    for (const id of ids) {
      const spans = await traces.get(id, tenant);
      if (!spans) continue;
      const facts = spans.map((span) => readFacts(span, costOf));
      const text = `event: trace\ndata: ${JSON.stringify(describeTrace(summarize(id, facts)))}\n\n`;
      for (const listener of listeners) if (listener.tenant === tenant) listener.send(text);
    }
  }

  return {
    publish(spans, tenant) {
      if (![...listeners].some((listener) => listener.tenant === tenant)) return;
      const ids = new Set(spans.map((span) => span.spanContext().traceId));
      tell([...ids].slice(0, maxTracesAtOnce), tenant).catch(report);
    },
    open(tenant, signal) {
      if (listeners.size >= maxListeners) {
        throw new Refusal(429, 'rate_limited', 'too many listeners', { retryAfterSeconds: 60 });
      }
      let listener: Listener | undefined;
      const stream = new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const own: Listener = {
              tenant,
              send(text) {
                if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
              },
              end() {
                remove(own);
                try {
                  controller.close();
                } catch {}
              },
            };
            listener = own;
            add(own);
            own.send(': here\n\n');
          },
          cancel() {
            if (listener) remove(listener);
          },
        },
        { highWaterMark: maxWaiting },
      );
      signal.addEventListener('abort', () => listener?.end(), { once: true });
      return new Response(stream, { headers: liveHeaders });
    },
    close() {
      for (const listener of listeners) listener.end();
    },
  };
}
