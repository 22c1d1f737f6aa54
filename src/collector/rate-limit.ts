import type { RateLimitOptions } from './options.ts';
import type { LiveSettings } from './settings.ts';

const windowMs = 60_000;
/** Whoever comes after so many others in a window. */
const others = '\n';

export interface RateLimitPorts {
  readonly settings: LiveSettings;
  readonly monotonic: () => number;
  readonly maxKeys: number;
  readonly binding: RateLimitOptions['binding'] | undefined;
}

/** Counts requests in windows of 60 seconds. */
export interface RateLimit {
  /** Seconds until the window ends, where this request is one too many. */
  take(dimension: 'ip' | 'service', key: string): number | undefined;
  /** The same, by who counts for all instances where there is such a one; where that fails, the request may pass. */
  ask(dimension: 'ip' | 'service', key: string): Promise<number | undefined>;
}

export function createRateLimit({ settings, monotonic, maxKeys, binding }: RateLimitPorts): RateLimit {
  let startedAt = Number.NEGATIVE_INFINITY;
  const counts = { ip: new Map<string, number>(), service: new Map<string, number>() };

  function turn(): number {
    const now = monotonic();
    if (now - startedAt >= windowMs) {
      startedAt = now;
      counts.ip.clear();
      counts.service.clear();
    }
    return startedAt + windowMs - now;
  }

  function take(dimension: 'ip' | 'service', key: string): number | undefined {
    const { perIp, perService } = settings.current.rateLimit;
    const limit = dimension === 'ip' ? perIp : perService;
    if (limit === undefined) return undefined;
    const leftMs = turn();
    const table = counts[dimension];
    const name = table.has(key) || table.size < maxKeys ? key : others;
    const count = (table.get(name) ?? 0) + 1;
    table.set(name, count);
    return count > limit ? leftMs / 1000 : undefined;
  }

  return {
    take,
    async ask(dimension, key) {
      if (!binding || dimension !== 'ip') return take(dimension, key);
      try {
        return (await binding.limit({ key })).success ? undefined : windowMs / 1000;
      } catch {
        return undefined;
      }
    },
  };
}
