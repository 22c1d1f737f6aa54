import process from 'node:process';
import type { Serve } from '../../src/server/metrics-server.ts';
import type { ProcessPort } from '../../src/server/shutdown.ts';
import { Deno } from './shim.ts';

export const serve: Serve = async (handler, { port, host }) => {
  const server = Deno.serve({ port, hostname: host, onListen() {} }, handler);
  return { port: server.addr.port, stop: () => server.shutdown() };
};

export const host: ProcessPort = {
  onSignal: (signal, listener) => Deno.addSignalListener(signal, listener),
  offSignal: (signal, listener) => Deno.removeSignalListener(signal, listener),
  // Deno tells nobody of its own listeners.
  othersListen: (signal) => process.listenerCount(signal) > 0,
  raise: (signal) => Deno.kill(Deno.pid, signal),
  onIdle(listener) {
    // Prevented once, the event comes again when the flush is done, and then ends the process.
    const onUnload = (event: Event) => {
      globalThis.removeEventListener('beforeunload', onUnload);
      event.preventDefault();
      void listener();
    };
    globalThis.addEventListener('beforeunload', onUnload);
    return () => globalThis.removeEventListener('beforeunload', onUnload);
  },
};
