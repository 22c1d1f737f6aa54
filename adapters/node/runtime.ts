import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createAsyncContext, type Runtime } from '../../src/runtime.ts';

/** For `createTelemetry` of `edgespan/core`. */
export const runtime: Runtime = {
  name: 'nodejs',
  env: process.env,
  context: createAsyncContext(new AsyncLocalStorage()),
  readFile: (path) => readFileSync(path, 'utf8'),
  every(ms, run) {
    const timer = setInterval(run, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
