import type { Context } from '@opentelemetry/api';

/** `fetch` without the static members that some runtimes add. */
export type Fetch = (input: Request | string | URL, init?: RequestInit) => Promise<Response>;

/** Carries the active context across `await`. `AsyncLocalStorage` has this shape but for the name of `get`. */
export interface ContextStorage {
  run<T>(context: Context, fn: () => T): T;
  get(): Context | undefined;
}

/**
 * Everything that differs between runtimes, as one value. An adapter exports it; tests replace parts of it.
 *
 * @example
 * createTelemetry({ runtime: { ...runtime, now: () => 1_700_000_000_000 } });
 */
export interface Runtime {
  /** `workerd`, `node`, `deno` or `bun`; becomes `process.runtime.name`. */
  name?: string;
  /** Instances come and go without notice: metrics are pushed as deltas, `/metrics` needs a store. */
  ephemeral?: boolean;
  /** Where `OTEL_*` variables are read; a Worker's `env` or `process.env`. */
  env?: Record<string, unknown>;
  /** Carries the active span across `await`; absent: right until the first one only. */
  context?: ContextStorage;
  /** Runs something every `ms` milliseconds without keeping the process alive; returns its undo. Absent: never. */
  every?: (ms: number, run: () => void) => () => void;
  /** The text of a file, where there are files; `EDGESPAN_PRICES_FILE` names one. */
  readFile?: (path: string) => string;
  /**
   * What the copy of a response, whose body is observed, has beside that, where the host does for its own responses
   * what it does not do for copies; `undefined` has the response served as it is. Absent: all that the response has.
   */
  copyInit?: (response: Response) => Pick<Response, 'status' | 'statusText' | 'headers'> | undefined;
  /** Keeps work alive after the response. */
  waitUntil?: (promise: Promise<unknown>) => void;
  /** Milliseconds since the Unix epoch. */
  now?: () => number;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonic?: () => number;
  /** Fills the bytes with random values and returns them. */
  random?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
}

/** A runtime whose gaps are filled. */
export type CompleteRuntime = Required<Omit<Runtime, Optional>> & Pick<Runtime, Optional>;
type Optional = 'waitUntil' | 'every' | 'readFile' | 'copyInit';

/**
 * Context for runtimes without AsyncLocalStorage: right until the first `await` of a function. Beyond it the telemetry
 * that a callback is handed carries the parent (`telemetry.span('a', (span, telemetry) => …)`).
 */
function createSyncContext(): ContextStorage {
  let active: Context | undefined;
  return {
    run(context, fn) {
      const outer = active;
      active = context;
      try {
        return fn();
      } finally {
        active = outer;
      }
    },
    get: () => active,
  };
}

/** An `AsyncLocalStorage` of the runtime's as context storage. */
export function createAsyncContext(storage: {
  run<T>(context: Context, fn: () => T): T;
  getStore(): Context | undefined;
}): ContextStorage {
  return { run: (context, fn) => storage.run(context, fn), get: () => storage.getStore() };
}

/** Fills the gaps with what every runtime of the WinterTC minimum common API has. */
export function completeRuntime(runtime: Runtime = {}): CompleteRuntime {
  return {
    name: runtime.name ?? 'unknown',
    ephemeral: runtime.ephemeral ?? false,
    env: runtime.env ?? {},
    context: runtime.context ?? createSyncContext(),
    now: runtime.now ?? (() => Date.now()),
    monotonic: runtime.monotonic ?? (() => performance.now()),
    random: runtime.random ?? ((bytes) => crypto.getRandomValues(bytes)),
    ...(runtime.every && { every: runtime.every }),
    ...(runtime.readFile && { readFile: runtime.readFile }),
    ...(runtime.copyInit && { copyInit: runtime.copyInit }),
    ...(runtime.waitUntil && { waitUntil: runtime.waitUntil }),
  };
}
