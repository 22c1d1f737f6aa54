import { Miniflare, type MiniflareOptions } from 'miniflare';
import { bundle } from './bundle.ts';

/** With this date `nodejs_compat` is not on by itself; the flags are those of `wrangler.toml`. */
const platform = { compatibilityDate: '2026-08-03', compatibilityFlags: ['nodejs_als', 'enable_request_signal'] };

export type StartedWorker = Awaited<ReturnType<typeof startWorker>>;

/** A Worker in real workerd; `program` is a module, or imports one by its path from the project's root. */
export async function startWorker(program: string, options: Partial<MiniflareOptions> = {}) {
  const script = await bundle(program, 'workerd');
  const stderr: string[] = [];
  const miniflare = new Miniflare({
    modules: true,
    script,
    ...platform,
    host: '127.0.0.1',
    port: 0,
    unsafeTriggerHandlers: true,
    handleRuntimeStdio(_: unknown, errors: NodeJS.ReadableStream) {
      errors.on('data', (chunk) => stderr.push(String(chunk)));
    },
    ...options,
  } as MiniflareOptions);
  try {
    const url = await miniflare.ready;
    return { miniflare, url, stderr, stop: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose().catch(() => {});
    throw new Error(stderr.join('') || String(error), { cause: error });
  }
}
