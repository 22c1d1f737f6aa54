import { spawn, spawnSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';

/** On CI nothing is skipped: a peer that is missing there fails its tests. */
export const required = process.env.CI === 'true';

/** Languages that a machine may lack, CI's too. */
const optional: readonly string[] = ['go', 'python3'];

/** Whether a test that needs this program is skipped. */
export function isMissing(command: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(command, args);
  if (optional.includes(command) && (error as { code?: string } | undefined)?.code === 'ENOENT') return true;
  return !required && status !== 0;
}

/** A program of others that runs beside the test. */
export interface Peer {
  /** What it has written so far. */
  output(): string;
  stop(): Promise<void>;
}

const maxOutput = 200_000;
const killAfterMs = 10_000;

export function startPeer(command: string, args: readonly string[]): Peer {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-maxOutput);
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      output += String(error);
      resolve();
    });
    child.once('close', () => resolve());
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    output: () => output,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(kill, killAfterMs);
      await ended;
      clearTimeout(timer);
      process.off('exit', kill);
    },
  };
}

/** Ports that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

const defaultPatienceMs = 30_000;

/** Looks until there is something to see. What has thrown, or was seen last, is in the error of the one who waits in vain. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  patienceMs: number = defaultPatienceMs,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  let problem: unknown;
  while (performance.now() < deadline) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    await pause(50);
  }
  throw new Error(`waited in vain for ${what}`, { cause: problem });
}
