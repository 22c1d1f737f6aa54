import { inTime } from '../clock.ts';
import type { Engine } from '../engine.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import { runUnseen } from '../flush.ts';
import type { SharedMetrics } from '../metric-output.ts';
import type { MetricFamily, MetricsSnapshot, Point } from '../metrics/snapshot.ts';

/** Hands the store what this isolate has counted; a failure is reported and shows when the store is read. */
export async function pushOwn(engine: Engine, deadline = deadlineOf(engine)): Promise<void> {
  const { sharedMetrics, diagnostics } = engine;
  if (sharedMetrics) await runUnseen(engine, () => sharedMetrics.own.flush(deadline)).catch(diagnostics.report);
}

function deadlineOf({ clock, flushing }: Engine): number {
  return clock.monotonic() + flushing.timeoutMs;
}

/**
 * What the store of a telemetry has once this isolate's own counts are with it; both within the time of a flush. Rejects
 * with a `TelemetryError` (`store_failed`) where the store does not answer, and reports why.
 */
export async function collectShared(engine: Engine, { store }: SharedMetrics): Promise<MetricsSnapshot> {
  const { clock, diagnostics } = engine;
  const deadline = deadlineOf(engine);
  await pushOwn(engine, deadline);
  const ask = () => runUnseen(engine, async () => store.collect());
  try {
    const snapshot = await inTime(ask, deadline - clock.monotonic(), () => new Error('no answer in time'));
    if (!isSnapshot(snapshot)) throw new Error('collect() answered no snapshot of cumulative metrics');
    return { ...snapshot, resource: engine.resource().attributes };
  } catch (cause) {
    diagnostics.report(new TelemetryError('store_failed', `the metric store failed: ${messageOf(cause)}`, { cause }));
    // Without what the store said, which is not for those who read the page.
    throw new TelemetryError(
      'store_failed',
      'The metric store (metrics.store) does not answer, and no isolate has all numbers.',
    );
  }
}

/** A store may be the application's own. */
function isSnapshot(value: Partial<MetricsSnapshot> | undefined): value is MetricsSnapshot {
  if (value?.temporality !== 'cumulative' || !Array.isArray(value.metrics)) return false;
  const isLabelled = (point: Partial<Point> | null) => typeof point?.labels === 'object' && point.labels !== null;
  return value.metrics.every(({ points }: Partial<MetricFamily>) => Array.isArray(points) && points.every(isLabelled));
}
