import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What a request is answered. The response is the answer's own: it may wait, stop in the middle or never begin. */
export type Answer = (response: ServerResponse) => void | Promise<void>;

/** A vendor on loopback. It answers from a script, one entry a request, and keeps what it was asked. */
export interface Loopback {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Begins anew; `onRequest` is called before each answer. */
  play(script: readonly Answer[], onRequest?: () => void): void;
  /** Settles when a client has left before the end of its response. */
  lost(): Promise<void>;
  close(): Promise<void>;
}

/** A fetch that takes whatever is asked of a vendor to the loopback instead, path and all. */
export function redirect({ url }: Loopback): typeof globalThis.fetch {
  return (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : String(input));
    const target = `${url}${pathname}${search}`;
    return input instanceof Request ? fetch(new Request(target, input), init) : fetch(target, init);
  };
}

interface Scene {
  readonly script: readonly Answer[];
  readonly onRequest: () => void;
  readonly requests: ReceivedRequest[];
  readonly lost: PromiseWithResolvers<void>;
}

export async function createLoopback(): Promise<Loopback> {
  let scene = createScene([], () => {});
  const server = createServer((request, response) => serve(scene, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return scene.requests;
    },
    play(script, onRequest = () => {}) {
      scene = createScene(script, onRequest);
    },
    lost: () => scene.lost.promise,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function createScene(script: readonly Answer[], onRequest: () => void): Scene {
  return { script, onRequest, requests: [], lost: Promise.withResolvers() };
}

async function serve(scene: Scene, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.sendDate = false;
  response.on('close', () => {
    if (!response.writableFinished) scene.lost.resolve();
  });
  const answer = scene.script[scene.requests.length] ?? json(500, { error: { message: 'not in the script' } });
  const { method = '', url = '', headers } = request;
  const received = { method, path: url, headers, body: undefined as unknown };
  scene.requests.push(received);
  const requestId = `req_${scene.requests.length}`;
  response.setHeader('x-request-id', requestId);
  response.setHeader('request-id', requestId);
  received.body = await readJson(request);
  scene.onRequest();
  await answer(response);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    const bytes = Buffer.from(JSON.stringify(body));
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
    response.end(bytes);
  };
}

export function gzipped(body: unknown): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(gzipSync(JSON.stringify(body)));
  };
}

/** How a stream goes on after its frames: to its end, for ever without another byte, or by a broken connection. */
export type StreamEnd = 'end' | 'open' | 'broken';

export function sse(frames: readonly string[], end: StreamEnd = 'end'): Answer {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const frame of frames) await write(response, frame);
    if (end === 'end') response.end();
    if (end === 'broken') response.destroy();
  };
}

/** Settles when the bytes have left, or the client has. */
function write(response: ServerResponse, frame: string): Promise<void> {
  return new Promise((resolve) => response.write(frame, () => resolve()));
}

/** No answer at all; the client must give up. */
export const silence: Answer = () => {};

/** The connection breaks before the headers. */
export const hangUp: Answer = (response) => {
  response.destroy();
};
