import { getParts } from '../parts.ts';
import type { Telemetry } from '../telemetry.ts';

export type ShutdownSignal = 'SIGTERM' | 'SIGINT';

/** The process, as far as its end goes. */
export interface ProcessPort {
  onSignal(signal: ShutdownSignal, listener: () => void): void;
  offSignal(signal: ShutdownSignal, listener: () => void): void;
  /** Sends the signal to this process again, now that nobody listens. */
  raise(signal: ShutdownSignal): void;
  /** Calls back when there is nothing left to do; returns its undo. */
  onIdle(listener: () => Promise<unknown>): () => void;
}

/** The `process` of Node, and of runtimes that have one like it. */
export interface NodeProcess {
  readonly pid: number;
  on(event: string, listener: () => void): unknown;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  kill(pid: number, signal: string): unknown;
}

export function createProcessPort(host: NodeProcess): ProcessPort {
  return {
    onSignal: (signal, listener) => host.on(signal, listener),
    offSignal: (signal, listener) => host.off(signal, listener),
    raise: (signal) => host.kill(host.pid, signal),
    onIdle(listener) {
      host.once('beforeExit', listener);
      return () => host.off('beforeExit', listener);
    },
  };
}

export interface ShutdownOptions {
  signals?: readonly ShutdownSignal[];
  /** 5,000 */
  timeoutMs?: number;
}

/**
 * Flushes at the end of the process: when it has nothing left to do, and on a signal, which is raised again afterwards,
 * since a listener takes away a signal's own effect. Returns its undo. Throws a `TelemetryError` for what is no telemetry.
 */
export function installHooks(
  host: ProcessPort,
  telemetry: Telemetry,
  { signals = ['SIGTERM', 'SIGINT'], timeoutMs = 5000 }: ShutdownOptions = {},
): () => void {
  getParts(telemetry);
  const listeners = signals.map((signal) => [signal, () => void end(signal)] as const);
  const offIdle = host.onIdle(() => telemetry.flush({ timeoutMs }));
  let ending = false;

  function remove(): void {
    for (const [signal, listener] of listeners.splice(0)) host.offSignal(signal, listener);
    offIdle();
  }

  async function end(signal: ShutdownSignal): Promise<void> {
    if (ending) return;
    ending = true;
    await telemetry.shutdown({ timeoutMs });
    remove();
    host.raise(signal);
  }

  for (const [signal, listener] of listeners) host.onSignal(signal, listener);
  return remove;
}
