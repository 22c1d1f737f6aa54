import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { onTestFinished } from 'vitest';
import { root } from '../support/build.ts';

const clients = join(root, 'test', 'clients', 'node_modules');
/** Where a user's project has its packages from. */
export const packages: Readonly<Record<string, string>> = {
  edgespan: root,
  vitest: join(root, 'node_modules', 'vitest'),
  '@opentelemetry/api': join(root, 'node_modules', '@opentelemetry', 'api'),
  '@opentelemetry/sdk-trace': join(root, 'node_modules', '@opentelemetry', 'sdk-trace'),
  '@types/node': join(root, 'node_modules', '@types', 'node'),
  '@cloudflare/workers-types': join(root, 'node_modules', '@cloudflare', 'workers-types'),
  hono: join(root, 'node_modules', 'hono'),
  '@hono/node-server': join(root, 'node_modules', '@hono', 'node-server'),
  openai: join(clients, 'openai'),
  ai: join(clients, 'ai'),
  '@ai-sdk/openai': join(clients, '@ai-sdk', 'openai'),
  '@anthropic-ai/sdk': join(clients, '@anthropic-ai', 'sdk'),
  '@google/genai': join(clients, '@google', 'genai'),
  '@langchain/openai': join(clients, '@langchain', 'openai'),
  '@langchain/langgraph': join(clients, '@langchain', 'langgraph'),
  '@openai/agents': join(clients, '@openai', 'agents'),
  '@modelcontextprotocol/sdk': join(clients, '@modelcontextprotocol', 'sdk'),
  ioredis: join(clients, 'ioredis'),
  zod: join(clients, 'zod'),
};

/** What the project's users write: the programs of `../shared/api`, where that folder is. */
export const shared = join(root, '..', 'shared', 'api');
export const hasShared = existsSync(shared);

/** The text of one of our programs. */
export function readProgram(name: string): string {
  return readFileSync(join(root, 'test', 'types', 'programs', name), 'utf8');
}

/** One of our programs and, where it is at hand, the one it is the equal of: names and texts. */
export function listPrograms(own: string, original: string): [name: string, text: string][] {
  const ours: [string, string] = [own, readProgram(own)];
  return hasShared ? [ours, [original, readFileSync(join(shared, original), 'utf8')]] : [ours];
}

/**
 * A user's project in a folder of its own, which finds `edgespan` by its package's exports and sees nothing of ours.
 * It is there until the test has ended.
 */
export function createConsumer(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-consumer-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, target] of Object.entries(packages)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link, 'dir');
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
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
