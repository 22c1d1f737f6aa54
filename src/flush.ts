import type { SignalResult } from './delivery.ts';
import type { Engine } from './engine.ts';

/** What a flush did. Each signal: recorded = sent + dropped + pending, counted since the last flush. */
export interface FlushResult {
  ok: boolean;
  traces: SignalResult;
  metrics: SignalResult;
}

export interface Flusher {
  flush(timeoutMs?: number): Promise<FlushResult>;
  shutdown(timeoutMs?: number): Promise<FlushResult>;
}

/**
 * Moves what is buffered to the exporters. On a runtime whose instances come and go, each flush sends only what it has
 * taken itself, since it must not await a promise that another request made; elsewhere it also waits for flushes that
 * are under way, and starts by itself when time or the size of a batch asks for it.
 */
export function createFlusher(engine: Engine): Flusher {
  const { flushing, runtime, books } = engine;
  const underway = new Set<Promise<unknown>>();
  const exports = engine.spanPipelines.length + engine.metricExporters.length > 0;
  let stopTimer: (() => void) | undefined;
  let closed = false;

  async function send(deadline: number): Promise<void> {
    engine.streams.abandonUnread(flushing.timeoutMs);
    await Promise.all([
      ...engine.spanPipelines.map((pipeline) => pipeline.flush(deadline)),
      ...engine.metricExporters.map((exporter) => exporter.flush(deadline)),
    ]);
  }

  async function flush(timeoutMs: number = flushing.timeoutMs): Promise<FlushResult> {
    const sending = send(engine.clock.monotonic() + timeoutMs).catch(engine.diagnostics.report);
    if (!runtime.ephemeral) {
      underway.add(sending);
      await Promise.all(underway);
      underway.delete(sending);
    } else await sending;
    const pending = engine.spanPipelines.reduce((sum, pipeline) => sum + pipeline.pending, 0);
    const traces = books.take('traces', pending);
    const unsentPoints = engine.metricExporters.reduce((sum, exporter) => sum + exporter.pending, 0);
    const metrics = books.take('metrics', unsentPoints);
    const ok = !traces.lastError && !metrics.lastError && traces.dropped + metrics.dropped + pending === 0;
    return { ok, traces, metrics };
  }

  function inBackground(): void {
    flush().catch(engine.diagnostics.report);
  }

  if (!runtime.ephemeral) {
    engine.onActivity = (buffered) => {
      if (closed || !exports) return;
      stopTimer ??= runtime.every?.(flushing.intervalMs, inBackground);
      if (buffered >= flushing.batchSize && underway.size === 0) inBackground();
    };
  }

  return {
    flush,
    async shutdown(timeoutMs) {
      closed = true;
      stopTimer?.();
      stopTimer = undefined;
      const result = await flush(timeoutMs);
      await Promise.all((engine.options.exporters ?? []).map(stopExporter));
      return result;
    },
  };

  async function stopExporter(exporter: NonNullable<Engine['options']['exporters']>[number]): Promise<void> {
    if (typeof exporter === 'function') return;
    try {
      await exporter.shutdown();
    } catch (error) {
      engine.diagnostics.report(error);
    }
  }
}
