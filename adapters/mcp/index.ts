import { checkValues, oneOf } from '../../src/checks.ts';
import { safely, TelemetryError } from '../../src/errors.ts';
import { asObject } from '../../src/json.ts';
import { runInSpan } from '../../src/llm/run-span.ts';
import { getToolRun } from '../../src/llm/tool-run.ts';
import { type AnyFunction, createWrapper } from '../../src/llm/wrappers.ts';
import { isOn } from '../../src/observed-fetch.ts';
import { getParts, type Parts } from '../../src/parts.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { getSpan } from '../../src/trace/otel-span.ts';
import { type ContextPlace, readContext } from './carrier.ts';
import { describeConnection, readHttp, type Transport } from './connection.ts';
import { type RpcRequest, toolCall } from './message.ts';
import { startOperation } from './operation.ts';
import { watchTransport } from './transport.ts';

export type { AnyFunction } from '../../src/llm/wrappers.ts';

export interface McpOptions {
  /**
   * Where the trace context of a request stands: in `params._meta` as the protocol has it, by default; in the HTTP
   * header `traceparent`, or in a tool's arguments as `rastir_trace_id` and `rastir_span_id`, for peers that know no
   * other way. A server looks into `_meta` too, where it finds nothing there.
   */
  context?: 'meta' | 'arguments' | 'header';
}

/**
 * Traces what a client of the MCP SDK (1 or 2) asks, and sends the trace context along: to call this is the consent to
 * that. Connected already or yet to be, on any transport. The client is the same object. Throws a `TelemetryError` for
 * what is none.
 *
 * @example
 * const client = instrumentMcpClient(new Client({ name: 'app', version: '1.0.0' }), telemetry);
 * await client.connect(new StreamableHTTPClientTransport(new URL('https://tools.example.com/mcp')));
 */
export function instrumentMcpClient<C extends object>(client: C, telemetry: Telemetry, options: McpOptions = {}): C {
  return instrument('instrumentMcpClient', client, telemetry, options);
}

/**
 * Traces what a server of the MCP SDK (1 or 2) is asked, as a part of its callers' traces, unless
 * `propagation.trustIncoming` says otherwise. The server is the same object. Throws a `TelemetryError` for what is none.
 *
 * @example
 * const server = instrumentMcpServer(new McpServer({ name: 'tools', version: '1.0.0' }), telemetry);
 * await server.connect(new StdioServerTransport());
 */
export function instrumentMcpServer<S extends object>(server: S, telemetry: Telemetry, options: McpOptions = {}): S {
  return instrument('instrumentMcpServer', server, telemetry, options);
}

/**
 * Traces a single tool's handler, as a part of its caller's trace, where the server as a whole is not instrumented. The
 * handler keeps its type.
 *
 * @example
 * server.registerTool('add', config, mcpHandler(telemetry, async function add({ a, b }) { … }));
 */
export function mcpHandler<F extends AnyFunction>(telemetry: Telemetry, fn: F): F {
  const parts = getParts(telemetry);
  return createWrapper('mcpHandler', (_options, name) => (call, args) => runHandler(parts, name, call, args))(fn);
}

/** A client, or what a server has below its tools and prompts. */
interface Peer {
  connect: (transport: Transport, ...rest: unknown[]) => unknown;
  readonly transport?: Transport;
}

const instrumented = /* @__PURE__ */ new WeakSet<object>();

function instrument<T extends object>(word: string, target: T, telemetry: Telemetry, options: McpOptions): T {
  checkValues(options, { context: oneOf('meta', 'arguments', 'header') }, `${word}.`);
  const { context: place = 'meta' } = options;
  const peer = [asObject(target)?.server, target].find(isPeer);
  if (!peer) throw invalid(word, 'takes a client or a server of the MCP SDK, which has connect');
  if (instrumented.has(peer)) return target;
  instrumented.add(peer);
  const parts = getParts(telemetry);
  const { connect } = peer;
  const watch = (transport: Transport) => watchSafely(transport, parts, place);
  Object.defineProperty(peer, 'connect', {
    value(this: unknown, transport: Transport, ...rest: unknown[]) {
      watch(transport);
      return connect.call(this, transport, ...rest);
    },
    configurable: true,
    writable: true,
  });
  if (peer.transport) watch(peer.transport);
  return target;
}

function watchSafely(transport: Transport, parts: Parts, place: ContextPlace): void {
  safely(() => watchTransport(transport, parts, place), parts.engine.diagnostics.report);
}

function isPeer(value: unknown): value is Peer {
  return typeof asObject(value)?.connect === 'function';
}

function invalid(word: string, what: string): TelemetryError {
  return new TelemetryError('invalid_wrapper', `${word}: ${what}`, { option: word });
}

function runHandler(parts: Parts, name: string, call: () => unknown, args: readonly unknown[]): unknown {
  if (!isOn(parts)) return call();
  const { view } = parts;
  const extra = asObject(args.at(-1)) ?? {};
  const request = readHandled(name, args, extra);
  // A server that is instrumented has told of this call.
  if (isTold(parts, request)) return call();
  const operation = safely(() => {
    const http = readHttp(extra);
    const own = { sessionId: extra.sessionId } as Transport;
    const connection = describeConnection(own, request, http);
    return startOperation(parts, { side: 'server', request, connection, ...readContext(parts, request, 'meta', http) });
  }, parts.engine.diagnostics.report);
  const span = operation && getSpan(operation.context);
  if (!span) return call();
  return runInSpan(view, operation.context, span, call, (ending) =>
    operation.end('thrown' in ending ? ending : { result: ending.value }),
  );
}

/** The request as a handler sees it: SDK 1 tells of it in `extra`, SDK 2 in `ctx.mcpReq`. */
function readHandled(name: string, args: readonly unknown[], extra: object): RpcRequest {
  const { requestId, _meta: given, mcpReq } = extra as Record<string, unknown>;
  const inner = asObject(mcpReq);
  const id = requestId ?? inner?.id;
  const meta = given ?? inner?._meta;
  return {
    id: typeof id === 'number' ? id : String(id ?? ''),
    method: toolCall,
    params: { name, ...(args.length > 1 && { arguments: args[0] }), ...(meta !== undefined && { _meta: meta }) },
  };
}

function isTold({ view }: Parts, { id }: RpcRequest): boolean {
  const run = getToolRun(view.active());
  return run?.by === 'mcp' && run.requestId === id;
}
