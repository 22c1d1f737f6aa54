import type {
  Attributes,
  BatchObservableCallback,
  Meter,
  MeterProvider,
  MetricOptions,
  Observable,
  ObservableCallback,
} from '@opentelemetry/api';
import type { NumberInstrument } from './number.ts';
import type { FamilyDetails, Registry } from './registry.ts';

/** OpenTelemetry's default bounds, where an instrument advises none. */
const otelBuckets = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/**
 * OpenTelemetry's Meter over a registry. As its API asks, a name that is refused or taken gives an instrument that
 * records nothing, and `onError` hears of it.
 */
export function createMeterProvider(registry: Registry, onError: (error: unknown) => void): MeterProvider {
  return {
    getMeter: (name, version, options) =>
      createMeter(registry, onError, {
        name,
        ...(version !== undefined && { version }),
        ...(options?.schemaUrl !== undefined && { schemaUrl: options.schemaUrl }),
      }),
  };
}

function createMeter(registry: Registry, onError: (error: unknown) => void, scope: FamilyDetails['scope']): Meter {
  const batches = new Set<{ callback: BatchObservableCallback; observables: Observable[] }>();
  const targets = new WeakMap<Observable, NumberInstrument>();

  function guarded<T>(create: () => T, noop: T): T {
    try {
      return create();
    } catch (error) {
      onError(error);
      return noop;
    }
  }

  function details(options: MetricOptions | undefined): FamilyDetails {
    return { help: options?.description, unit: options?.unit, scope };
  }

  function adder(name: string, options: MetricOptions | undefined, type: 'counter' | 'gauge') {
    const additive = type === 'gauge';
    const create = () => {
      const instrument = registry.define(name, type, [], { ...details(options), additive });
      return { add: (value: number, attributes?: Attributes) => instrument.addTo(value, attributes) };
    };
    return guarded(create, { add() {} });
  }

  function observable(name: string, options: MetricOptions | undefined, type: 'counter' | 'gauge', additive: boolean) {
    const callbacks = new Set<ObservableCallback>();
    const handle: Observable = {
      addCallback: (callback) => void callbacks.add(callback),
      removeCallback: (callback) => void callbacks.delete(callback),
    };
    async function observe(target: NumberInstrument): Promise<void> {
      const result = { observe: (value: number, attributes?: Attributes) => target.setTo(value, attributes) };
      for (const callback of callbacks) await callback(result);
      for (const batch of batches) if (batch.observables[0] === handle) await batch.callback(batchResult(batch));
    }
    const create = () => {
      targets.set(handle, registry.define(name, type, [], { ...details(options), additive, observe }));
      return handle;
    };
    return guarded(create, handle);
  }

  function batchResult(batch: { observables: Observable[] }) {
    return {
      observe(metric: Observable, value: number, attributes?: Attributes) {
        if (batch.observables.includes(metric)) targets.get(metric)?.setTo(value, attributes);
      },
    };
  }

  return {
    createCounter: (name, options) => adder(name, options, 'counter'),
    createUpDownCounter: (name, options) => adder(name, options, 'gauge'),
    createGauge(name, options) {
      const create = () => {
        const instrument = registry.define(name, 'gauge', [], details(options));
        return { record: (value: number, attributes?: Attributes) => instrument.setTo(value, attributes) };
      };
      return guarded(create, { record() {} });
    },
    createHistogram(name, options) {
      const create = () => {
        const buckets = options?.advice?.explicitBucketBoundaries ?? otelBuckets;
        const instrument = registry.defineHistogram(name, [], { ...details(options), buckets });
        return { record: (value: number, attributes?: Attributes) => instrument.recordTo(value, attributes) };
      };
      return guarded(create, { record() {} });
    },
    createObservableCounter: (name, options) => observable(name, options, 'counter', false),
    createObservableUpDownCounter: (name, options) => observable(name, options, 'gauge', true),
    createObservableGauge: (name, options) => observable(name, options, 'gauge', false),
    addBatchObservableCallback(callback, observables) {
      batches.add({ callback: callback as BatchObservableCallback, observables: observables as Observable[] });
    },
    removeBatchObservableCallback(callback, observables) {
      for (const batch of batches) {
        const same = batch.callback === callback && batch.observables.join() === observables.join();
        if (same) batches.delete(batch);
      }
    },
  };
}
