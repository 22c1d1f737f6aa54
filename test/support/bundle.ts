import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
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

const folder = join(root, 'node_modules', '.cache', 'edgespan-test');
const keepMs = 3_600_000;

/** The same as a file, for runtimes that are started with a path. Files of earlier runs go after an hour. */
export async function bundleFile(name: string, program: string): Promise<string> {
  const text = await bundle(program, 'server');
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder)) {
    const path = join(folder, old);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - changed > keepMs) rmSync(path, { force: true });
  }
  const file = join(folder, `${name}-${process.pid}-${++count}.mjs`);
  writeFileSync(file, text);
  return file;
}

let count = 0;
