import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instrumentMcpClient, instrumentMcpServer, type McpOptions, mcpHandler } from '../../adapters/mcp/index.ts';
import type { TelemetryOptions } from '../../src/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

type Receive = (message: unknown, extra?: unknown) => void;

/** A peer and a transport as small as they may be. */
function createPeer(options: McpOptions = {}, telemetryOptions: TelemetryOptions = {}, own: object = {}) {
  const telemetry = createAlsTelemetry({ onError() {}, ...telemetryOptions });
  const sent: unknown[] = [];
  const received: unknown[] = [];
  const transport = {
    send: async (message: unknown) => void sent.push(message),
    onmessage: (() => {}) as Receive,
    ...own,
  };
  const peer = {
    connect(given: typeof transport) {
      given.onmessage = (message) => received.push(message);
    },
  };
  instrumentMcpServer(peer, telemetry, options);
  peer.connect(transport);
  return { telemetry, transport, sent, received };
}

const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;
const call = (id: unknown, more: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'add', arguments: { a: 1 }, ...more },
});
const answer = (id: unknown) => ({ jsonrpc: '2.0', id, result: { content: [] } });

describe('the network', () => {
  it.each([
    ['http://tools.example/mcp', 'http', 80],
    ['https://tools.example/mcp', 'http', 443],
    ['ws://tools.example/mcp', 'websocket', 80],
    ['wss://tools.example:8443/mcp', 'websocket', 8443],
  ])('of %s', async (url, protocol, port) => {
    const { telemetry, transport } = createPeer({}, {}, { _url: new URL(url) });
    await transport.send(call(1));
    transport.onmessage(answer(1));
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'network.transport': 'tcp',
      'network.protocol.name': protocol,
      'server.address': 'tools.example',
      'server.port': port,
    });
  });
});

describe('whatever comes', () => {
  it('is handed on as it is, and nothing is thrown', () => {
    const { transport, received, sent } = createPeer();
    const part = fc.oneof(fc.jsonValue(), fc.constant(undefined));
    const message = fc.oneof(
      part,
      fc.record({ id: part, method: part, params: part, result: part, error: part }, { requiredKeys: [] }),
      fc.record({ id: fc.nat(3), method: fc.constant('tools/call'), params: fc.record({ _meta: part, name: part }) }),
    );
    fc.assert(
      fc.property(message, message, (incoming, outgoing) => {
        transport.onmessage(incoming, { requestInfo: incoming, request: outgoing });
        expect(received.at(-1)).toBe(incoming);
        transport.send(outgoing);
        const kept = sent.at(-1) as { params?: { _meta?: object } };
        if (kept !== outgoing) expect({ ...kept, params: 0 }).toEqual({ ...(outgoing as object), params: 0 });
      }),
    );
  });

  it('leaves a transport that is frozen alone', async () => {
    const telemetry = createAlsTelemetry({ onError() {} });
    const sent: unknown[] = [];
    const transport = Object.freeze({ send: async (message: unknown) => void sent.push(message) });
    const client = { connect: (given: typeof transport) => given.send(call(1)) };
    await instrumentMcpClient(client, telemetry).connect(transport);
    expect(sent).toEqual([call(1)]);
    expect(telemetry.health().ok).toBe(false);
  });
});

describe('requests that nobody answers', () => {
  it('are given up, oldest first, beyond 4096', () => {
    const { telemetry, transport } = createPeer();
    for (let id = 0; id < 4096 + 3; id++) transport.onmessage(call(id));
    expect(telemetry.spans.map(({ attributes }) => attributes['jsonrpc.request.id'])).toEqual(['0', '1', '2']);
    expect(telemetry.spans[0]?.attributes['edgespan.aborted']).toBe(true);
  });
});

describe('a run that goes on as a task', () => {
  const about = (id: number, method: string, taskId: string, result: object) => [
    { jsonrpc: '2.0', id, method, params: { taskId } },
    { jsonrpc: '2.0', id, result },
  ];

  it.each([
    ['ok', 'tasks/get', { taskId: 't', status: 'completed' }],
    ['error', 'tasks/get', { taskId: 't', status: 'failed' }],
    ['ok', 'tasks/cancel', { taskId: 't', status: 'cancelled' }],
    ['ok', 'tasks/result', { content: [] }],
    ['error', 'tasks/result', { content: [], isError: true }],
  ])('is counted once, when its end is told: %s by %s', (status, method, result) => {
    const { telemetry, transport } = createPeer();
    transport.onmessage(call(1));
    transport.send({ jsonrpc: '2.0', id: 1, result: { task: { taskId: 't', status: 'working' } } });
    const counted = () => telemetry.metrics.value('llm_tool_executions_total', { tool_name: 'add', status });
    const asked = [
      ...about(2, 'tasks/get', 't', { taskId: 't', status: 'working' }),
      ...about(3, 'tasks/get', 'other', { taskId: 'other', status: 'failed' }),
    ];
    for (const [at, message] of asked.entries()) (at % 2 ? transport.send : transport.onmessage)(message);
    expect(counted()).toBeUndefined();
    for (const id of [4, 5]) {
      const [asking, told] = about(id, method, 't', result);
      transport.onmessage(asking);
      transport.send(told);
    }
    expect(counted()).toBe(1);
    expect(telemetry.metrics.value('llm_tool_executions_total')).toBe(1);
  });

  it('is given up, the oldest first, beyond 1000', () => {
    const { telemetry, transport } = createPeer();
    for (let id = 0; id < 1000 + 2; id++) {
      transport.onmessage(call(id));
      transport.send({ jsonrpc: '2.0', id, result: { task: { taskId: `t${id}` } } });
    }
    expect(telemetry.metrics.value('llm_tool_executions_total')).toBe(2);
  });
});

