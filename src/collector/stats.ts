import type { CallOutcome } from '../llm/instruments.ts';
import type { Sender } from './emitters.ts';

export const statsBy = ['model', 'provider', 'agent', 'service'] as const;
export type StatsBy = (typeof statsBy)[number];

const stepMs = 60_000;
/** Minutes that are kept: a day. */
const maxSteps = 1440;
/** Groups of a kind in a minute; the others count as one. */
const maxGroups = 50;
const others = 'other';
/** Upper bounds of durations in milliseconds, each a quarter above the one before: from 1 ms to about 2 hours. */
const boundCount = 72;
const growth = 1.25;

interface Cell {
  requests: number;
  errors: number;
  /** `undefined` as long as no call has said any. */
  tokens: number | undefined;
  costUsd: number | undefined;
  readonly durations: Uint32Array;
  readonly firstTokens: Uint32Array;
}

interface Step {
  readonly start: number;
  readonly cells: Map<string, Cell>;
}

/** The newest day of model calls by the minute, for charts. */
export interface Stats {
  add(call: CallOutcome, sender: Sender): void;
  read(tenant: string, minutes: number, by: StatsBy): StatsPage;
}

export interface StatsPage {
  readonly start_ms: number;
  readonly step_ms: number;
  readonly groups: Readonly<Record<string, StatsGroup>>;
}

/** One value a step. A step without calls has sums of 0 and no percentiles; `null` is what no call of the step has said. */
export interface StatsGroup {
  readonly requests: number[];
  readonly errors: number[];
  readonly tokens: (number | null)[];
  readonly cost_usd: (number | null)[];
  readonly p50_ms: (number | null)[];
  readonly p95_ms: (number | null)[];
  readonly p99_ms: (number | null)[];
  readonly ttft_p95_ms: (number | null)[];
}

export function createStats(now: () => number): Stats {
  const steps: Step[] = [];

  function currentStep(): Step {
    const start = Math.floor(now() / stepMs) * stepMs;
    const last = steps.at(-1);
    if (last && last.start >= start) return last;
    const step = { start, cells: new Map<string, Cell>() };
    steps.push(step);
    if (steps.length > maxSteps) steps.shift();
    return step;
  }

  function cellOf({ cells }: Step, tenant: string, by: StatsBy, name: string): Cell {
    const prefix = `${by}\n${tenant}\n`;
    const known = cells.get(prefix + name);
    if (known) return known;
    const isFull = cells.size >= maxGroups * statsBy.length;
    const key = prefix + (isFull ? others : name);
    const cell = cells.get(key) ?? createCell();
    cells.set(key, cell);
    return cell;
  }

  return {
    add(call, { service, tenant }) {
      const step = currentStep();
      const names = { model: call.model, provider: call.provider, agent: call.agent, service };
      for (const by of statsBy) addCall(cellOf(step, tenant, by, names[by] || 'unknown'), call);
    },
    read(tenant, minutes, by) {
      const end = Math.floor(now() / stepMs) * stepMs;
      const count = Math.min(Math.max(1, Math.trunc(minutes)), maxSteps);
      const start = end - (count - 1) * stepMs;
      const prefix = `${by}\n${tenant}\n`;
      const groups = new Map<string, (Cell | undefined)[]>();
      for (const step of steps) {
        const index = (step.start - start) / stepMs;
        if (index < 0 || index >= count) continue;
        for (const [key, cell] of step.cells) {
          if (!key.startsWith(prefix)) continue;
          const name = key.slice(prefix.length);
          const row = groups.get(name) ?? new Array<Cell | undefined>(count).fill(undefined);
          groups.set(name, row);
          row[index] = cell;
        }
      }
      return {
        start_ms: start,
        step_ms: stepMs,
        groups: Object.fromEntries(Array.from(groups, ([name, row]) => [name, describeRow(row)])),
      };
    },
  };
}

function createCell(): Cell {
  const bounds = () => new Uint32Array(boundCount + 1);
  return { requests: 0, errors: 0, tokens: undefined, costUsd: undefined, durations: bounds(), firstTokens: bounds() };
}

function addCall(cell: Cell, { counted, error, usage, cost, seconds, firstTokenSeconds }: CallOutcome): void {
  if (!counted) {
    cell.requests++;
    if (error) cell.errors++;
    count(cell.durations, seconds * 1000);
  }
  if (usage) cell.tokens = (cell.tokens ?? 0) + (usage.total ?? (usage.input ?? 0) + (usage.output ?? 0));
  if (cost) cell.costUsd = (cell.costUsd ?? 0) + cost.totalUsd;
  if (firstTokenSeconds !== undefined) count(cell.firstTokens, firstTokenSeconds * 1000);
}

function count(buckets: Uint32Array, ms: number): void {
  const index = ms <= 1 ? 0 : Math.min(boundCount, Math.ceil(Math.log(ms) / Math.log(growth)));
  buckets[index]!++;
}

/** As a value between the bounds of its bucket, by how many of it are below. */
function quantile(buckets: Uint32Array, q: number): number | null {
  const total = buckets.reduce((sum, each) => sum + each, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [index, inside] of buckets.entries()) {
    if (below + inside >= q * total && inside > 0) {
      const lower = index === 0 ? 0 : growth ** (index - 1);
      const upper = growth ** index;
      return Math.round((lower + ((upper - lower) * (q * total - below)) / inside) * 10) / 10;
    }
    below += inside;
  }
  return null;
}

function describeRow(row: readonly (Cell | undefined)[]): StatsGroup {
  const sums = (read: (cell: Cell) => number) => row.map((cell) => (cell ? read(cell) : 0));
  const known = (read: (cell: Cell) => number | undefined) => row.map((cell) => (cell ? (read(cell) ?? null) : 0));
  const quantiles = (q: number) => row.map((cell) => (cell ? quantile(cell.durations, q) : null));
  return {
    requests: sums((cell) => cell.requests),
    errors: sums((cell) => cell.errors),
    tokens: known((cell) => cell.tokens),
    cost_usd: known(({ costUsd }) => costUsd && Math.round(costUsd * 1e9) / 1e9),
    p50_ms: quantiles(0.5),
    p95_ms: quantiles(0.95),
    p99_ms: quantiles(0.99),
    ttft_p95_ms: row.map((cell) => (cell ? quantile(cell.firstTokens, 0.95) : null)),
  };
}
