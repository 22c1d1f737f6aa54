import { loadMcpTools } from '@langchain/mcp-adapters';
import { Client as Client2, InMemoryTransport as Memory2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import type {
  CreateTaskRequestHandlerExtra,
  TaskRequestHandlerExtra,
} from '@modelcontextprotocol/sdk/experimental/tasks/interfaces.js';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { InMemoryTransport as Memory1 } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { acceptedContent, inputRequired, McpServer as McpServer2 } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { instrumentMcpClient, instrumentMcpServer, type McpOptions, mcpHandler } from '../../adapters/mcp/index.ts';
import type { Telemetry, TelemetryOptions } from '../../src/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

type Handler = (args: { a: number }, extra: Record<string, unknown>) => unknown;
type Message = { method?: string; params?: Record<string, unknown> };

/** What both SDKs' servers, clients and transports have in common, as far as the tests go. */
interface Server {
  registerTool(name: string, config: object, handler: Handler): unknown;
  registerPrompt(name: string, config: object, handler: () => unknown): unknown;
  registerResource(name: string, uri: string, config: object, handler: (uri: URL) => unknown): unknown;
  connect(transport: Transport): Promise<void>;
}
interface Client {
  connect(transport: Transport): Promise<void>;
  callTool(params: object, ...rest: unknown[]): Promise<{ isError?: boolean; content: { text: string }[] }>;
  getPrompt(params: object): Promise<unknown>;
  readResource(params: object): Promise<unknown>;
  listTools(): Promise<unknown>;
  complete(params: object): Promise<unknown>;
  close(): Promise<void>;
}
interface Transport {
  send(message: unknown): Promise<void>;
  onmessage?: (message: Message) => void;
  start(): Promise<void>;
}

const info = { name: 'x', version: '1.0.0' };
const sdks = [
  {
    name: 'SDK 1',
    createServer: () => new McpServer1(info) as unknown as Server,
    createClient: () => new Client1(info) as unknown as Client,
    createPair: () => Memory1.createLinkedPair() as unknown as [Transport, Transport],
  },
  {
    name: 'SDK 2',
    createServer: () => new McpServer2(info) as unknown as Server,
    createClient: () => new Client2(info) as unknown as Client,
    createPair: () => Memory2.createLinkedPair() as unknown as [Transport, Transport],
  },
];

type Sdk = (typeof sdks)[number];

const say = (text: string) => ({ content: [{ type: 'text', text }] });
const ids = (span: { spanContext(): { traceId: string; spanId: string } } | undefined) => span?.spanContext();

/** A client and a server in memory, each with a telemetry of its own. What goes over the wire is kept. */
async function connect(
  sdk: Sdk,
  {
    handler = ({ a }) => say(String(a)),
    here = {},
    there = {},
    options = {},
    shared = false,
  }: {
    handler?: Handler;
    here?: TelemetryOptions;
    there?: TelemetryOptions;
    options?: McpOptions;
    shared?: boolean;
  } = {},
) {
  const caller = createAlsTelemetry(here);
  const called = shared ? caller : createAlsTelemetry(there);
  const server = instrumentMcpServer(sdk.createServer(), called, options);
  server.registerTool('echo', { inputSchema: z.object({ a: z.number() }) }, handler);
  server.registerPrompt('greet', {}, () => ({ messages: [] }));
  server.registerResource('page', 'file:///page', {}, ({ href }) => ({ contents: [{ uri: href, text: 'x' }] }));
  const client = instrumentMcpClient(sdk.createClient(), caller, options);
  const [near, far] = sdk.createPair();
  const wire: Message[] = [];
  const send = near.send.bind(near);
  near.send = (message, ...rest) => {
    wire.push(message as Message);
    return send(message, ...(rest as []));
  };
  await server.connect(far);
  await client.connect(near);
  onTestFinished(() => client.close());
  const named = (telemetry: Telemetry, name: string) => telemetry.spans.filter((span) => span.name === name);
  return { caller, called, server, client, near, far, wire, named };
}

const echo = { name: 'echo', arguments: { a: 1 } };

let hanging = 0;
const hang: Handler = () => {
  hanging++;
  return new Promise(() => {});
};
beforeEach(() => {
  hanging = 0;
});

describe.each(sdks)('$name in memory', (sdk) => {
  it('is one trace, and each side counts the run', async () => {
    const { caller, called, client, named } = await connect(sdk);
    await caller.span('job', () => client.callTool(echo));
    const [asked] = named(caller, 'tools/call echo');
    const [served] = named(called, 'tools/call echo');
    expect(ids(served)?.traceId).toBe(ids(named(caller, 'job')[0])?.traceId);
    expect(served?.parentSpanContext?.spanId).toBe(ids(asked)?.spanId);
    expect([asked?.kind, served?.kind]).toEqual([2, 1]);
    expect([asked?.attributes.remote, served?.attributes.remote]).toEqual([true, false]);
    for (const telemetry of [caller, called])
      expect(telemetry.metrics.value('llm_tool_executions_total', { tool_name: 'echo' })).toBe(1);
  });

  it('counts the run once where both sides are one telemetry', async () => {
    const { caller, client } = await connect(sdk, { shared: true });
    await caller.span('research', { type: 'agent' }, () => client.callTool(echo));
    expect(caller.metrics.value('llm_tool_executions_total', { tool_name: 'echo' })).toBe(1);
    expect(caller.metrics.value('llm_tool_executions_total', { agent: 'research' })).toBe(1);
    expect(caller.metrics.value('llm_span_duration_seconds', { span_type: 'tool' })).toBe(1);
  });

  it('keeps what else is in _meta, and what it was given as it was', async () => {
    const { client, caller, wire } = await connect(sdk);
    const params = Object.freeze({ ...echo, _meta: Object.freeze({ 'com.example/key': 'kept', progressToken: 7 }) });
    await caller.span('job', () => client.callTool(params));
    const meta = wire.find(({ method }) => method === 'tools/call')?.params?._meta as Record<string, unknown>;
    expect(meta).toMatchObject({ 'com.example/key': 'kept', progressToken: 7 });
    expect(meta.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-03$/);
  });

  it('carries progress to who asked for it', async () => {
    const { client } = await connect(sdk, {
      handler: async ({ a }, extra) => {
        const { _meta, sendNotification, mcpReq } = extra as never as {
          _meta?: { progressToken: number };
          sendNotification?: (message: object) => Promise<void>;
          mcpReq?: { _meta: { progressToken: number }; notify: (message: object) => Promise<void> };
        };
        const { progressToken } = (_meta ?? mcpReq?._meta)!;
        const params = { progressToken, progress: 1 };
        await (sendNotification ?? mcpReq!.notify)({ method: 'notifications/progress', params });
        return say(String(a));
      },
    });
    const seen: unknown[] = [];
    const rest = [{ onprogress: (progress: unknown) => seen.push(progress) }];
    if (sdk.name === 'SDK 1') rest.unshift(undefined as never);
    await client.callTool(echo, ...rest);
    expect(seen).toEqual([{ progress: 1 }]);
  });

  it('names prompts and resources, and leaves the URI out of the name', async () => {
    const { client, caller, called, named } = await connect(sdk);
    await client.getPrompt({ name: 'greet' });
    await client.readResource({ uri: 'file:///page' });
    await client.listTools();
    for (const telemetry of [caller, called]) {
      expect(named(telemetry, 'prompts/get greet')[0]?.attributes['gen_ai.prompt.name']).toBe('greet');
      const [read] = named(telemetry, 'resources/read');
      expect(read?.attributes).toMatchObject({ 'mcp.resource.uri': 'file:///page' });
      expect(read?.attributes).not.toHaveProperty('gen_ai.operation.name');
      expect(named(telemetry, 'tools/list')).toHaveLength(1);
      expect(named(telemetry, 'initialize')).toHaveLength(1);
    }
  });

  it('names the version that both have agreed on, and the prompt that is completed', async () => {
    const { caller, called, client, named } = await connect(sdk);
    await client.callTool(echo);
    const ref = { type: 'ref/prompt', name: 'greet' };
    await client.complete({ ref, argument: { name: 'who', value: 'A' } }).catch(() => {});
    for (const telemetry of [caller, called]) {
      const [ran] = named(telemetry, 'tools/call echo');
      expect(ran?.attributes['mcp.protocol.version']).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
    const [completed] = named(caller, 'completion/complete greet');
    expect(completed?.attributes['gen_ai.prompt.name']).toBe('greet');
  });

  it('tells a tool that failed from a request that was wrong', async () => {
    const { client, caller, called, named } = await connect(sdk, {
      handler() {
        throw new Error('secret words');
      },
    });
    expect((await client.callTool(echo)).isError).toBe(true);
    await expect(client.getPrompt({ name: 'missing' })).rejects.toThrow();
    const states = (telemetry: Telemetry, name: string) => {
      const [span] = named(telemetry, name);
      return [span?.status.code, span?.attributes['error.type'], span?.attributes['rpc.response.status_code']];
    };
    expect(states(caller, 'tools/call echo')).toEqual([2, 'tool_error', undefined]);
    expect(states(called, 'tools/call echo')).toEqual([2, 'tool_error', undefined]);
    // Not the server's fault.
    expect(states(caller, 'prompts/get missing')).toEqual([2, '-32602', '-32602']);
    expect(states(called, 'prompts/get missing')).toEqual([0, undefined, '-32602']);
    expect(
      JSON.stringify(caller.spans.map(({ attributes, status, events }) => [attributes, status, events])),
    ).not.toMatch('secret words');
    expect(caller.metrics.value('llm_tool_executions_total', { tool_name: 'echo', status: 'error' })).toBe(1);
  });

  it('tells who gave up from what took too long', async () => {
    const { client, caller, called, named } = await connect(sdk, { handler: hang });
    const call = (options: object) =>
      client.callTool(echo, ...(sdk.name === 'SDK 1' ? [undefined, options] : [options]));
    const controller = new AbortController();
    const left = expect(call({ signal: controller.signal })).rejects.toThrow();
    await expect.poll(() => hanging).toBe(1);
    controller.abort();
    await left;
    await expect(call({ timeout: 1 })).rejects.toThrow();
    const [aborted, late] = named(caller, 'tools/call echo');
    expect([aborted?.status.code, aborted?.attributes['edgespan.aborted']]).toEqual([0, true]);
    expect([late?.status.code, late?.attributes['error.type']]).toEqual([2, 'timeout']);
    expect(named(called, 'tools/call echo')).toHaveLength(2);
  });

  it('ends what is open when the connection closes', async () => {
    const { client, caller, called, named } = await connect(sdk, { handler: hang });
    const lost = expect(client.callTool(echo)).rejects.toThrow();
    await expect.poll(() => hanging).toBe(1);
    await client.close();
    await lost;
    expect(named(caller, 'tools/call echo')[0]?.attributes['error.type']).toBe('ConnectionClosed');
    // To who was asked, its caller has left.
    const [served] = named(called, 'tools/call echo');
    expect([served?.status.code, served?.attributes['edgespan.aborted']]).toEqual([0, true]);
  });

  it('ignores a _meta that is none, and counts it', async () => {
    const { called, near, far } = await connect(sdk, { there: { onError() {} } });
    const answers: unknown[] = [];
    near.onmessage = (message) => answers.push(message);
    const odd = [{ traceparent: 5 }, { traceparent: 'no' }, { traceparent: '', tracestate: [] }, { baggage: {} }];
    for (const [id, _meta] of odd.entries())
      far.onmessage?.({ jsonrpc: '2.0', id, method: 'tools/call', params: { ...echo, _meta } } as Message);
    // The SDK itself refuses what is no object.
    far.onmessage?.({ jsonrpc: '2.0', id: 9, method: 'ping', params: { _meta: 'text' } } as Message);
    await expect.poll(() => answers.length).toBeGreaterThanOrEqual(4);
    expect(called.metrics.value('edgespan_parse_errors_total', { provider: 'mcp' })).toBe(5);
    const served = called.spans.filter(({ name }) => name === 'tools/call echo');
    expect(served.map(({ parentSpanContext }) => parentSpanContext)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('links a caller whose trace may not be continued', async () => {
    const { client, caller, called, named } = await connect(sdk, { there: { propagation: { trustIncoming: false } } });
    // Beside the caller's async context, as in another process.
    const answer = caller.span('job', () => client.callTool(echo));
    await answer;
    const [asked] = named(caller, 'tools/call echo');
    const [served] = named(called, 'tools/call echo');
    expect(served?.parentSpanContext).toBeUndefined();
    expect(served?.links[0]?.context).toMatchObject({ spanId: ids(asked)?.spanId });
  });

  it('adds to the span of a tool that wraps the call, and counts one run', async () => {
    const { client, caller, called, named } = await connect(sdk);
    const tool = caller.tool({ name: 'echo' }, () => client.callTool(echo));
    await tool();
    const [span] = named(caller, 'execute_tool echo');
    expect(named(caller, 'tools/call echo')).toEqual([]);
    expect(span?.attributes).toMatchObject({ 'mcp.method.name': 'tools/call', remote: true });
    expect(named(called, 'tools/call echo')[0]?.parentSpanContext?.spanId).toBe(ids(span)?.spanId);
    expect(caller.metrics.value('llm_tool_executions_total')).toBe(1);
  });

  it('counts one run of a tool that a wrapper of the server tells of too', async () => {
    const called = createAlsTelemetry();
    const server = instrumentMcpServer(sdk.createServer(), called);
    const wrapped = called.tool({ name: 'echo' }, (({ a }) => say(String(a))) as Handler);
    server.registerTool('echo', { inputSchema: z.object({ a: z.number() }) }, wrapped);
    const client = sdk.createClient();
    const [near, far] = sdk.createPair();
    await server.connect(far);
    await client.connect(near);
    await client.callTool(echo);
    expect(called.spans.map(({ name }) => name)).toContain('execute_tool echo');
    expect(called.metrics.value('llm_tool_executions_total', { tool_name: 'echo' })).toBe(1);
    await client.close();
  });

  it('traces the handler of a single tool, and none that its server has told of', async () => {
    const called = createAlsTelemetry();
    const caller = createAlsTelemetry();
    const handler = mcpHandler(called, async function echo({ a }: { a: number }, _extra: object) {
      return say(String(a));
    });
    for (const watch of [false, true]) {
      called.clearSpans();
      const server = watch ? instrumentMcpServer(sdk.createServer(), called) : sdk.createServer();
      server.registerTool('echo', { inputSchema: z.object({ a: z.number() }) }, handler);
      const client = instrumentMcpClient(sdk.createClient(), caller);
      const [near, far] = sdk.createPair();
      await server.connect(far);
      await client.connect(near);
      await client.callTool(echo);
      const served = called.spans.filter(({ name }) => name === 'tools/call echo');
      const asked = caller.spans.findLast(({ name }) => name === 'tools/call echo');
      expect(served.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([ids(asked)?.spanId]);
      await client.close();
    }
  });

  it('is the same object, connected before or not, and watched once', async () => {
    const telemetry = createAlsTelemetry();
    const server = sdk.createServer();
    server.registerTool('echo', { inputSchema: z.object({ a: z.number() }) }, ({ a }) => say(String(a)));
    const client = sdk.createClient();
    const [near, far] = sdk.createPair();
    await server.connect(far);
    await client.connect(near);
    expect(instrumentMcpClient(client, telemetry)).toBe(client);
    expect(instrumentMcpClient(client, telemetry)).toBe(client);
    expect(instrumentMcpServer(server, telemetry)).toBe(server);
    expect(await client.callTool(echo)).toMatchObject(say('1'));
    expect(telemetry.spans.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      '1 tools/call echo',
      '2 tools/call echo',
    ]);
    expect(() => instrumentMcpClient({}, telemetry)).toThrow(/has connect/);
    expect(() => instrumentMcpClient(client, telemetry, { context: 'body' as never })).toThrow(
      /context is "body": it must be "meta"/,
    );
    await client.close();
  });

  it('passes all through where telemetry is off', async () => {
    const { client, caller, wire } = await connect(sdk, { here: { enabled: false }, there: { enabled: false } });
    expect(await client.callTool(echo)).toMatchObject(say('1'));
    expect(caller.spans).toEqual([]);
    expect(JSON.stringify(wire)).not.toContain('traceparent');
  });

  it('keeps arguments and results where they are to be captured, and else not', async () => {
    const quiet = await connect(sdk);
    await quiet.client.callTool(echo);
    expect(JSON.stringify(quiet.caller.spans)).not.toContain('gen_ai.tool.call');
    const { client, caller, named } = await connect(sdk, { here: { capture: { inputs: true, outputs: true } } });
    await client.callTool(echo);
    const [span] = named(caller, 'tools/call echo');
    expect(span?.attributes['gen_ai.tool.call.arguments']).toBe('{"a":1}');
    expect(span?.attributes['gen_ai.tool.call.result']).toContain('"text":"1"');
  });

  it('measures what the conventions measure, for OTLP and by wish for Prometheus', async () => {
    const { client, caller, called } = await connect(sdk);
    await client.callTool(echo);
    const { metrics } = await caller.metrics.collect();
    const family = metrics.find(({ name }) => name === 'mcp.client.operation.duration');
    expect(family).toMatchObject({
      unit: 's',
      bounds: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
    });
    expect((await called.metrics.collect()).metrics.map(({ name }) => name)).toContain('mcp.server.operation.duration');
    expect(await caller.prometheus()).not.toContain('mcp_client');
    const open = await connect(sdk, { here: { metrics: { semconv: true } } });
    await open.client.callTool(echo);
    expect(await open.caller.prometheus()).toContain('mcp_client_operation_duration_seconds_bucket');
  });

  it('speaks as Rastir does where its preset is asked for', async () => {
    const preset = { metrics: { preset: 'rastir' as const } };
    const { client, caller, called } = await connect(sdk, { here: preset, there: preset });
    await client.callTool(echo);
    const spans = [...called.spans, ...caller.spans].filter(
      ({ attributes }) => attributes['rastir.tool_name'] === 'echo',
    );
    expect(spans.map(({ name, attributes }) => [name, attributes['rastir.remote']])).toEqual([
      ['mcpserver:echo', 'false'],
      ['echo', 'true'],
    ]);
    expect(caller.metrics.value('rastir_tool_calls_total', { tool_name: 'echo' })).toBe(1);
  });

  it('carries the context of tools that @langchain/mcp-adapters loads', async () => {
    const { client, caller, called, named } = await connect(sdk);
    const [tool] = await loadMcpTools('calc', client as never);
    await caller.span('job', () => tool?.invoke({ a: 3 }));
    const [asked] = named(caller, 'tools/call echo');
    expect(asked?.parentSpanContext?.spanId).toBe(ids(named(caller, 'job')[0])?.spanId);
    expect(named(called, 'tools/call echo')[0]?.parentSpanContext?.spanId).toBe(ids(asked)?.spanId);
  });
});

describe('SDK 1', () => {
  it('traces what a server asks of its client', async () => {
    const [caller, called] = [createAlsTelemetry(), createAlsTelemetry()];
    const server = instrumentMcpServer(new McpServer1(info), called);
    server.registerTool('ask', {}, async () => {
      const params = { messages: [], maxTokens: 1 };
      await server.server.createMessage(params);
      return say('done') as never;
    });
    const client = instrumentMcpClient(new Client1(info, { capabilities: { sampling: {} } }), caller);
    const answer = { model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'x' } };
    client.setRequestHandler(CreateMessageRequestSchema, () => answer);
    const [near, far] = Memory1.createLinkedPair();
    await Promise.all([server.connect(far), client.connect(near)]);
    await client.callTool({ name: 'ask' });
    const [asking] = called.spans.filter(({ name }) => name === 'sampling/createMessage');
    const [asked] = caller.spans.filter(({ name }) => name === 'sampling/createMessage');
    const [serving] = called.spans.filter(({ name }) => name === 'tools/call ask');
    expect([asking?.kind, asked?.kind]).toEqual([2, 1]);
    expect(asking?.parentSpanContext?.spanId).toBe(ids(serving)?.spanId);
    expect(asked?.parentSpanContext?.spanId).toBe(ids(asking)?.spanId);
    await client.close();
  });

  it('counts a run that goes on as a task by what became of it', async () => {
    const [caller, called] = [createAlsTelemetry(), createAlsTelemetry()];
    const capabilities = { tasks: { requests: { tools: { call: {} } } } };
    const taskStore = new InMemoryTaskStore();
    const server = instrumentMcpServer(new McpServer1(info, { capabilities, taskStore }), called);
    const config = { inputSchema: { ok: z.boolean() }, execution: { taskSupport: 'required' } };
    type Extra = CreateTaskRequestHandlerExtra & TaskRequestHandlerExtra;
    server.experimental.tasks.registerToolTask(
      'job',
      config as never,
      {
        async createTask({ ok }: { ok: boolean }, { taskStore: store }: Extra) {
          const task = await store.createTask({ ttl: 60_000, pollInterval: 1 });
          await store.storeTaskResult(task.taskId, ok ? 'completed' : 'failed', say('done') as never);
          return { task };
        },
        getTask: (_: unknown, { taskStore: store, taskId }: Extra) => store.getTask(taskId),
        getTaskResult: (_: unknown, { taskStore: store, taskId }: Extra) => store.getTaskResult(taskId),
      } as never,
    );
    const client = instrumentMcpClient(new Client1(info), caller);
    const [near, far] = Memory1.createLinkedPair();
    await Promise.all([server.connect(far), client.connect(near)]);
    // The client has to know that the tool is one of tasks.
    await client.listTools();
    const seen: string[] = [];
    for (const ok of [true, false]) {
      const messages = client.experimental.tasks.callToolStream({ name: 'job', arguments: { ok } });
      for await (const { type } of messages) seen.push(type);
    }
    expect(seen).toEqual(['taskCreated', 'taskStatus', 'result', 'taskCreated', 'taskStatus', 'error']);
    for (const { metrics } of [caller, called])
      for (const status of ['ok', 'error'])
        expect(metrics.value('llm_tool_executions_total', { tool_name: 'job', status })).toBe(1);
    await client.close();
    taskStore.cleanup();
  });
});

describe('SDK 2, protocol of 2026', () => {
  it('takes a wish for input for no error, and counts the run when it is done', async () => {
    const [caller, called] = [createAlsTelemetry(), createAlsTelemetry()];
    const createServer = () => {
      const server = instrumentMcpServer(new McpServer2(info), called);
      server.registerTool('greet', { inputSchema: z.object({}) }, (_args, ctx) => {
        const given = acceptedContent<{ name: string }>(ctx.mcpReq.inputResponses, 'who');
        if (given) return say(`Hello ${given.name}`) as never;
        const schema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
        const who = inputRequired.elicit({ message: 'Who?', requestedSchema: schema });
        return inputRequired({ inputRequests: { who } }) as never;
      });
      return server;
    };
    const [near, far] = Memory2.createLinkedPair();
    serveStdio(createServer, { transport: far as never });
    const client = new Client2(info, {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode: { pin: '2026-07-28' } },
    });
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
    await instrumentMcpClient(client, caller).connect(near);
    const answer = await caller.span('job', () => client.callTool({ name: 'greet', arguments: {} }));
    expect(answer.content).toEqual(say('Hello Ada').content);
    for (const telemetry of [caller, called]) {
      const rounds = telemetry.spans.filter(({ name }) => name === 'tools/call greet');
      expect(rounds.map(({ status }) => status.code)).toEqual([0, 0]);
      expect(telemetry.metrics.value('llm_tool_executions_total', { tool_name: 'greet', status: 'ok' })).toBe(1);
      expect(rounds[0]?.attributes['mcp.protocol.version']).toBe('2026-07-28');
    }
    await client.close();
  });
});
