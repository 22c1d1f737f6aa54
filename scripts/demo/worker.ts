import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

/** The example Worker in one module, as wrangler would bundle it. */
export async function buildWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['examples/worker/worker.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}

/** Runs it on workerd with the flags of `wrangler.toml`. */
export async function startWorker(script: string, bindings: Record<string, string>) {
  const miniflare = new Miniflare({
    modules: true,
    script,
    compatibilityDate: '2026-08-03',
    compatibilityFlags: ['nodejs_als', 'enable_request_signal'],
    bindings,
    host: '127.0.0.1',
    port: 0,
  });
  const url = await miniflare.ready;
  return { url, stop: () => miniflare.dispose() };
}
