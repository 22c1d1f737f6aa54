import type { Context } from '@opentelemetry/api';
import type { CompleteRuntime, ContextStorage } from '../runtime.ts';
import { createContextKey } from './otel-context.ts';

const placeKey = /* @__PURE__ */ createContextKey('edgespan place');

/** Work of a framework that has begun. */
export interface Place {
  /** For what is done in it. */
  readonly context: Context;
  /** What was active when it was announced. */
  readonly base: Context | undefined;
  readonly mark: PlaceMark;
}

/** Says in a context which work that is of. */
export interface PlaceMark {
  readonly number: number;
}

export function getPlaceMark(context: Context): PlaceMark | undefined {
  return context.getValue(placeKey) as PlaceMark | undefined;
}

/**
 * Context storage for work that a framework runs and only tells of: it enters no context of ours, but where it knows by
 * itself which of its work the code of this moment belongs to, that work's context is the active one.
 */
export interface PlacedContext extends ContextStorage {
  /** Work that begins now, with the context for what is done in it. */
  place(context: Context): Place;
  /** Where work that begins now inside of that belongs: what the application has entered in there counts. */
  inside(place: Place): Context;
  /** Adds who can tell where the code of this moment belongs; never throws. */
  follow(find: () => Place | undefined): void;
}

export function createPlacedContext(storage: ContextStorage): PlacedContext {
  const finders: (() => Place | undefined)[] = [];
  let count = 0;

  /** Of frameworks that call each other, what began last is the innermost. */
  function find(stored: Context | undefined): Place | undefined {
    let found: Place | undefined;
    for (const finder of finders) {
      const place = finder();
      // Another context has been entered since.
      if (place?.base === stored && place && place.mark.number >= (found?.mark.number ?? 0)) found = place;
    }
    return found;
  }

  return {
    run: (context, fn) => storage.run(context, fn),
    get() {
      const stored = storage.get();
      return finders.length === 0 ? stored : (find(stored)?.context ?? stored);
    },
    place(context) {
      const mark = { number: ++count };
      return { context: context.setValue(placeKey, mark), base: storage.get(), mark };
    },
    inside({ context, mark }) {
      const stored = storage.get();
      return stored && getPlaceMark(stored) === mark ? stored : context;
    },
    follow: (finder) => void finders.push(finder),
  };
}

export type PlacedRuntime = CompleteRuntime & { readonly context: PlacedContext };

export function withPlaces(runtime: CompleteRuntime): PlacedRuntime {
  return { ...runtime, context: createPlacedContext(runtime.context) };
}
