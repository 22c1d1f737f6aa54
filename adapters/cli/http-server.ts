import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { withTimeout } from '../../src/clock.ts';
import { messageOf } from '../../src/errors.ts';
import { CommandError } from './command.ts';

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections; those without a request are closed. */
  stopListening(): void;
  /** Lets answers that are under way end, and closes after `graceMs` what is left. */
  close(graceMs: number): Promise<void>;
}

const idleCheckMs = 10;
/** Connections that wait to be taken: a fleet of senders may come back at once. */
const backlog = 2048;
/** Longer than load balancers and SDKs keep a connection idle, so that none sends into one that is being closed. */
const keepAliveMs = 75_000;

const problems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something listens there already: choose another --port, or end the other one',
  EACCES: 'ports below 1024 are for the administrator: choose a higher --port',
  EADDRNOTAVAIL: 'this machine has no such address: look at --host',
  ENOTFOUND: 'this machine has no such address: look at --host',
};

/** Resolves once it listens. */
export function listen(
  fetch: (request: Request, env: object) => Promise<Response> | Response,
  port: number,
  host: string,
): Promise<HttpServer> {
  const server = createAdaptorServer({ fetch: (request, env) => fetch(request, env) });
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = keepAliveMs;
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise((resolve) => server.close(() => resolve()));
    return closed;
  };
  const closeIdle = () => {
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  };
  return new Promise((resolve, reject) => {
    server.once('error', (error: Error & { code?: string }) => {
      reject(new CommandError(`can't listen on ${host}:${port}: ${problems[error.code ?? ''] ?? messageOf(error)}`));
    });
    server.listen({ port, host, backlog }, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        stopListening() {
          void close();
          closeIdle();
        },
        async close(graceMs) {
          // A connection that was busy becomes idle with its last answer, and nobody else closes it then.
          const timer = setInterval(closeIdle, idleCheckMs);
          await withTimeout(close(), graceMs);
          clearInterval(timer);
          if ('closeAllConnections' in server) server.closeAllConnections();
        },
      });
    });
  });
}
