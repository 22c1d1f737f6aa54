import type {
  Attributes,
  BatchObservableCallback,
  BatchObservableResult,
  Meter,
  MeterProvider,
  MetricOptions,
  Observable,
  ObservableCallback,
  ObservableResult,
} from '@opentelemetry/api';
import { createScope } from '../instrumentation-scope.ts';
import { alreadyDefined } from './definition.ts';
import type { HistogramInstrument } from './histogram.ts';
import type { FamilyDetails } from './instrument.ts';
import type { NumberInstrument } from './number.ts';
import type { Registry } from './registry.ts';

/** OpenTelemetry's default bounds, where an instrument advises none. */
const otelBuckets = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

/**
 * OpenTelemetry's Meter over a registry. As its API asks, a name that is refused or taken gives an instrument that
 * records nothing, and `onError` hears of it.
 */
export function createMeterProvider(registry: Registry, onError: (error: unknown) => void): MeterProvider {
  const observables = createObservables(registry, onError);
  return {
    getMeter: (name, version, options) =>
      createMeter(registry, onError, observables, createScope(name, version, options)),
  };
}

/** The API's `ValueType.INT`. */
const int = 0;

interface Batch {
  readonly callback: BatchObservableCallback;
  readonly observables: readonly Observable[];
}

/** What is observed when somebody asks. All meters of a provider share it, as `getMeter` gives a new one each time. */
interface Observables {
  get(name: string, type: 'counter' | 'gauge', details: FamilyDetails): Observable;
  add(batch: Batch): void;
  remove(batch: Batch): void;
}

function createObservables(registry: Registry, onError: (error: unknown) => void): Observables {
  const handles = new Map<string, Observable>();
  const targets = new Map<Observable, NumberInstrument>();
  let batches: Batch[] = [];

  async function guarded(run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      onError(error);
    }
  }

  function runBatch({ callback, observables }: Batch): Promise<void> {
    const result: BatchObservableResult = {
      observe(metric, value, attributes) {
        if (observables.includes(metric)) targets.get(metric)?.setTo(value, attributes);
      },
    };
    return guarded(() => callback(result));
  }

  function create(): { handle: Observable; observe: (target: NumberInstrument) => Promise<void> } {
    const callbacks = new Set<ObservableCallback>();
    const handle: Observable = {
      addCallback: (callback) => void callbacks.add(callback),
      removeCallback: (callback) => void callbacks.delete(callback),
    };
    async function observe(target: NumberInstrument): Promise<void> {
      const result: ObservableResult = { observe: (value, attributes) => target.setTo(value, attributes) };
      // Of the instruments that a batch is for, the first one calls it.
      const own = batches.filter(({ observables }) => observables.find((one) => targets.has(one)) === handle);
      const calls = [...callbacks].map((callback) => guarded(() => callback(result)));
      await Promise.all([...calls, ...own.map(runBatch)]);
    }
    return { handle, observe };
  }

  return {
    get(name, type, details) {
      const known = handles.get(name);
      const { handle, observe } = known ? { handle: known } : create();
      const target = registry.define(name, type, [], { ...details, observe, observer: handles });
      handles.set(name, handle);
      targets.set(handle, target);
      return handle;
    },
    add(batch) {
      if (!batches.some((known) => isSame(known, batch))) batches.push(batch);
    },
    remove(batch) {
      batches = batches.filter((known) => !isSame(known, batch));
    },
  };
}

function isSame(a: Batch, b: Batch): boolean {
  const all =
    a.observables.length === b.observables.length && a.observables.every((one) => b.observables.includes(one));
  return a.callback === b.callback && all;
}

function createMeter(
  registry: Registry,
  onError: (error: unknown) => void,
  observables: Observables,
  scope: FamilyDetails['scope'],
): Meter {
  function guarded<T>(create: () => T, noop: T): T {
    try {
      return create();
    } catch (error) {
      onError(error);
      return noop;
    }
  }

  function details(options: MetricOptions | undefined, additive = false): FamilyDetails {
    return { help: options?.description, unit: options?.unit, integer: options?.valueType === int, scope, additive };
  }

  function define(name: string, type: 'counter' | 'gauge', given: FamilyDetails): NumberInstrument {
    const instrument = registry.define(name, type, [], given);
    if (instrument.observers.size > 0) throw alreadyDefined(name, 'way to measure');
    return instrument;
  }

  function adder(name: string, options: MetricOptions | undefined, type: 'counter' | 'gauge') {
    const create = () => {
      const instrument = define(name, type, details(options, type === 'gauge'));
      return { add: (value: number, attributes?: Attributes) => instrument.addTo(value, attributes) };
    };
    return guarded(create, { add() {} });
  }

  /** Advice that is wrong, or other than the first, is reported and not taken. */
  function histogram(name: string, options: MetricOptions | undefined): HistogramInstrument {
    const create = (buckets?: readonly number[]) =>
      registry.defineHistogram(name, [], { ...details(options), buckets, otherwise: otelBuckets });
    const buckets = options?.advice?.explicitBucketBoundaries;
    return (buckets && guarded(() => create(buckets), undefined)) ?? create();
  }

  function observable(name: string, options: MetricOptions | undefined, type: 'counter' | 'gauge', additive: boolean) {
    const noop: Observable = { addCallback() {}, removeCallback() {} };
    return guarded(() => observables.get(name, type, details(options, additive)), noop);
  }

  return {
    createCounter: (name, options) => adder(name, options, 'counter'),
    createUpDownCounter: (name, options) => adder(name, options, 'gauge'),
    createGauge(name, options) {
      const create = () => {
        const instrument = define(name, 'gauge', details(options));
        return { record: (value: number, attributes?: Attributes) => instrument.setTo(value, attributes) };
      };
      return guarded(create, { record() {} });
    },
    createHistogram(name, options) {
      const create = () => {
        const instrument = histogram(name, options);
        return { record: (value: number, attributes?: Attributes) => instrument.recordTo(value, attributes) };
      };
      return guarded(create, { record() {} });
    },
    createObservableCounter: (name, options) => observable(name, options, 'counter', false),
    createObservableUpDownCounter: (name, options) => observable(name, options, 'gauge', true),
    createObservableGauge: (name, options) => observable(name, options, 'gauge', false),
    addBatchObservableCallback(callback, observed) {
      observables.add({ callback: callback as BatchObservableCallback, observables: [...observed] as Observable[] });
    },
    removeBatchObservableCallback(callback, observed) {
      observables.remove({ callback: callback as BatchObservableCallback, observables: observed as Observable[] });
    },
  };
}
