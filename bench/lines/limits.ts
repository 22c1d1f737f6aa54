import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { type Limit, median } from '../compare.ts';
import { createObservedFetch } from './streams.ts';

const importTimer = new URL('../import-timer.ts', import.meta.url).pathname;

/** Milliseconds that a fresh process needs to import a module. */
function timeImport(module: string): number {
  return Number(execFileSync(process.execPath, [importTimer, module], { encoding: 'utf8' }));
}

function timeCore(): number {
  return timeImport('../dist/core.js') - timeImport('./empty.ts');
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
    { name: 'import of edgespan/core', unit: 'ms', limit: 2, samples: 15, sample: timeCore },
    { name: 'heap of an open stream', unit: 'KiB', limit: 8, samples: 7, sample: createWeight() },
  ];
}
