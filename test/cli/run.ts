import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { runCli } from '../../adapters/cli/cli.ts';
import { root } from '../support/build.ts';
import { type Child, type ServerRuntime, startChild } from '../support/child.ts';

/** The built CLI: one file, as `npx` runs it. */
export const cliFile = join(root, 'dist', 'cli.js');

type Env = Record<string, string>;

/** Runs a command to its end. */
export async function run(args: readonly string[], env: Env = {}) {
  const child = startChild('node', cliFile, env, args);
  const { code, stderr } = await child.ended;
  return { code, stderr, stdout: child.lines.join('\n') };
}

/** The same commands in this process, where a test has many of them. */
export async function runHere(args: readonly string[], env: Env = {}) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCli(args, {
    env,
    out: (line) => out.push(line),
    error: (line) => errors.push(line),
    json: (value) => out.push(JSON.stringify(value)),
    style: (_, text) => text,
  });
  return { code, stdout: out.join('\n'), stderr: errors.join('\n') };
}

export interface RunningCollector extends Child {
  readonly url: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** Spans as OTLP JSON, one request. */
  send(body: unknown, headers?: Record<string, string>): Promise<Response>;
  stop(signal?: NodeJS.Signals): Promise<Awaited<Child['ended']>>;
}

/** A collector on a free port, once it listens. */
export async function startCollector(
  args: readonly string[] = [],
  env: Env = {},
  runtime: ServerRuntime = 'node',
): Promise<RunningCollector> {
  const child = startChild(runtime, cliFile, env, ['collector', '--port', '0', '--json', ...args]);
  running.add(child);
  const { url } = JSON.parse(await child.line('{"event":"listening"')) as { url: string };
  return {
    ...child,
    url,
    get: (path, headers = {}) => fetch(url + path, { headers }),
    send: (body, headers = {}) =>
      fetch(`${url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    stop(signal = 'SIGTERM') {
      child.process.kill(signal);
      return child.ended;
    },
  };
}

const running = new Set<Child>();
const folders: string[] = [];
afterAll(() => {
  for (const { process } of running) process.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A path in a folder of its own, which goes with the test file. */
export function newPath(name: string, text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-cli-'));
  folders.push(folder);
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

/** A request with a trace of so many model calls under a root. */
export function traceOf(id: number, { spans = 10, service = 'shop' } = {}) {
  const traceId = id.toString(16).padStart(32, '0');
  const startNs = 1_700_000_000_000_000_000n + BigInt(id) * 1_000_000n;
  const spanIdOf = (index: number) => (id * 1000 + index + 1).toString(16).padStart(16, '0');
  const list = Array.from({ length: spans }, (_, index) => ({
    traceId,
    spanId: spanIdOf(index),
    ...(index > 0 && { parentSpanId: spanIdOf(0) }),
    name: index > 0 ? 'chat gpt-4o' : 'answer',
    kind: index > 0 ? 3 : 1,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 250_000_000n),
    attributes: index > 0 ? callAttributes : [],
  }));
  return {
    traceId,
    body: {
      resourceSpans: [
        {
          resource: { attributes: [text('service.name', service)] },
          scopeSpans: [{ scope: { name: 'test' }, spans: list }],
        },
      ],
    },
  };
}

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const count = (key: string, intValue: number) => ({ key, value: { intValue: String(intValue) } });
const callAttributes = [
  text('gen_ai.operation.name', 'chat'),
  text('gen_ai.provider.name', 'openai'),
  text('gen_ai.request.model', 'gpt-4o'),
  count('gen_ai.usage.input_tokens', 1000),
  count('gen_ai.usage.output_tokens', 500),
];
