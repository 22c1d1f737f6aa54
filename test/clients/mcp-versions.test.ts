import { expect, it } from 'vitest';
import { instrumentMcpClient, instrumentMcpServer } from '../../adapters/mcp/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';
import { isInstalled, remedy } from './installed.ts';

const installed = isInstalled('@modelcontextprotocol/sdk') && isInstalled('@modelcontextprotocol/server');
const sdks = installed
  ? {
      client1: (await import('@modelcontextprotocol/sdk/client/index.js')).Client,
      client2: (await import('@modelcontextprotocol/client')).Client,
      server1: (await import('@modelcontextprotocol/sdk/server/mcp.js')).McpServer,
      server2: (await import('@modelcontextprotocol/server')).McpServer,
      memory: (await import('@modelcontextprotocol/sdk/inMemory.js')).InMemoryTransport,
      z: (await import('zod')).z,
    }
  : undefined!;

const info = { name: 'x', version: '1.0.0' };

/** What both SDKs have in common, as far as the test goes. */
interface Client {
  connect(transport: unknown): Promise<void>;
  callTool(params: object): Promise<{ isError?: boolean; content: { text: string }[] }>;
  close(): Promise<void>;
}
interface Server {
  connect(transport: unknown): Promise<void>;
  registerTool(name: string, config: object, handler: (args: { a: number }) => unknown): unknown;
}

it.skipIf(!installed).each([
  ['1', '2'],
  ['2', '1'],
] as const)(`a client of SDK %s and a server of SDK %s are one trace (${remedy})`, async (mine, theirs) => {
  const [caller, called] = [createAlsTelemetry(), createAlsTelemetry()];
  const server = instrumentMcpServer(new sdks[`server${theirs}`](info) as unknown as Server, called);
  server.registerTool('echo', { inputSchema: sdks.z.object({ a: sdks.z.number() }) }, ({ a }) =>
    called.span(`work ${a}`, () => ({ content: [{ type: 'text', text: String(a) }] })),
  );
  const client = instrumentMcpClient(new sdks[`client${mine}`](info) as unknown as Client, caller);
  const [near, far] = sdks.memory.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  const numbers = Array.from({ length: 10 }, (_, index) => index);
  const call = (a: number) => caller.span(`job ${a}`, () => client.callTool({ name: 'echo', arguments: { a } }));
  const answers = await Promise.all(numbers.map(call));
  expect(answers.map(({ content }) => content[0]?.text)).toEqual(numbers.map(String));
  // What is told of a tool that nobody has differs by the server: a result with an error, or an error.
  await client.callTool({ name: 'none', arguments: {} }).catch(() => {});
  await client.close();
  const all = [...caller.spans, ...called.spans];
  const byId = new Map(all.map((span) => [span.spanContext().spanId, span]));
  const path = (span: (typeof all)[number] | undefined): string[] =>
    span ? [...path(byId.get(span.parentSpanContext?.spanId ?? '')), span.name] : [];
  for (const a of numbers) {
    const work = called.spans.find(({ name }) => name === `work ${a}`);
    expect(path(work)).toEqual([`job ${a}`, 'tools/call echo', 'tools/call echo', `work ${a}`]);
  }
  const none = all.filter(({ name }) => name === 'tools/call none');
  expect(none.map(({ kind, status }) => [kind, status.code])).toEqual([
    [2, 2],
    [1, theirs === '1' ? 2 : 0],
  ]);
  expect(caller.metrics.value('llm_tool_executions_total', { status: 'ok' })).toBe(10);
  expect(caller.metrics.value('llm_tool_executions_total', { status: 'error' })).toBe(1);
});
