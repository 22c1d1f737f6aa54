import type { Clock } from '../clock.ts';
import { toUnixNano } from '../clock.ts';
import type { Ledger } from '../delivery.ts';
import { asString } from '../json.ts';
import type { FamilyTable } from '../llm/families.ts';
import { differenceOf, familyKey } from '../metrics/merge.ts';
import type { MetricFamily, MetricsSnapshot, Point } from '../metrics/snapshot.ts';
import type { MetricStore } from '../metrics/store.ts';
import { createStoreExporter } from '../metrics/store-exporter.ts';
import { readSender, type Sender, senderLabels } from './emitters.ts';
import { faultOfPoint } from './pushed-point.ts';
import { createPushedSeries } from './pushed-series.ts';

export interface PushedMetricsPorts {
  readonly store: MetricStore;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly ledger: Ledger;
  readonly timeoutMs: number;
  readonly maxSeries: number;
  /** Labels that say who sends. */
  readonly labels: readonly string[];
  /** Families that spans come to. */
  readonly derived: FamilyTable;
  /** The store is older than this process, or others write into it. */
  readonly isShared: boolean;
  /** This instance does not live to see the next cumulative value. */
  readonly ephemeral: boolean;
}

/** Metrics that applications push themselves. */
export interface PushedMetrics {
  /** Answers how many points there was no place for, and why. */
  add(snapshots: readonly MetricsSnapshot[], tenant: string): Promise<{ points: number; problem: string | undefined }>;
  /** Whether the sender of a point pushes this family itself; then it counts, and what its spans come to does not. */
  has(family: string, labels: Point['labels']): boolean;
}

export function createPushedMetrics(ports: PushedMetricsPorts): PushedMetrics {
  const { clock, labels: names } = ports;
  let startedAt: bigint | undefined;
  const series = createPushedSeries({
    maxSeries: ports.maxSeries,
    monotonic: clock.monotonic,
    isKnown: (start) => ports.isShared && startedAt !== undefined && start < startedAt,
  });
  const derivedBounds = new Map(Object.values(ports.derived).map(({ name, buckets }) => [name, buckets?.join()]));
  /** By family and sender; there are no more of them than series. */
  const pushing = new Set<string>();
  /** What each name was first pushed as, for as long as the store that nobody else writes into; as many as series. */
  const forms = new Map<string, Omit<MetricFamily, 'points'>>();
  let fresh: MetricFamily[] = [];
  const exporter = createStoreExporter({
    ...ports,
    isForOthers: true,
    async collect() {
      const metrics = fresh;
      fresh = [];
      return { temporality: 'cumulative', resource: {}, metrics };
    },
  });

  function objectionTo(family: MetricFamily, temporality: 'delta' | 'cumulative'): string | undefined {
    const own = derivedBounds.get(family.name);
    const isOther = own !== family.bounds?.join() || (family.name.endsWith('_total') && family.type !== 'counter');
    if (derivedBounds.has(family.name) && isOther) {
      return `${family.name} has other buckets, or another type, than this collector gives it: set the same metrics.buckets`;
    }
    if (temporality === 'cumulative' && ports.ephemeral && (family.type !== 'gauge' || family.additive)) {
      return `${family.name} is cumulative: instances come and go here, so send deltas`;
    }
    // What a shared one has may come from elsewhere: it says so itself.
    const form = ports.isShared ? undefined : forms.get(familyKey(family));
    const difference = form && differenceOf(form, family);
    return difference && `${family.name} differs in its ${difference} from what was first pushed under this name`;
  }

  /** Answers why points were left out, if any were. */
  function addFamily(family: MetricFamily, snapshot: MetricsSnapshot, sender: Sender): string[] {
    const instance = asString(snapshot.resource['service.instance.id']) ?? '';
    const who = senderLabels(sender);
    const added = Object.fromEntries(names.map((name) => [name, who[name] ?? '']));
    const push = {
      sender: `${sender.tenant}\n${sender.env}\n${sender.service}\n${instance}`,
      temporality: snapshot.temporality,
    };
    const problems: string[] = [];
    const points = family.points.flatMap(({ attributes: _types, ...plain }) => {
      const point = { ...plain, labels: { ...plain.labels, ...added } };
      const fault = faultOfPoint(family, point);
      const total = fault ? undefined : series.add(push, family, point);
      if (!total) problems.push(fault ?? 'there are more series than limits.pushedSeries');
      return total ?? [];
    });
    if (points.length === 0) return problems;
    const { points: _all, ...form } = family;
    if (!forms.has(familyKey(family)) && forms.size < ports.maxSeries) forms.set(familyKey(family), form);
    fresh.push({ ...family, points });
    if (derivedBounds.has(family.name)) pushing.add(keyOf(family.name, added, names));
    return problems;
  }

  return {
    async add(snapshots, tenant) {
      startedAt ??= toUnixNano(clock.now());
      let left = 0;
      let problem: string | undefined;
      for (const snapshot of snapshots) {
        const sender = readSender({ attributes: snapshot.resource }, tenant);
        for (const family of snapshot.metrics) {
          const objection = objectionTo(family, snapshot.temporality);
          const problems = objection ? family.points.map(() => objection) : addFamily(family, snapshot, sender);
          left += problems.length;
          problem ??= problems[0];
        }
      }
      if (fresh.length > 0) await exporter.flush(clock.monotonic() + ports.timeoutMs);
      return { points: left, problem };
    },
    has: (family, labels) => pushing.has(keyOf(family, labels, names)),
  };
}

function keyOf(family: string, labels: Point['labels'], names: readonly string[]): string {
  return [family, ...names.map((name) => labels[name] ?? '')].join('\n');
}
