import { describeTrace } from './query.ts';
import type { TraceStore } from './trace-store.ts';

const everyMs = 2000;
/** Spans may come so much later than they ended. */
const overlapMs = 60_000;
const maxTraces = 50;
/** Traces whose last state is remembered, so that only news is told. */
const maxKnown = 1000;

/**
 * The live feed where no request hears of another one: each listener asks the store for itself, by timers of its own
 * request.
 */
export function openPolledLive(traces: TraceStore, tenant: string, now: () => number): Response {
  const encoder = new TextEncoder();
  const known = new Map<string, number>();
  let isFirst = true;

  async function read(): Promise<string> {
    const page = await traces.query({ since: now() - overlapMs, limit: maxTraces }, tenant);
    const news = page.traces.filter(({ traceId, spanCount }) => known.get(traceId) !== spanCount).reverse();
    for (const { traceId, spanCount } of news) {
      known.set(traceId, spanCount);
      if (known.size > maxKnown) for (const oldest of known.keys()) if (known.delete(oldest)) break;
    }
    return news.map((trace) => `event: trace\ndata: ${JSON.stringify(describeTrace(trace))}\n\n`).join('');
  }

  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isFirst) await new Promise((resolve) => setTimeout(resolve, everyMs));
      const text = await read();
      controller.enqueue(encoder.encode((isFirst ? ': here\n\n' : ': still here\n\n') + text));
      isFirst = false;
    },
  });
  return new Response(stream, { headers: liveHeaders });
}

export const liveHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};
