import type { Attributes } from '@opentelemetry/api';
import { asObject, asString } from '../../src/json.ts';
import { portOf } from '../../src/llm/recognise.ts';
import { type Carrier, getter } from '../../src/propagation/carrier.ts';
import type { RpcRequest } from './message.ts';

/** As much of an SDK's transport as is needed; which kind it is, its fields tell. */
export interface Transport {
  send(message: unknown, options?: unknown): unknown;
  onmessage?: unknown;
  onclose?: unknown;
  readonly sessionId?: unknown;
  readonly protocolVersion?: unknown;
  /** The `fetch` of those over HTTP. */
  _fetch?: unknown;
  readonly _url?: unknown;
  readonly _endpoint?: unknown;
}

/** What came with a message over HTTP. */
export interface HttpRequest {
  readonly headers: Carrier;
  /** Where the SDK has it; servers on Node make objects of their own that are no instances. */
  readonly request?: Request;
  readonly url?: string;
}

const versionKey = 'io.modelcontextprotocol/protocolVersion';

/** The HTTP request behind a message: SDK 1 hands on its parts, SDK 2 the request. */
export function readHttp(extra: unknown): HttpRequest | undefined {
  const { requestInfo, request, http } = asObject(extra) ?? {};
  const whole = [request, asObject(http)?.req].find((one) => typeof asObject(one)?.url === 'string');
  const given = asObject(whole ?? requestInfo);
  if (!given?.headers) return undefined;
  return {
    headers: given.headers as Carrier,
    ...(whole !== undefined && { request: whole as Request }),
    ...(given.url !== undefined && { url: String(given.url) }),
  };
}

/** Of the session and the network below it, as far as they are known; transports know no `agreed` version but HTTP's. */
export function describeConnection(
  transport: Transport | undefined,
  { params }: RpcRequest,
  http: HttpRequest | undefined,
  agreed?: string,
): { attributes: Attributes; metric: Attributes } {
  const header = (name: string) => asString(http && [getter.get(http.headers, name)].flat()[0]);
  const session = asString(transport?.sessionId) ?? header('mcp-session-id');
  const version =
    asString(asObject(params._meta)?.[versionKey]) ??
    asString(params.protocolVersion) ??
    header('mcp-protocol-version') ??
    asString(transport?.protocolVersion) ??
    agreed;
  const url = [transport?._endpoint, transport?._url].find((one) => one instanceof URL);
  const network = http || url ? 'tcp' : isPipe(transport) ? 'pipe' : undefined;
  const metric = {
    ...(version && { 'mcp.protocol.version': version }),
    ...(network && { 'network.transport': network }),
    ...(network === 'tcp' && { 'network.protocol.name': /^ws/.test(url?.protocol ?? '') ? 'websocket' : 'http' }),
    ...(url && { 'server.address': url.hostname, 'server.port': portOf(url) }),
  };
  return { attributes: { ...metric, ...(session && { 'mcp.session.id': session }) }, metric };
}

function isPipe(transport: Transport | undefined): boolean {
  return transport !== undefined && ['_stdin', '_wire', 'pid'].some((name) => name in transport);
}
