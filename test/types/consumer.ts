import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { root } from '../support/build.ts';

const clients = join(root, 'test', 'clients', 'node_modules');
const packages: Readonly<Record<string, string>> = {
  edgespan: root,
  vitest: join(root, 'node_modules', 'vitest'),
  '@opentelemetry/api': join(root, 'node_modules', '@opentelemetry', 'api'),
  '@opentelemetry/sdk-trace': join(root, 'node_modules', '@opentelemetry', 'sdk-trace'),
  '@cloudflare/workers-types': join(root, 'node_modules', '@cloudflare', 'workers-types'),
  openai: join(clients, 'openai'),
  '@google/genai': join(clients, '@google', 'genai'),
};

/** A user's project in a folder of its own, which finds `edgespan` by its package's exports and sees nothing of ours. */
export interface Consumer {
  readonly folder: string;
  remove(): void;
}

export function createConsumer(files: Readonly<Record<string, string>>): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-consumer-'));
  for (const [name, target] of Object.entries(packages)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link, 'dir');
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What a program wrote before it ended, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a package's command line with this Node. */
export function runNode(cli: string, args: readonly string[], cwd: string): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(root, 'node_modules', cli), ...args], {
    cwd,
    env: { PATH, HOME, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** TypeScript's errors about a project, one a line; none is an empty text. */
export async function typeCheck(folder: string): Promise<string> {
  const { code, output } = await runNode('typescript/bin/tsc', ['-p', folder, '--pretty', 'false'], folder);
  return code === 0 ? output : output || `tsc ended with ${code}`;
}
