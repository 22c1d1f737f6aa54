import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { buildSync } from 'esbuild';
import { type Limit, median } from '../compare.ts';
import { createObservedFetch } from './streams.ts';

const importTimer = new URL('../import-timer.ts', import.meta.url).pathname;

/** Milliseconds that a fresh process needs to import a module. */
function timeImport(module: string): number {
  return Number(execFileSync(process.execPath, [importTimer, module], { encoding: 'utf8' }));
}

const core = new URL('../../dist/core.js', import.meta.url).pathname;

/** What a module takes above one without any content. */
function createImport(module: string): () => number {
  return () => timeImport(module) - timeImport('data:text/javascript,');
}

/** One minified file, `@opentelemetry/api` in it, as a Worker is deployed. */
function createBundleImport(): () => number {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const outfile = join(folder, 'bundle.mjs');
  buildSync({ entryPoints: [core], outfile, bundle: true, minify: true, format: 'esm', logLevel: 'error' });
  return createImport(outfile);
}

type Call = () => Promise<Response>;

/** Microseconds from the call to its first byte. */
async function timeFirstByte(call: Call): Promise<number> {
  const start = performance.now();
  const reader = (await call()).body!.getReader();
  await reader.read();
  const end = performance.now();
  await reader.cancel();
  return (end - start) * 1000;
}

function createDelay(): () => Promise<number> {
  const { telemetry, request, bareRequest } = createObservedFetch();
  return async () => {
    const delays: number[] = [];
    for (let i = 0; i < 200; i++) {
      const [bare, ours] = [await timeFirstByte(bareRequest), await timeFirstByte(request)];
      delays.push(ours - bare);
    }
    await telemetry.flush();
    return median(delays);
  };
}

const openStreams = 1000;

/** Bytes that one body takes while it is being read. */
async function weighStream(call: Call): Promise<number> {
  const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  globalThis.gc!();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < openStreams; i++) {
    const reader = (await call()).body!.getReader();
    await reader.read();
    await reader.read();
    readers.push(reader);
  }
  globalThis.gc!();
  const bytes = (process.memoryUsage().heapUsed - before) / openStreams;
  for (const reader of readers) await reader.cancel();
  return bytes;
}

function createWeight(): () => Promise<number> {
  const { telemetry, request, bareRequest } = createObservedFetch();
  return async () => {
    const bytes = (await weighStream(request)) - (await weighStream(bareRequest));
    await telemetry.flush();
    return bytes / 1024;
  };
}

/** What a library may cost that has no peer to be compared with. */
export function createLimits(): Limit[] {
  return [
    { name: 'delay of the first byte', unit: 'µs', limit: 50, samples: 15, sample: createDelay() },
    { name: 'import of edgespan/core', unit: 'ms', limit: 2, samples: 15, sample: createImport(core) },
    { name: 'import of edgespan/core as one file', unit: 'ms', limit: 2, samples: 15, sample: createBundleImport() },
    { name: 'heap of an open stream', unit: 'KiB', limit: 8, samples: 7, sample: createWeight() },
  ];
}
