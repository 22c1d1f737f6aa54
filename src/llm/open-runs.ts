import type { Context } from '@opentelemetry/api';
import { getInvocation } from '../trace/context.ts';
import type { Place, PlacedRuntime } from '../trace/placed-context.ts';

/** Keeps the flush at the end of a request waiting for a run that ends after its answer has begun. Answers the release. */
export function holdInvocation(context: Context): () => void {
  const open = getInvocation(context)?.streams.open(() => {});
  open?.touch();
  return () => open?.close();
}

/** What frameworks have begun and not ended, by their own ids. */
export interface OpenRuns<T> {
  get(id: string | undefined): T | undefined;
  /** One that is there already under this id stays; `false` then. */
  add(id: string, run: T): boolean;
  take(id: string | undefined): T | undefined;
  readonly size: number;
}

/** Runs that never end; beyond it the oldest are given up. */
export const maxOpenRuns = 1000;

export function createOpenRuns<T>(abandon: (run: T) => void, max = maxOpenRuns): OpenRuns<T> {
  const runs = new Map<string, T>();

  function take(id: string | undefined): T | undefined {
    const run = id === undefined ? undefined : runs.get(id);
    if (id !== undefined) runs.delete(id);
    return run;
  }

  return {
    get: (id) => (id === undefined ? undefined : runs.get(id)),
    add(id, run) {
      if (runs.has(id)) return false;
      runs.set(id, run);
      const oldest = runs.size > max ? runs.keys().next().value : undefined;
      const left = take(oldest);
      if (left !== undefined) abandon(left);
      return true;
    },
    take,
    get size() {
      return runs.size;
    },
  };
}

interface Owner {
  readonly runtime: PlacedRuntime;
}

/**
 * The runs that a framework tells one telemetry of, be it through several listeners: a run that is told twice is one.
 * What is done while `current` names a run has that run's context.
 */
export function shareRuns<T extends { readonly place: Place }>(
  known: WeakMap<object, OpenRuns<T>>,
  owner: Owner,
  current: () => string | undefined,
  abandon: (run: T) => void,
): OpenRuns<T> {
  const shared = known.get(owner);
  if (shared) return shared;
  const runs = createOpenRuns(abandon);
  known.set(owner, runs);
  owner.runtime.context.follow(() => runs.get(current())?.place);
  return runs;
}
