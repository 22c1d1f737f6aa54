import { type Checks, checkValues, list, oneOf, timer } from '../checks.ts';
import { getParts } from '../parts.ts';
import type { Telemetry } from '../telemetry.ts';

export type ShutdownSignal = 'SIGTERM' | 'SIGINT';

/** The process, as far as its end goes. */
export interface ProcessPort {
  onSignal(signal: ShutdownSignal, listener: () => void): void;
  offSignal(signal: ShutdownSignal, listener: () => void): void;
  /** Whether the application, as far as that is to be seen, listens to the signal itself. */
  othersListen(signal: ShutdownSignal): boolean;
  /** Sends the signal to this process again, now that nobody listens. */
  raise(signal: ShutdownSignal): void;
  /** Calls back when there is nothing left to do; returns its undo. */
  onIdle(listener: () => Promise<unknown>): () => void;
}

/** The `process` of Node, and of runtimes that have one like it. */
export interface NodeProcess {
  readonly pid: number;
  prependListener(event: string, listener: () => void): unknown;
  listeners(event: string): readonly unknown[];
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  kill(pid: number, signal: string): unknown;
}

/** Listeners of hooks, of whichever telemetry. */
const hooks = /* @__PURE__ */ new WeakSet<object>();

export function createProcessPort(host: NodeProcess): ProcessPort {
  return {
    onSignal(signal, listener) {
      hooks.add(listener);
      // Before those that listen once, which are gone when they have run.
      host.prependListener(signal, listener);
    },
    othersListen: (signal) => host.listeners(signal).some((listener) => !hooks.has(listener as object)),
    offSignal: (signal, listener) => host.off(signal, listener),
    raise: (signal) => host.kill(host.pid, signal),
    onIdle(listener) {
      host.once('beforeExit', listener);
      return () => host.off('beforeExit', listener);
    },
  };
}

export interface ShutdownOptions {
  /** Both by default. */
  signals?: readonly ShutdownSignal[];
  /** Milliseconds for the flush, 5,000. */
  timeoutMs?: number;
}

const checks: Checks = {
  signals: /* @__PURE__ */ list(/* @__PURE__ */ oneOf('SIGTERM', 'SIGINT')),
  timeoutMs: timer,
};

/**
 * Flushes at the end of the process: when it has nothing left to do, and on a signal, which is raised again afterwards,
 * since a listener takes away a signal's own effect. An application that listens itself gets its signal once and ends
 * when it wants to: what it records until then it sends by `telemetry.shutdown()`. Returns its undo. Throws a
 * `TelemetryError` for what is no telemetry, and for wrong options.
 */
export function installHooks(host: ProcessPort, telemetry: Telemetry, options: ShutdownOptions = {}): () => void {
  getParts(telemetry);
  checkValues(options, checks);
  const { signals = ['SIGTERM', 'SIGINT'], timeoutMs = 5000 } = options;
  const listeners = signals.map((signal) => [signal, () => void end(signal)] as const);
  const offIdle = host.onIdle(() => telemetry.flush({ timeoutMs }));
  let ending = false;
  let left = false;

  function remove(): void {
    for (const [signal, listener] of listeners.splice(0)) host.offSignal(signal, listener);
    offIdle();
  }

  async function end(signal: ShutdownSignal): Promise<void> {
    if (ending) return;
    // Not for ever: what listens may be a library that leaves the end to others.
    if (!left && host.othersListen(signal)) {
      left = true;
      await telemetry.flush({ timeoutMs });
      return;
    }
    ending = true;
    await telemetry.shutdown({ timeoutMs });
    remove();
    host.raise(signal);
  }

  for (const [signal, listener] of listeners) host.onSignal(signal, listener);
  return remove;
}
