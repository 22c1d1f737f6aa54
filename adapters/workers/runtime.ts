import { env } from 'cloudflare:workers';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createAsyncContext, type Runtime } from '../../src/runtime.ts';

/** For `createTelemetry` of `edgespan/core`. Needs the compatibility flag `nodejs_als` or `nodejs_compat`. */
export const runtime: Runtime = {
  name: 'workerd',
  ephemeral: true,
  env: env as unknown as Record<string, unknown>,
  context: createAsyncContext(new AsyncLocalStorage()),
};
