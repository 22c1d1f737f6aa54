import type { Definition, Definitions } from '../llm/families.ts';
import type { MetricDialect } from '../llm/metric-dialect.ts';
import { metricDialect, type PresetName } from '../llm/presets.ts';

/** How a collector's metrics speak: families about senders say who they are. */
export interface CollectorDialect {
  readonly llm: MetricDialect;
  /** Prefix of the collector's own families. */
  readonly prefix: string;
  /** Their labels about the sender. */
  readonly senderLabels: readonly string[];
  /** Whether all spans count, those too that are no work of an agent. */
  readonly countsAll: boolean;
}

export interface CollectorDialectOptions {
  readonly preset: PresetName | undefined;
  readonly namespace: string | undefined;
  readonly pricingProfile: string | undefined;
  readonly tenantLabel: boolean;
}

export function collectorDialect(options: CollectorDialectOptions): CollectorDialect {
  const dialect = metricDialect(options.preset, options.pricingProfile);
  const isRastir = options.preset === 'rastir';
  const senderLabels = ['service', isRastir ? 'env' : 'environment', ...(options.tenantLabel ? ['tenant'] : [])];
  return {
    llm: { ...dialect, definitions: addLabels(dialect.definitions, senderLabels), senderLabels },
    prefix: isRastir ? (options.namespace ?? 'rastir') : 'edgespan_collector',
    senderLabels,
    countsAll: isRastir,
  };
}

function addLabels(definitions: Definitions, added: readonly string[]): Definitions {
  const entries = Object.entries(definitions).map(([key, definition]) => {
    const [suffix, labels, ...rest] = definition as Definition;
    const names = labels.split(' ').filter((name) => name !== '');
    // A queue of the collector's own is nobody's in particular.
    if (names.length === 0) return [key, definition];
    const all = [...names, ...added.filter((name) => !names.includes(name))];
    return [key, [suffix, all.join(' '), ...rest]];
  });
  return Object.fromEntries(entries) as Definitions;
}
