import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ensureBuilt, root } from './build.ts';

/** Who will run a program: workerd resolves packages as wrangler does, the others as Node does. */
export type Platform = 'workerd' | 'server';

/** A program and all it imports as one module; `edgespan` and its subpaths are the built ones. */
export async function bundle(program: string, platform: Platform): Promise<string> {
  await ensureBuilt({ types: false });
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: platform === 'workerd' ? 'browser' : 'node',
    conditions: platform === 'workerd' ? ['workerd', 'worker', 'browser'] : ['import'],
    external: ['node:*', 'cloudflare:*'],
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}

/** The same as a file, for runtimes that are started with a path. */
export async function bundleFile(name: string, program: string): Promise<string> {
  const folder = join(root, 'node_modules', '.cache', 'edgespan-test');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}-${process.pid}-${++count}.mjs`);
  writeFileSync(file, await bundle(program, 'server'));
  return file;
}

let count = 0;
