import { string } from '../checks.ts';
import { type Clock, secondsSince } from '../clock.ts';
import type { Registry } from '../metrics/registry.ts';
import { follow } from './run-span.ts';
import { createWrapper, type RunWrapped, type SpanWrapper } from './wrappers.ts';

/** Counts the calls and failures of a function and times them, without a span. */
export function createMeasure(registry: Registry, clock: Clock): SpanWrapper<{ name: string }> {
  const run: RunWrapped<{ name: string }> = (_options, name) => {
    const prefix = name.replace(/[^a-zA-Z0-9_:]/g, '_');
    const calls = registry.define(`${prefix}_calls_total`, 'counter', [], { help: `Calls of ${name}.` });
    const failures = registry.define(`${prefix}_failures_total`, 'counter', [], { help: `Failed calls of ${name}.` });
    const seconds = registry.defineHistogram(`${prefix}_duration_seconds`, [], { help: `Seconds of ${name}.` });
    return (call) => {
      const startedAt = clock.monotonic();
      calls.add(1);
      failures.add(0);
      return follow(
        (step) => step(),
        call,
        (ending) => {
          if ('thrown' in ending) failures.add(1);
          seconds.record(secondsSince(startedAt, clock.monotonic));
        },
      );
    };
  };
  return createWrapper('measure', run, { name: string });
}
