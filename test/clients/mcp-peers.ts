import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { versionOf } from './installed.ts';

/** What the tests do with a client of either SDK. */
export interface McpClient {
  connect(transport: unknown): Promise<void>;
  callTool(params: object): Promise<{ content?: unknown; isError?: boolean; structuredContent?: unknown }>;
  listTools(): Promise<{ tools: { name: string }[] }>;
  close(): Promise<void>;
}

export interface Sdk {
  readonly name: string;
  /** The one of the server's program. */
  readonly major: '1' | '2';
  readonly createClient: () => McpClient;
  readonly createHttp: (url: URL, options?: { fetch?: typeof fetch }) => object;
  readonly createStdio: (options: { command: string; args: string[]; stderr: 'pipe' }) => object;
}

const info = { name: 'app', version: '1.0.0' };
const as = (client: unknown) => client as McpClient;

export const sdks: readonly Sdk[] = [
  {
    name: `SDK ${versionOf('@modelcontextprotocol/sdk')}`,
    major: '1',
    createClient: () => as(new Client1(info)),
    createHttp: (url, options) => new Http1(url, options),
    createStdio: (options) => new Stdio1(options),
  },
  {
    name: `SDK ${versionOf('@modelcontextprotocol/client')}, protocol of 2025`,
    major: '2',
    createClient: () => as(new Client2(info)),
    createHttp: (url, options) => new Http2(url, options),
    createStdio: (options) => new Stdio2(options),
  },
  {
    name: `SDK ${versionOf('@modelcontextprotocol/client')}, protocol of 2026`,
    major: '2',
    createClient: () => as(new Client2(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } })),
    createHttp: (url, options) => new Http2(url, options),
    createStdio: (options) => new Stdio2(options),
  },
];

/** A span as the server's program tells it. */
export interface ToldSpan {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly links: readonly { traceId: string; spanId: string }[];
  readonly parent?: string;
  readonly status: { code: number };
  readonly traceId: string;
  readonly spanId: string;
}

/** A server in a process of its own, and how to reach it. */
export interface McpServerProcess {
  readonly transport: object;
  /** Of a server over HTTP: now. Of one over stdio: once its client has closed. */
  spans(): Promise<readonly ToldSpan[]>;
  stop(): Promise<void>;
}

const program = new URL('mcp-server.program.ts', import.meta.url).pathname;

export async function startServer(
  sdk: Sdk,
  kind: 'stdio' | 'http',
  { place = 'meta', bare = false, fetch: own }: { place?: string; bare?: boolean; fetch?: typeof fetch } = {},
): Promise<McpServerProcess> {
  const args = [program, sdk.major, kind, place, ...(bare ? ['bare'] : [])];
  if (kind === 'stdio') return overStdio(sdk, args);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await readLine(child, 'PORT ');
  const url = `http://127.0.0.1:${port}`;
  return {
    transport: sdk.createHttp(new URL('/mcp', url), own ? { fetch: own } : {}),
    spans: async () => (await (await fetch(`${url}/spans`)).json()) as ToldSpan[],
    async stop() {
      child.kill();
      await once(child, 'close');
    },
  };
}

function overStdio(sdk: Sdk, args: string[]): McpServerProcess {
  const transport = sdk.createStdio({ command: process.execPath, args, stderr: 'pipe' });
  const { stderr } = transport as { stderr: NodeJS.ReadableStream };
  const said = (async () => {
    for await (const line of createInterface({ input: stderr })) if (line.startsWith('SPANS ')) return line.slice(6);
    throw new Error('the server told no spans');
  })();
  said.catch(() => {});
  return { transport, spans: async () => JSON.parse(await said) as ToldSpan[], stop: async () => {} };
}

async function readLine(child: ChildProcess, start: string): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! }))
    if (line.startsWith(start)) return line.slice(start.length);
  throw new Error(`ended without ${start}`);
}
