import { describe, expect, it, onTestFinished } from 'vitest';
import { instrumentMcpClient, type McpOptions } from '../../adapters/mcp/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';
import { isInstalled, remedy } from './installed.ts';
import type { ToldSpan } from './mcp-peers.ts';

const isHere = isInstalled('@modelcontextprotocol/sdk') && isInstalled('@modelcontextprotocol/client');
const { sdks, startServer } = isHere ? await import('./mcp-peers.ts') : { sdks: [], startServer: undefined as never };

it.skipIf(isHere)(`needs the SDKs of MCP: ${remedy}`, () => {});

type Sdk = (typeof sdks)[number];
const text = (answer: { content?: unknown }) => (answer.content as { text: string }[])[0]?.text;
const ofTool = <S extends { name: string }>(spans: readonly S[]) =>
  spans.filter(({ name }) => name === 'tools/call add');

const isWhole = (spans: readonly ToldSpan[]) =>
  ofTool(spans).every(({ links }) => links.every((link) => spans.some(({ spanId }) => spanId === link.spanId)));

/** Ten calls at the same time, each in a span of its own, to a server in another process. */
async function callTen(sdk: Sdk, kind: 'stdio' | 'http', options: McpOptions = {}, own?: typeof fetch) {
  const telemetry = createAlsTelemetry();
  const server = await startServer(sdk, kind, { place: options.context ?? 'meta', ...(own && { fetch: own }) });
  onTestFinished(() => server.stop());
  const client = instrumentMcpClient(sdk.createClient(), telemetry, options);
  await client.connect(server.transport);
  const call = (a: number) =>
    telemetry.span(`job ${a}`, async () => text(await client.callTool({ name: 'add', arguments: { a, b: 100 } })));
  const answers = await Promise.all(Array.from({ length: 10 }, (_, a) => call(a)));
  // The span of an HTTP request ends with its body, which the client need not wait for.
  if (kind === 'http') await expect.poll(async () => isWhole(await server.spans()), { timeout: 30_000 }).toBe(true);
  const overHttp = kind === 'http' ? await server.spans() : undefined;
  await client.close();
  const spans: readonly ToldSpan[] = overHttp ?? (await server.spans());
  return { telemetry, spans, answers };
}

describe.each(sdks)('$name', (sdk) => {
  it.each(['stdio', 'http'] as const)('is one trace over %s, and calls at the same time do not mix', async (kind) => {
    const { telemetry, spans, answers } = await callTen(sdk, kind);
    expect(answers).toEqual(Array.from({ length: 10 }, (_, a) => String(a + 100)));
    const called = ofTool(telemetry.spans);
    const served = ofTool(spans);
    expect([called.length, served.length]).toEqual([10, 10]);
    for (const span of called) {
      const { traceId, spanId } = span.spanContext();
      const id = span.attributes['jsonrpc.request.id'];
      const [own] = served.filter((one) => one.parent === spanId);
      expect(own).toMatchObject({ kind: 1, traceId });
      expect(own?.attributes).toMatchObject({ 'jsonrpc.request.id': id, remote: false, 'gen_ai.tool.name': 'add' });
      // What the handler did is a part of it.
      expect(spans.filter((one) => one.name === 'sum' && one.parent === own?.spanId)).toHaveLength(1);
      // Over HTTP the span of the request is another trace's, and linked.
      const http = spans.find((one) => one.spanId === own?.links[0]?.spanId);
      expect(http?.name).toBe(kind === 'http' ? 'POST' : undefined);
    }
    expect(called[0]).toMatchObject({ kind: 2, status: { code: 0 } });
    expect(called[0]!.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'add',
      'network.transport': kind === 'http' ? 'tcp' : 'pipe',
      remote: true,
    });
    const jobs = telemetry.spans.filter(({ name }) => name.startsWith('job '));
    expect(new Set(jobs.map((job) => job.spanContext().traceId)).size).toBe(10);
    expect(telemetry.metrics.value('llm_tool_executions_total', { tool_name: 'add', status: 'ok' })).toBe(10);
  });

  it('writes the header of each call for a server that looks there', async () => {
    const seen = new Map<string, string | null>();
    const own: typeof fetch = async (input, init) => {
      const body = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined;
      if (body?.method === 'tools/call') seen.set(String(body.id), new Headers(init?.headers).get('traceparent'));
      expect(body?.params?._meta?.traceparent).toBeUndefined();
      return fetch(input, init);
    };
    const { telemetry, spans } = await callTen(sdk, 'http', { context: 'header' }, own);
    const called = ofTool(telemetry.spans);
    expect(called).toHaveLength(10);
    for (const span of called) {
      const { traceId, spanId } = span.spanContext();
      expect(seen.get(String(span.attributes['jsonrpc.request.id']))).toBe(`00-${traceId}-${spanId}-03`);
      expect(ofTool(spans).filter((one) => one.parent === spanId)).toHaveLength(1);
    }
  });

  it('writes the arguments that Rastir has, and takes them off before the tool sees them', async () => {
    const { telemetry, spans, answers } = await callTen(sdk, 'stdio', { context: 'arguments' });
    expect(answers[3]).toBe('103');
    const parents = ofTool(spans).map(({ parent }) => parent);
    expect(parents.sort()).toEqual(
      ofTool(telemetry.spans)
        .map((span) => span.spanContext().spanId)
        .sort(),
    );
  });

  it('asks a server that knows nothing of it', async () => {
    const telemetry = createAlsTelemetry();
    const server = await startServer(sdk, 'http', { bare: true });
    onTestFinished(() => server.stop());
    const client = instrumentMcpClient(sdk.createClient(), telemetry);
    await client.connect(server.transport);
    expect(text(await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } }))).toBe('3');
    expect(ofTool(await server.spans())).toEqual([]);
    expect(ofTool(telemetry.spans)).toHaveLength(1);
    await client.close();
  });

  it('is asked by a client that knows nothing of it', async () => {
    const server = await startServer(sdk, 'stdio');
    const client = sdk.createClient();
    await client.connect(server.transport);
    expect(text(await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } }))).toBe('3');
    await client.close();
    const [served] = ofTool(await server.spans());
    expect([served?.parent, served?.links]).toEqual([undefined, []]);
  });
});
