import process from 'node:process';
import type { Serve } from '../../src/server/metrics-server.ts';
import { createProcessPort } from '../../src/server/shutdown.ts';
import { Bun } from './shim.ts';

export const serve: Serve = async (fetch, { port, host }) => {
  const server = Bun.serve({ port, hostname: host, fetch });
  return { port: server.port, stop: () => server.stop(true) };
};

export const host = createProcessPort(process);
