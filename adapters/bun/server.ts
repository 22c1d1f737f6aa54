import process from 'node:process';
import type { Serve } from '../../src/server/metrics-server.ts';
import type { ProcessPort } from '../../src/server/shutdown.ts';
import { Bun } from './shim.ts';

export const serve: Serve = async (fetch, { port, host }) => {
  const server = Bun.serve({ port, hostname: host, fetch });
  return { port: server.port, stop: () => server.stop(true) };
};

export const processPort: ProcessPort = {
  onSignal: (signal, listener) => process.on(signal, listener),
  offSignal: (signal, listener) => process.off(signal, listener),
  raise: (signal) => process.kill(process.pid, signal),
  onIdle(listener) {
    process.once('beforeExit', listener);
    return () => process.off('beforeExit', listener);
  },
};
