import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Load, LoadResult } from './collector-load.ts';

/** What a collector bears, of its own process, from a generator of another one, over loopback. */
export interface CollectorResult {
  readonly store: 'memory' | 'sqlite';
  readonly format: Load['format'];
  readonly spansPerSecond: number;
  /** By the time that the collector was given, which tells more where others work on the machine. */
  readonly spansPerCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** MiB, in the second quarter of the time and in the last: what is kept is full by then. */
  readonly memoryMiB: readonly [number, number];
  readonly cores: number;
  /** Of the machine, over a minute: others may have worked on it too. */
  readonly loadAverage: number;
  readonly overload: {
    readonly offeredSpansPerSecond: number;
    readonly takenSpansPerSecond: number;
    readonly taken: number;
    readonly refused: number;
    /** Of those that were refused. */
    readonly withRetryAfter: number;
    readonly broken: number;
    /** Spans that were answered 200 and are not in the store; only SQLite can be asked afterwards. */
    readonly lost: number | undefined;
  };
}

const spansPerRequest = 10;
/** What Rastir states for one worker: 1,000 requests of 10 spans a second; the goal is five times that. */
const stated = 10_000;
const goal = 5 * stated;
/** For twice of what it bears requests are bigger, so that the generator is not the first to be out of breath. */
const overloadSpans = 200;
const overloadConnections = 500;
const maxOverloadSeconds = 20;

const root = new URL('../', import.meta.url).pathname;

/** Stores and formats are all, or those that are `asked` for by name. */
export async function measureCollector(
  { seconds, asked }: { seconds: number; asked: readonly string[] },
  report: (result: CollectorResult) => void,
): Promise<CollectorResult[]> {
  const results: CollectorResult[] = [];
  const choose = <T extends string>(all: readonly T[]): readonly T[] => {
    const some = all.filter((each) => asked.includes(each));
    return some.length > 0 ? some : all;
  };
  for (const store of choose(['memory', 'sqlite'])) {
    for (const format of choose(['json', 'protobuf'])) {
      const result = await measure(store, format, seconds);
      results.push(result);
      report(result);
    }
  }
  return results;
}

