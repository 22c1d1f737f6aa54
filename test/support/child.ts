import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './build.ts';

export type ServerRuntime = 'node' | 'deno' | 'bun';

const bin = (name: string) => join(root, 'node_modules', '.bin', name);

function command(runtime: ServerRuntime, file: string, permissions: readonly string[]): [string, string[]] {
  if (runtime === 'node') return [process.execPath, [file]];
  if (runtime === 'deno') {
    const flags = [...permissions, '--unstable-kv', '--no-config', '--no-lock', '--no-remote'];
    return [bin('deno'), ['run', ...flags, file]];
  }
  return [bin('bun'), [file]];
}

/** A program under way, read line by line. */
export interface Child {
  readonly process: ChildProcess;
  readonly lines: readonly string[];
  /** The first line that begins so, now or later; rejects when the process ends without it. */
  line(start: string): Promise<string>;
  /** When it has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

/** Starts a bundled program with nothing of our environment but the path. */
export function startChild(
  runtime: ServerRuntime,
  file: string,
  env: Record<string, string> = {},
  more: readonly string[] = [],
  /** Of Deno. */
  permissions: readonly string[] = ['--allow-all'],
): Child {
  const [path, args] = command(runtime, file, permissions);
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(path, [...args, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, NO_COLOR: '1', ...env },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let [rest, stderr] = ['', ''];
  let over = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    for (const look of waiting) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Awaited<Child['ended']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      over = true;
      for (const look of waiting) look();
      resolve({ code, signal, stderr });
    });
  });

  function line(start: string): Promise<string> {
    return new Promise((resolve, reject) => {
      function look(): void {
        const found = lines.find((each) => each.startsWith(start));
        if (found === undefined && !over) return;
        waiting.delete(look);
        if (found === undefined) reject(new Error(`ended without "${start}": ${lines.join(' | ')} ${stderr}`));
        else resolve(found);
      }
      waiting.add(look);
      look();
    });
  }
  return { process: child, lines, line, ended };
}
