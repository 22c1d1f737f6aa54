import { AsyncLocalStorage } from 'node:async_hooks';
import { createAsyncContext, type Runtime } from '../../src/runtime.ts';
import { Deno } from './shim.ts';

/** For `createTelemetry` of `edgespan/core`. */
export const runtime: Runtime = {
  name: 'deno',
  env: readEnv(),
  context: createAsyncContext(new AsyncLocalStorage()),
  readFile: (path) => Deno.readTextFileSync(path),
  copyInit(response) {
    const { status, statusText, url } = response;
    // Of what `fetch` has decoded Deno sends neither, where it serves that as it came.
    if (!url || !/^(gzip|br)$/i.test(response.headers.get('content-encoding') ?? '')) return response;
    const headers = new Headers(response.headers);
    for (const name of ['content-encoding', 'content-length']) headers.delete(name);
    return { status, statusText, headers };
  },
  every(ms, run) {
    const timer = setInterval(run, ms) as unknown as number;
    Deno.unrefTimer(timer);
    return () => clearInterval(timer);
  },
};

/** Where the process may not read its whole environment, those variables that it may. */
function readEnv(): Record<string, unknown> {
  try {
    return Deno.env.toObject();
  } catch {
    return new Proxy({}, { get: (_, name) => readVariable(String(name)) });
  }
}

/** Asked before, since reading what is not allowed may ask whoever sits at the terminal. */
function readVariable(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: 'env', variable });
  return state === 'granted' ? Deno.env.get(variable) : undefined;
}
