import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { serve } from '@hono/node-server';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { createMcpHandler, McpServer as McpServer2 } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';
import { instrumentMcpServer, type McpOptions } from '../../adapters/mcp/index.ts';
import { createTelemetry, instrument } from '../../adapters/node/index.ts';

/**
 * A server of MCP in a process of its own: `1` or `2` for the SDK, `stdio` or `http`, and where the context stands. It
 * tells its spans at the end of its input, or at `/spans`.
 */
const [sdk = '1', kind = 'stdio', place = 'meta', bare = ''] = process.argv.slice(2);
const telemetry = createTelemetry({ inMemory: true, serviceName: 'tools' });

interface Registering {
  registerTool(name: string, config: { inputSchema: never }, handler: never): unknown;
}

function addTools<S extends Registering>(server: S): S {
  const inputSchema = z.object({ a: z.number(), b: z.number() });
  const add = async ({ a, b }: { a: number; b: number }) => {
    // The later ones of calls at the same time come back first.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 20 - 2 * a)));
    return telemetry.span('sum', () => ({ content: [{ type: 'text', text: String(a + b) }] }));
  };
  server.registerTool('add', { inputSchema: inputSchema as never }, add as never);
  return server;
}

const info = { name: 'tools', version: '1.0.0' };
const watched = <S extends object>(server: S): S =>
  bare === 'bare' ? server : instrumentMcpServer(server, telemetry, { context: place } as McpOptions);
const createServer1 = () => watched(addTools(new McpServer1(info)));
const createServer2 = () => watched(addTools(new McpServer2(info)));

function listSpans(): string {
  return JSON.stringify(
    telemetry.spans.map((span) => {
      const { name, kind, attributes, links, parentSpanContext, status } = span;
      const parent = parentSpanContext?.spanId;
      return { ...span.spanContext(), name, kind, attributes, links: links.map((one) => one.context), parent, status };
    }),
  );
}

async function createHttpHandler(): Promise<(request: Request) => Promise<Response>> {
  if (sdk === '2') return createMcpHandler(createServer2).fetch;
  const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: randomUUID });
  await createServer1().connect(transport);
  return (request) => transport.handleRequest(request);
}

if (kind === 'http') {
  const answer = instrument(await createHttpHandler(), telemetry);
  const fetch = (request: Request) =>
    new URL(request.url).pathname === '/spans' ? new Response(listSpans()) : answer(request);
  serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`PORT ${port}`));
} else {
  if (sdk === '2') serveStdio(createServer2);
  else await createServer1().connect(new StdioServerTransport());
  process.stdin.on('end', () => process.stderr.write(`SPANS ${listSpans()}\n`));
}
