import type { CircuitState } from './options.ts';
import type { Amount } from './store.ts';

/** Keys whose circuits are known at a time; beyond, those that opened first are closed. */
const maxCircuits = 10_000;

interface Circuit {
  readonly windowEnd: number;
  /** What was spent when it opened. */
  readonly spent: Amount;
  readonly openedAt: number;
  /** When the probe that is under way began. */
  probeAt: number | undefined;
}

/**
 * After a refusal, calls of that key are refused without asking the store, until a probe after the cooldown passes or
 * the window is over. Of one isolate or process: each finds out for itself.
 */
export interface Circuits {
  /** Whether the store may be asked now; the one that may after the cooldown is the probe. */
  enter(key: string, windowEnd: number): { state: CircuitState; spent?: Amount };
  open(key: string, windowEnd: number, spent: Amount): void;
  close(key: string): void;
  /** The probe came to nothing: the next call may try. */
  abandon(key: string): void;
  state(key: string, windowEnd: number): CircuitState;
}

export interface CircuitOptions {
  readonly cooldownMs: number;
  /** A probe that takes longer is dead, since its request may have been. */
  readonly probeMs: number;
  readonly monotonic: () => number;
}

export function createCircuits({ cooldownMs, probeMs, monotonic }: CircuitOptions): Circuits {
  const circuits = new Map<string, Circuit>();

  function find(key: string, windowEnd: number): Circuit | undefined {
    const circuit = circuits.get(key);
    if (circuit?.windowEnd === windowEnd) return circuit;
    // The window that it opened for is over.
    circuits.delete(key);
    return undefined;
  }

  const cools = ({ openedAt }: Circuit) => monotonic() - openedAt < cooldownMs;
  const isProbed = ({ probeAt }: Circuit) => probeAt !== undefined && monotonic() - probeAt < probeMs;

  return {
    enter(key, windowEnd) {
      const circuit = find(key, windowEnd);
      if (!circuit) return { state: 'closed' };
      const { spent } = circuit;
      if (cools(circuit)) return { state: 'open', spent };
      if (isProbed(circuit)) return { state: 'half_open', spent };
      circuit.probeAt = monotonic();
      return { state: 'half_open' };
    },
    open(key, windowEnd, spent) {
      circuits.delete(key);
      circuits.set(key, { windowEnd, spent, openedAt: monotonic(), probeAt: undefined });
      if (circuits.size > maxCircuits) for (const oldest of circuits.keys()) return void circuits.delete(oldest);
    },
    close: (key) => void circuits.delete(key),
    abandon(key) {
      const circuit = circuits.get(key);
      if (circuit) circuit.probeAt = undefined;
    },
    state(key, windowEnd) {
      const circuit = find(key, windowEnd);
      if (!circuit) return 'closed';
      return cools(circuit) ? 'open' : 'half_open';
    },
  };
}
