import type { Clock } from '../clock.ts';
import type { Delivery, Ledger } from '../delivery.ts';
import { createDeltaReader } from '../metrics/delta.ts';
import { isOwn, type MetricExporter } from '../metrics/metric-exporter.ts';
import type { MetricFamily, MetricsSnapshot, Point } from '../metrics/snapshot.ts';
import type { Fetch } from '../runtime.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import type { SendSpans } from '../trace/span-pipeline.ts';
import type { OtlpTarget } from './config.ts';
import { deliver } from './deliver.ts';
import { type OtlpOutcome, postOtlp } from './transport.ts';

export interface OtlpPort {
  readonly fetch: () => Fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxRetries: number;
}

/** Spans to an OTLP endpoint. */
export function createOtlpSpanSink(target: OtlpTarget, port: OtlpPort): SendSpans {
  const post = createPost(target, port);
  return async <S extends ReadableSpan>(spans: readonly S[], deadline: number) => {
    const { returned, ...rest } = await deliver<readonly S[]>(spans, {
      size: (batch) => batch.length,
      halve: (batch) => halveList(batch),
      post: (batch) => post(deadline, () => target.encoder.traces(batch)),
      resendUnconfirmed: true,
    });
    return { ...rest, returned: returned.flat() };
  };
}

export interface MetricExporterOptions {
  readonly target: OtlpTarget;
  readonly port: OtlpPort;
  readonly temporality: 'delta' | 'cumulative';
  readonly resendUnconfirmed: boolean;
  readonly collect: () => Promise<MetricsSnapshot>;
  readonly ledger: Ledger;
}

/** Metrics to an OTLP endpoint: deltas, or everything since the start. */
export function createMetricExporter(options: MetricExporterOptions): MetricExporter {
  const { target, port, ledger } = options;
  const post = createPost(target, port);
  const delta = options.temporality === 'delta' ? createDeltaReader() : undefined;
  /** Points to be sent again, and those in a flush that is still under way. */
  let unsent = 0;
  let inFlight = 0;
  /** Until when a flush sends deltas, and whether another has come meanwhile: what it had is sent after the others. */
  let sendingUntil = Number.NEGATIVE_INFINITY;
  let again = false;
  return {
    get pending() {
      return unsent + inFlight;
    },
    /** Deltas go one after the other, since receivers drop what overtakes; nobody awaits what another flush sends. */
    async flush(deadline) {
      if (!delta) return send(deadline);
      if (port.clock.monotonic() < sendingUntil) {
        again = true;
        return;
      }
      sendingUntil = deadline;
      try {
        do {
          again = false;
          await send(deadline);
        } while (again && port.clock.monotonic() < deadline);
      } finally {
        // Past its deadline another one may have taken over.
        if (sendingUntil === deadline) sendingUntil = Number.NEGATIVE_INFINITY;
      }
    },
  };

  async function send(deadline: number): Promise<void> {
    const collected = await options.collect();
    const snapshot = delta ? delta.read(collected) : collected;
    const size = countPoints(snapshot);
    if (size === 0) return;
    // What a flush counts of itself is no reason for the next one to send.
    if (delta && snapshot.metrics.every(isOwn)) return delta.restore(snapshot);
    unsent = 0;
    inFlight += size;
    ledger.recorded('metrics', size);
    const delivery: Delivery<MetricsSnapshot> = await deliver(snapshot, {
      size: countPoints,
      halve: halveSnapshot,
      post: (batch) => post(deadline, () => target.encoder.metrics(batch)),
      // A cumulative point is the same however often it arrives.
      resendUnconfirmed: !delta || options.resendUnconfirmed,
    });
    for (const batch of delivery.returned) delta?.restore(batch);
    inFlight -= size;
    unsent += delivery.returned.reduce((sum, batch) => sum + countPoints(batch), 0);
    ledger.delivered('metrics', delivery);
  }
}

/** Nobody is left alone for longer, whatever `Retry-After` says. */
const maxPauseMs = 15 * 60_000;

/** Posts to one target, and to none that has asked for a pause: nor do the flushes to come, until that is over. */
function createPost(target: OtlpTarget, port: OtlpPort) {
  const { url, encoder, compression, timeoutMs } = target;
  const { clock, random, maxRetries } = port;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  return async (deadline: number, encode: () => Uint8Array): Promise<OtlpOutcome> => {
    if (clock.monotonic() < pausedUntil) return { kind: 'unsent', reason: 'the server has asked for a pause' };
    let body: Uint8Array;
    try {
      body = encode();
    } catch (error) {
      return { kind: 'refused', status: 0, message: `the encoder failed: ${String(error)}` };
    }
    let headers: Record<string, string>;
    try {
      headers = await target.headers();
    } catch {
      return { kind: 'unsent', reason: 'otlp.headers failed' };
    }
    const latest = timeoutMs > 0 ? clock.monotonic() + timeoutMs : Number.POSITIVE_INFINITY;
    const { contentType } = encoder;
    const outcome = await postOtlp({
      url,
      headers,
      body,
      contentType,
      compression,
      clock,
      random,
      maxRetries,
      fetch: port.fetch(),
      deadline: Math.min(deadline, latest),
    });
    if (outcome.kind === 'unsent' && outcome.retryAfterMs !== undefined) {
      pausedUntil = clock.monotonic() + Math.min(outcome.retryAfterMs, maxPauseMs);
    }
    return outcome;
  };
}

function countPoints(snapshot: MetricsSnapshot): number {
  return snapshot.metrics.reduce((sum, family) => sum + family.points.length, 0);
}

function halveList<T>(items: readonly T[]): readonly [readonly T[], readonly T[]] | undefined {
  if (items.length < 2) return undefined;
  const middle = items.length >> 1;
  return [items.slice(0, middle), items.slice(middle)];
}

function halveSnapshot(snapshot: MetricsSnapshot): readonly [MetricsSnapshot, MetricsSnapshot] | undefined {
  const single: MetricFamily[] = snapshot.metrics.flatMap((family) =>
    family.points.map((point) => ({ ...family, points: [point] })),
  );
  const halves = halveList(single);
  return (
    halves && [
      { ...snapshot, metrics: regroup(halves[0]) },
      { ...snapshot, metrics: regroup(halves[1]) },
    ]
  );
}

/** Points of one family side by side again, so that each family is written once. */
function regroup(single: readonly MetricFamily[]): MetricFamily[] {
  const points = new Map<string, Point[]>();
  const families: MetricFamily[] = [];
  for (const family of single) {
    const known = points.get(family.name);
    if (known) known.push(...family.points);
    else {
      const own = [...family.points];
      points.set(family.name, own);
      families.push({ ...family, points: own });
    }
  }
  return families;
}