async function measure(
  store: CollectorResult['store'],
  format: Load['format'],
  seconds: number,
): Promise<CollectorResult> {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-bench-'));
  try {
    const bearing = await startCollector(store, join(folder, 'bearing.db'));
    const memory = watchMemory(bearing.child);
    const borne = await generate({ url: bearing.url, format, spans: spansPerRequest, seconds, connections: 64 });
    const memoryMiB = memory.stop();
    const cpuSeconds = readCpuSeconds(bearing.child.pid);
    await bearing.stop();
    const requestsPerSecond = (borne.statuses[200] ?? 0) / borne.seconds;
    const loadAverage = loadavg()[0]!;
    const overload = await measureOverload(store, format, join(folder, 'overload.db'), {
      seconds: Math.min(seconds, maxOverloadSeconds),
      spansPerSecond: 2 * requestsPerSecond * spansPerRequest,
    });
    const { p50Ms, p99Ms } = borne;
    const spansPerSecond = requestsPerSecond * spansPerRequest;
    const spansPerCpuSecond = ((borne.statuses[200] ?? 0) * spansPerRequest) / cpuSeconds;
    return {
      store,
      format,
      spansPerSecond,
      spansPerCpuSecond,
      p50Ms,
      p99Ms,
      memoryMiB,
      cores: availableParallelism(),
      loadAverage,
      overload,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureOverload(
  store: CollectorResult['store'],
  format: Load['format'],
  path: string,
  { seconds, spansPerSecond }: { seconds: number; spansPerSecond: number },
): Promise<CollectorResult['overload']> {
  // Nothing leaves the store by its own bounds, so that all that was taken can be counted; and the queue has room for
  // what comes in a second, so that a short time is enough to fill it.
  const queueMax = String(Math.ceil(Math.max(10 * overloadSpans, spansPerSecond / 2)));
  const { url, stop } = await startCollector(store, path, ['--max-traces', '100000000', '--queue-max', queueMax]);
  const result = await generate({
    ...{ url, format, seconds, spans: overloadSpans },
    connections: overloadConnections,
    rate: spansPerSecond / overloadSpans,
  });
  await stop();
  const taken = result.statuses[200] ?? 0;
  return {
    offeredSpansPerSecond: (result.sent * overloadSpans) / seconds,
    takenSpansPerSecond: (taken * overloadSpans) / result.seconds,
    taken,
    refused: (result.statuses[429] ?? 0) + (result.statuses[503] ?? 0),
    withRetryAfter: result.retryAfter,
    broken: result.statuses[0] ?? 0,
    lost: store === 'sqlite' ? taken * overloadSpans - countSpans(path) : undefined,
  };
}

function countSpans(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const [row] = database.prepare('SELECT COUNT(*) AS n FROM spans').all();
  database.close();
  return Number(row?.n);
}

async function startCollector(store: CollectorResult['store'], path: string, more: readonly string[] = []) {
  const where = store === 'memory' ? 'memory' : `sqlite:${path}`;
  const args = [join(root, 'dist/cli.js'), 'collector', '--port', '0', '--json', '--store', where, ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  for await (const line of createInterface({ input: child.stdout! })) {
    const { event, url } = JSON.parse(line) as { event: string; url: string };
    if (event !== 'listening') continue;
    const stop = () => {
      child.kill('SIGTERM');
      return ended;
    };
    child.stdout!.resume();
    return { child, url, stop };
  }
  throw new Error('the collector did not start');
}

async function generate(load: Load): Promise<LoadResult> {
  const child = spawn(process.execPath, [join(root, 'bench/collector-load.ts'), JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout!) text += chunk;
  return JSON.parse(text) as LoadResult;
}

/** Resident memory, each half second, as the kernel has it. */
function watchMemory({ pid }: ChildProcess) {
  const samples: number[] = [];
  const timer = setInterval(() => {
    const kib = Number(/VmRSS:\s+(\d+)/.exec(readProcess(pid, 'status'))?.[1]);
    if (kib > 0) samples.push(kib / 1024);
  }, 500);
  return {
    stop(): [number, number] {
      clearInterval(timer);
      const quarter = Math.ceil(samples.length / 4);
      const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
      return [mean(samples.slice(quarter, 2 * quarter)), mean(samples.slice(-quarter))];
    },
  };
}

/** User and system time so far; the kernel counts in hundredths of a second. */
function readCpuSeconds(pid: number | undefined): number {
  const fields = readProcess(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function readProcess(pid: number | undefined, what: 'status' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8');
  } catch {
    return '';
  }
}

export const collectorHeader =
  'store   format    spans/s  goal  spans/cpu s   p50 ms  p99 ms  memory MiB   load | at twice that: offered/s  taken/s  refused  Retry-After  broken  lost';

export function renderCollector(result: CollectorResult): string {
  const { store, format, spansPerSecond, spansPerCpuSecond, p50Ms, p99Ms, memoryMiB, loadAverage, overload } = result;
  const { offeredSpansPerSecond, takenSpansPerSecond, refused, withRetryAfter, broken, lost } = overload;
  return [
    store.padEnd(7),
    format.padEnd(8),
    spansPerSecond.toFixed(0).padStart(8),
    `${(spansPerSecond / goal).toFixed(2)}×`.padStart(6),
    spansPerCpuSecond.toFixed(0).padStart(11),
    p50Ms.toFixed(1).padStart(7),
    p99Ms.toFixed(1).padStart(7),
    memoryMiB
      .map((mib) => mib.toFixed(0))
      .join(' → ')
      .padStart(11),
    loadAverage.toFixed(1).padStart(6),
    '|',
    offeredSpansPerSecond.toFixed(0).padStart(24),
    takenSpansPerSecond.toFixed(0).padStart(8),
    `${refused}`.padStart(8),
    `${withRetryAfter}`.padStart(12),
    `${broken}`.padStart(7),
    `${lost ?? ''}`.padStart(5),
  ].join(' ');
}
