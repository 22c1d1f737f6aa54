import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { createAsyncContext, type Runtime } from '../../src/runtime.ts';
import { Bun } from './shim.ts';

/** For `createTelemetry` of `edgespan/core`. */
export const runtime: Runtime = {
  name: 'bun',
  env: Bun.env,
  context: createAsyncContext(new AsyncLocalStorage()),
  readFile: (path) => readFileSync(path, 'utf8'),
  // The type of a text is added when it is sent, unless anybody has asked for the body, of which this alone tells.
  copyInit: (response) =>
    !response.headers.has('content-type') && /^ {2}Blob \(/m.test(Bun.inspect(response)) ? undefined : response,
  every(ms, run) {
    const timer = setInterval(run, ms) as unknown as { unref(): void };
    timer.unref();
    return () => clearInterval(timer as unknown as number);
  },
};
