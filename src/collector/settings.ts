import {
  atLeast0,
  boolean,
  type Check,
  type Checks,
  checkValues,
  count,
  either,
  extend,
  fn,
  group,
  methods,
  needed,
  object,
  oneOf,
  ratio,
  string,
} from '../checks.ts';
import { TelemetryError } from '../errors.ts';
import { checkOptions, metricStore } from '../option-checks.ts';
import type { TelemetryOptions } from '../options.ts';
import type { CollectorOptions, LiveOptions } from './options.ts';

const optional = (check: Check) => (value: unknown) => value === undefined || check.test(value);
const tenantName = /^[\w.:-]{1,64}$/;

/** A name that is no path, header or query of anything. */
export function isTenant(name: string): boolean {
  return tenantName.test(name);
}

const queue: Checks = { max: count, softLimit: ratio, hardLimit: ratio, whenFull: oneOf('reject', 'drop_oldest') };
const rateLimit: Checks = { perIp: count, perService: count };

const checks: Checks = {
  telemetry: object,
  traces: methods(['add', 'get', 'query']),
  metrics: metricStore,
  keys: {
    allowed: 'names of tenants by keys of 1 to 512 characters',
    test: (value) =>
      object.test(value) &&
      Object.entries(value as object).every(
        ([key, tenant]) => key.length > 0 && key.length <= 512 && typeof tenant === 'string' && isTenant(tenant),
      ),
    secret: true,
  },
  adminKey: extend(string, { secret: true }),
  forward: group({ endpoint: needed(string), headers: extend(object, { secret: true }) }),
  queue: group(queue),
  rateLimit: group({ ...rateLimit, binding: methods(['limit']) }),
  objectives: {
    allowed: 'errorRate from 0 to 1 and costBudgetUsd from 0, by agent',
    test: (value) =>
      object.test(value) &&
      Object.values(value as object).every(
        (one) => object.test(one) && optional(ratio)(one.errorRate) && optional(atLeast0)(one.costBudgetUsd),
      ),
  },
  dashboard: boolean,
  audit: methods(['record']),
  tenantLabel: boolean,
  trustTenantHeader: boolean,
  trustForwardedFor: boolean,
  limits: group({
    bodyBytes: count,
    inflatedBytes: count,
    spansPerRequest: count,
    emitters: count,
    heldTraces: count,
    heldSpans: count,
    heldMs: count,
    rateLimitKeys: count,
    pushedSeries: count,
    listeners: count,
  }),
  memoryBytes: fn,
  reload: fn,
};

/** What `PUT /config` may say. `null` takes a rule away. */
const absent = { allowed: 'null', test: (value: unknown) => value === null };
const changes: Checks = {
  sampling: group({
    ratio,
    keepErrors: boolean,
    keepSlowerThanMs: either(atLeast0, absent),
    keepCostlierThanUsd: either(atLeast0, absent),
  }),
  queue: group(queue),
  rateLimit: group({ perIp: either(count, absent), perService: either(count, absent) }),
};

/** What is read at each use, so that a change takes effect at once. */
export interface Settings {
  readonly sampling: {
    readonly ratio: number;
    readonly keepErrors: boolean;
    readonly keepSlowerThanMs?: number;
    readonly keepCostlierThanUsd?: number;
  };
  readonly queue: {
    readonly max: number;
    readonly softLimit: number;
    readonly hardLimit: number;
    readonly whenFull: 'reject' | 'drop_oldest';
  };
  readonly rateLimit: { readonly perIp?: number; readonly perService?: number };
}

/** The one live object. */
export interface LiveSettings {
  readonly current: Settings;
  /** Checks and merges a change; throws a `TelemetryError` and changes nothing where it is wrong. */
  change(given: unknown): Settings;
  /** Forgets all changes, for what `reload` reads by now or the collector began with. Throws and changes nothing likewise. */
  reload(): Settings;
}

export function createSettings(options: CollectorOptions): LiveSettings {
  const { telemetry, queue, rateLimit: { binding: _binding, ...rateLimit } = {} } = options;
  const first = present({ sampling: telemetry?.sampling, queue, rateLimit }) as LiveOptions;
  let current = resolve(first);
  return {
    get current() {
      return current;
    },
    change(given) {
      checkValues(given as object, changes);
      const { sampling, queue, rateLimit } = given as Partial<Settings>;
      const next = {
        sampling: present({ ...current.sampling, ...present(sampling, true) }),
        queue: present({ ...current.queue, ...present(queue, true) }),
        rateLimit: present({ ...current.rateLimit, ...present(rateLimit, true) }),
      } as Settings;
      checkOrder(next);
      current = next;
      return current;
    },
    reload() {
      const fresh = options.reload?.();
      if (fresh) checkValues(fresh, changes);
      current = resolve(fresh ?? first);
      return current;
    },
  };
}

function resolve({ sampling, queue, rateLimit }: LiveOptions): Settings {
  const resolved: Settings = {
    sampling: { ratio: 1, keepErrors: false, ...present(sampling) },
    queue: { max: 50_000, softLimit: 0.8, hardLimit: 0.95, whenFull: 'reject', ...present(queue) },
    rateLimit: present({ perIp: rateLimit?.perIp, perService: rateLimit?.perService }) as Settings['rateLimit'],
  };
  checkOrder(resolved);
  return resolved;
}

function checkOrder({ queue }: Settings): void {
  if (queue.softLimit <= queue.hardLimit) return;
  const option = 'queue.softLimit';
  throw new TelemetryError('invalid_option', `${option} must not be above queue.hardLimit`, { option });
}

/** Without what is `undefined`, and unless they `stay` without what is `null`. */
function present<T extends object>(given: T | undefined, stay = false): T {
  const kept = Object.entries(given ?? {}).filter(([, value]) => value !== undefined && (stay || value !== null));
  return Object.fromEntries(kept) as T;
}

/** Throws a `TelemetryError` for the first option that is unknown or wrong. */
export function checkCollectorOptions(options: CollectorOptions): void {
  checkValues(options, checks);
  const { telemetry } = options;
  if (telemetry)
    naming(
      (option) => `telemetry.${option}`,
      () => checkOptions(telemetry as TelemetryOptions),
    );
}

/** Says of a wrong option what it is called here. */
export function naming<T>(name: (option: string) => string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (!(error instanceof TelemetryError) || !error.option) throw error;
    const option = name(error.option);
    throw new TelemetryError(error.code, error.message.replace(error.option, option), { option });
  }
}

export type ResolvedCollectorLimits = ReturnType<typeof resolveCollectorLimits>;

/** Every bound of a collector, with its default. */
export function resolveCollectorLimits(given: CollectorOptions['limits'] = {}) {
  return {
    bodyBytes: given.bodyBytes ?? 4 * 2 ** 20,
    inflatedBytes: given.inflatedBytes ?? 16 * 2 ** 20,
    spansPerRequest: given.spansPerRequest ?? 20_000,
    emitters: given.emitters ?? 500,
    heldTraces: given.heldTraces ?? 10_000,
    heldSpans: given.heldSpans ?? 100_000,
    heldMs: given.heldMs ?? 30_000,
    rateLimitKeys: given.rateLimitKeys ?? 10_000,
    pushedSeries: given.pushedSeries ?? 20_000,
    listeners: given.listeners ?? 100,
  };
}
