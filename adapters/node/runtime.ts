import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import { createAsyncContext, type Runtime } from '../../src/runtime.ts';

/** For `createTelemetry` of `edgespan/core`. */
export const runtime: Runtime = {
  name: 'nodejs',
  env: process.env,
  context: createAsyncContext(new AsyncLocalStorage()),
  every(ms, run) {
    const timer = setInterval(run, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
