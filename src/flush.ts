import { withTimeout } from './clock.ts';
import type { SignalResult } from './delivery.ts';
import type { Engine } from './engine.ts';
import { safely } from './errors.ts';
import { getInvocation } from './trace/context.ts';
import { rootContext } from './trace/otel-context.ts';
import { suppressTracingKey } from './trace/tracer.ts';

/** What a flush did. Of each signal, what was recorded since the last one and what that left = sent + dropped + pending. */
export interface FlushResult {
  /** All was sent: nothing was dropped or waits for the next flush, and no exporter failed. */
  ok: boolean;
  traces: SignalResult;
  metrics: SignalResult;
}

/** Outside of any span, and unseen by instrumentations: what they made of it would have to be sent in turn. */
export function runUnseen<T>({ root }: Engine, fn: () => T): T {
  return root.run(rootContext.setValue(suppressTracingKey, true), fn);
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
  const exports = engine.spanPipelines.length + engine.metricExporters.length > 0 || engine.budget !== undefined;
  let stopTimer: (() => void) | undefined;
  let closed = false;

  async function send(timeoutMs: number): Promise<void> {
    engine.streams.abandonUnread(flushing.timeoutMs);
    const deadline = engine.clock.monotonic() + timeoutMs;
    const parts = [
      ...engine.spanPipelines,
      ...engine.metricExporters,
      engine.prices,
      ...(engine.budget ? [engine.budget] : []),
    ];
    // Each by itself: the failure of one must not end the wait for the others.
    await Promise.all(parts.map((part) => part.flush(deadline).catch(engine.diagnostics.report)));
  }

  async function flush(timeoutMs: number = flushing.timeoutMs): Promise<FlushResult> {
    const sending = runUnseen(engine, () => send(timeoutMs)).catch(engine.diagnostics.report);
    if (!runtime.ephemeral) {
      underway.add(sending);
      await Promise.all(underway);
      underway.delete(sending);
    } else await sending;
    const unsentSpans = engine.spanPipelines.reduce((sum, pipeline) => sum + pipeline.pending, 0);
    const traces = books.take('traces', unsentSpans);
    const unsentPoints = engine.metricExporters.reduce((sum, exporter) => sum + exporter.pending, 0);
    const metrics = books.take('metrics', unsentPoints);
    const ok = [traces, metrics].every(({ lastError, dropped, pending }) => !lastError && dropped + pending === 0);
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
    // Metrics alone are something to send too: no span need have ended.
    engine.registry.onSeries(() => safely(() => engine.onActivity(0), engine.diagnostics.report));
  } else if (exports) {
    engine.onActivity = () => getInvocation(engine.root.active())?.recorded(flusher);
  }

  /**
   * One that is asked for, as against those by time or size, waits for evaluations too: for half of its time. Without
   * any it takes what is buffered at once.
   */
  function flushAll(timeoutMs: number = flushing.timeoutMs): Promise<FlushResult> {
    const startedAt = engine.clock.monotonic();
    const left = () => Math.max(timeoutMs / 2, timeoutMs - (engine.clock.monotonic() - startedAt));
    return engine.recorder.evaluations?.settled(timeoutMs / 2)?.then(() => flush(left())) ?? flush(timeoutMs);
  }

  const flusher: Flusher = {
    flush: flushAll,
    async shutdown(timeoutMs = flushing.timeoutMs) {
      const exporters = closed ? [] : (engine.options.exporters ?? []);
      closed = true;
      stopTimer?.();
      stopTimer = undefined;
      const result = await flushAll(timeoutMs);
      await withTimeout(Promise.all(exporters.map(stopExporter)), timeoutMs);
      return result;
    },
  };
  return flusher;

  async function stopExporter(exporter: NonNullable<Engine['options']['exporters']>[number]): Promise<void> {
    if (typeof exporter === 'function') return;
    try {
      await exporter.shutdown();
    } catch (error) {
      engine.diagnostics.report(error);
    }
  }
}
