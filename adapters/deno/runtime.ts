import { AsyncLocalStorage } from 'node:async_hooks';
import { createAsyncContext, type Runtime } from '../../src/runtime.ts';
import { Deno } from './shim.ts';

/** For `createTelemetry` of `edgespan/core`. */
export const runtime: Runtime = {
  name: 'deno',
  env: readEnv(),
  context: createAsyncContext(new AsyncLocalStorage()),
  readFile: (path) => Deno.readTextFileSync(path),
  every(ms, run) {
    const timer = setInterval(run, ms) as unknown as number;
    Deno.unrefTimer(timer);
    return () => clearInterval(timer);
  },
};

/** Empty where the process may not read its environment. */
function readEnv(): Record<string, string> {
  try {
    return Deno.env.toObject();
  } catch {
    return {};
  }
}
