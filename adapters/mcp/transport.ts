import type { Context } from '@opentelemetry/api';
import { safely } from '../../src/errors.ts';
import { asObject, type Json, parseJson } from '../../src/json.ts';
import { isOn } from '../../src/observed-fetch.ts';
import type { Parts } from '../../src/parts.ts';
import { getSpanContext } from '../../src/trace/otel-span.ts';
import { type ContextPlace, countUnreadable, readContext, stripContext, toHeaders, writeContext } from './carrier.ts';
import { describeConnection, readHttp, type Transport } from './connection.ts';
import { hookProperty } from './hook.ts';
import {
  type Outcome,
  type RpcRequest,
  readAgreedVersion,
  readCancelled,
  readRequest,
  readResponse,
} from './message.ts';
import { OpenOperations } from './open-operations.ts';
import { type Operation, startOperation } from './operation.ts';

type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

/** Transports that are watched. */
const watched = /* @__PURE__ */ new WeakSet<object>();

/**
 * Sees all that goes through a transport: each request that is sent gets a CLIENT span and takes its context along, each
 * that comes gets a SERVER span in which it is handled, until its response passes by. The SDK above, whichever it is,
 * knows nothing of it.
 */
export function watchTransport(transport: Transport, parts: Parts, place: ContextPlace): void {
  if (watched.has(transport) || typeof transport.send !== 'function') return;
  watched.add(transport);
  const { view } = parts;
  const report = (error: unknown) => parts.engine.diagnostics.report(error);
  const sent = new OpenOperations();
  const served = new OpenOperations();
  let agreed: string | undefined;
  const send = transport.send as AnyMethod;
  const overHttp = place === 'header' && '_fetch' in transport;
  if (overHttp) carryByHeader(transport, sent);

  hookProperty(transport, 'onmessage', (handle) => (message, extra) => receive(handle as AnyMethod, message, extra));
  hookProperty(transport, 'onclose', (handle) => (...args) => {
    const closed: Outcome = { thrown: new DOMException('the connection was closed', 'ConnectionClosed') };
    sent.endAll(closed);
    // Whoever asked is gone.
    served.endAll({ left: 'cancelled' });
    return (handle as AnyMethod).apply(transport, args);
  });
  Object.defineProperty(transport, 'send', {
    value: (message: unknown, options?: unknown) => {
      const out = isOn(parts) ? safely(() => outgoing(message, options), report) : undefined;
      if (!out) return send.call(transport, message, options);
      return sendRequest(out.operation, out.message, options, out.id);
    },
    configurable: true,
    writable: true,
  });

  function outgoing(message: unknown, options: unknown) {
    agreed ??= readAgreedVersion(message);
    const request = follow(message, served, sent);
    if (!request) return undefined;
    const operation = startOperation(parts, {
      side: 'client',
      request,
      context: contextOf(asObject(options)?.relatedRequestId),
      connection: describeConnection(transport, request, undefined, agreed),
    });
    sent.add(request.id, operation);
    const { _meta: meta } = request.params;
    if (meta !== undefined && !asObject(meta)) countUnreadable(parts);
    const carried = overHttp
      ? (message as Json)
      : writeContext(message as Json, operation.context, place === 'header' ? 'meta' : place);
    return { operation, message: carried, id: request.id };
  }

  /** What a server asks while it handles a request belongs to that, also where no async context leads from it. */
  function contextOf(related: unknown): Context {
    const active = view.active();
    const handling = related === undefined ? undefined : served.get(related)?.context;
    const isInside = handling && getSpanContext(active)?.traceId === getSpanContext(handling)?.traceId;
    return handling && !isInside ? handling : active;
  }

  function sendRequest(operation: Operation, message: unknown, options: unknown, id: unknown): unknown {
    const signal = asObject(options)?.requestSignal;
    if (signal instanceof AbortSignal) {
      signal.addEventListener('abort', () => sent.end(id, { left: 'cancelled' }), { once: true });
    }
    let sending: unknown;
    try {
      sending = view.run(operation.context, () => send.call(transport, message, options));
    } catch (thrown) {
      sent.end(id, { thrown });
      throw thrown;
    }
    if (sending instanceof Promise) sending.catch((thrown: unknown) => sent.end(id, { thrown }));
    return sending;
  }

  function receive(handle: AnyMethod, message: unknown, extra: unknown): unknown {
    const call = (given: unknown) => handle.call(transport, given, extra);
    const incoming = isOn(parts) ? safely(() => startServing(message, extra), report) : undefined;
    return incoming ? view.run(incoming.operation.context, () => call(incoming.message)) : call(message);
  }

  function startServing(message: unknown, extra: unknown) {
    agreed ??= readAgreedVersion(message);
    const request = follow(message, sent, served);
    if (!request) return undefined;
    const http = readHttp(extra);
    const connection = describeConnection(transport, request, http, agreed);
    const { context, links } = readContext(parts, request, place, http);
    const own = place === 'arguments' ? stripContext(message as Json) : (message as Json);
    const known = readRequest(own) ?? request;
    const operation = startOperation(parts, { side: 'server', request: known, context, links, connection });
    served.add(request.id, operation);
    return { operation, message: own };
  }
}

/** Ends what a message answers, or gives up of what its sender has asked; answers what it asks itself. */
function follow(message: unknown, answered: OpenOperations, asked: OpenOperations): RpcRequest | undefined {
  const answer = readResponse(message);
  if (answer) answered.end(answer.id, answer.outcome);
  const given = readCancelled(message);
  if (given) asked.end(given.id, given.outcome);
  return readRequest(message);
}

/** The header of each request by the message in it: a header that requests share would name another one's span. */
function carryByHeader(transport: Transport, sent: OpenOperations): void {
  const given = transport._fetch as typeof globalThis.fetch | undefined;
  transport._fetch = (input: RequestInfo | URL, init?: RequestInit) => {
    const fetch = given ?? globalThis.fetch;
    const id = typeof init?.body === 'string' ? asObject(parseJson(init.body))?.id : undefined;
    const operation = id === undefined ? undefined : sent.get(id);
    if (!operation) return fetch(input, init);
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(toHeaders(operation.context))) headers.set(name, value);
    return fetch(input, { ...init, headers });
  };
}