describe('an answer', () => {
  it('ends its request once, whoever sends it again', () => {
    const { telemetry, transport } = createPeer();
    transport.onmessage(call(7));
    for (const id of [8, '7', 7]) transport.send(answer(id));
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.metrics.value('llm_tool_executions_total')).toBe(1);
  });
});

describe('the context of a caller', () => {
  const parentOf = (place: McpOptions['context'], more: object, extra?: unknown, options: TelemetryOptions = {}) => {
    const { telemetry, transport, received } = createPeer({ context: place! }, options);
    transport.onmessage(call(1, more), extra);
    transport.send(answer(1));
    const [span] = telemetry.spans;
    return {
      parent: span?.parentSpanContext?.spanId,
      links: span?.links.map(({ context }) => context.spanId),
      received,
    };
  };
  const headers = { traceparent };

  it('stands in _meta, in a header, or in arguments that the tool does not see', () => {
    const { spanId } = caller;
    expect(parentOf('meta', { _meta: { traceparent } }).parent).toBe(spanId);
    expect(parentOf('header', {}, { requestInfo: { headers } }).parent).toBe(spanId);
    expect(parentOf('header', {}, { request: new Request('http://x', { headers }) }).parent).toBe(spanId);
    // Rastir's ids of spans have 32 digits.
    const given = { a: 1, rastir_trace_id: caller.traceId, rastir_span_id: spanId.padEnd(32, '0') };
    const { parent, received } = parentOf('arguments', { arguments: given });
    expect([parent, received]).toEqual([spanId, [call(1)]]);
  });

  it('is in _meta too where it is not where it should be, and nowhere else', () => {
    expect(parentOf('header', { _meta: { traceparent } }).parent).toBe(caller.spanId);
    expect(parentOf('arguments', { _meta: { traceparent } }).parent).toBe(caller.spanId);
    expect(parentOf('meta', {}, { requestInfo: { headers } }).parent).toBeUndefined();
    expect(parentOf('meta', { arguments: { rastir_trace_id: caller.traceId } }).parent).toBeUndefined();
  });

  it('is linked where a function does not trust the request that brought it', () => {
    const asked: string[] = [];
    const trustIncoming = (request: Request) => {
      asked.push(`${request.url} ${request.headers.get('x-key')}`);
      return request.headers.get('x-key') === 'right';
    };
    const options = { propagation: { trustIncoming } };
    const from = (key: string) => ({ requestInfo: { url: new URL('http://x/mcp'), headers: { 'x-key': key } } });
    const more = { _meta: { traceparent } };
    expect(parentOf('meta', more, from('right'), options)).toMatchObject({ parent: caller.spanId, links: [] });
    expect(parentOf('meta', more, from('wrong'), options)).toMatchObject({ parent: undefined, links: [caller.spanId] });
    expect(parentOf('meta', more, undefined, options).parent).toBe(caller.spanId);
    expect(asked).toEqual(['http://x/mcp right', 'http://x/mcp wrong']);
  });
});

describe('the handler of a single tool', () => {
  it('keeps its type, its name and what it throws, and reads either SDK’s second argument', async () => {
    const telemetry = createAlsTelemetry();
    const add = mcpHandler(telemetry, async function add(args: { a: number }, _extra: object) {
      if (args.a === 0) throw new RangeError('no');
      return args.a;
    });
    expect([add.name, add.length]).toEqual(['add', 2]);
    const _meta = { traceparent };
    expect(await add({ a: 1 }, { requestId: 5, _meta })).toBe(1);
    expect(await add({ a: 2 }, { mcpReq: { id: '6', _meta } })).toBe(2);
    await expect(add({ a: 0 }, {})).rejects.toThrow(RangeError);
    const seen = telemetry.spans.map(({ attributes, parentSpanContext, status }) => [
      attributes['jsonrpc.request.id'],
      parentSpanContext?.spanId,
      status.code,
    ]);
    expect(seen).toEqual([
      ['5', caller.spanId, 0],
      ['6', caller.spanId, 0],
      [undefined, undefined, 2],
    ]);
  });
});
