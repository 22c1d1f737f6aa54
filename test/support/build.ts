import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The project's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url).href);

const sources = [
  'src',
  'adapters',
  'scripts/dashboard.ts',
  'scripts/merge-chunks.ts',
  'tsconfig.json',
  'tsup.config.ts',
  'tsup.types.config.ts',
];
const outputs = { js: ['dist/index.js', 'dist/cli.js'], types: ['dist/index.d.ts', 'dist/workers.d.ts'] };
const lock = join(root, 'node_modules', '.cache', 'edgespan-build.lock');
/** A build takes a quarter of a minute; a lock this old was left by a process that is gone. */
const staleMs = 180_000;

/**
 * Builds `dist/` where it is missing or older than the sources: JavaScript, and declarations unless `types` is false.
 * Test files that run at the same time in several processes wait for the one that builds.
 */
export async function ensureBuilt({ types = true }: { types?: boolean } = {}): Promise<void> {
  const isFresh = () => isUpToDate(outputs.js) && (!types || isUpToDate(outputs.types));
  while (!isFresh()) {
    if (!takeLock()) {
      await pause(100);
      continue;
    }
    try {
      if (!isUpToDate(outputs.js)) await tsup(['--silent']);
      if (types && !isUpToDate(outputs.types)) await tsup(['--silent', '--config', 'tsup.types.config.ts']);
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

function isUpToDate(files: readonly string[]): boolean {
  const newest = Math.max(...sources.map((path) => newestChange(join(root, path))));
  return files.every((file) => modified(join(root, file)) >= newest);
}

function newestChange(path: string): number {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

/** 0 for a file that is not there. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function takeLock(): boolean {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (isAbandoned()) rmSync(lock, { force: true });
    return false;
  }
}

function isAbandoned(): boolean {
  const since = modified(lock);
  if (since === 0) return false;
  if (Date.now() - since > staleMs) return true;
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'ESRCH';
  }
}

function tsup(args: string[]): Promise<void> {
  const cli = join(root, 'node_modules', 'tsup', 'dist', 'cli-default.js');
  const build = spawn(process.execPath, [cli, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [build.stdout, build.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    build.once('error', reject);
    build.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`tsup ended with ${code}\n${output}`))));
  });
}
