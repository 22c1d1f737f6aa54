import { measure } from 'mitata';

/** One line of the report, and of `--json`. */
export interface Result {
  name: string;
  ours: number;
  peer: number;
  peerName: string;
  unit: string;
  /** ours ÷ peer */
  ratio: number;
  /** The ratio must not be above. */
  goal: number;
  /** Distance between the quartiles of the rounds' ratios, as a share of the ratio. */
  spread: number;
}

/** Two functions that do the same, `operations` times a call. */
export interface Line {
  readonly name: string;
  readonly peerName: string;
  readonly goal: number;
  readonly operations: number;
  readonly ours: () => unknown;
  readonly peer: () => unknown;
}

export interface Limit {
  readonly name: string;
  readonly unit: string;
  /** What is allowed, in `unit`. */
  readonly limit: number;
  /** One figure each time it is asked, in `unit`. */
  readonly sample: () => number | Promise<number>;
  readonly samples: number;
}

const rounds = 15;
const roundNs = 40e6;
const warmUpNs = 200e6;

/**
 * Measures both in turns, first one first, then the other: a machine that slows down for a while slows down both. Each
 * round gives a ratio of its own, and the median of them is the figure. No collection is forced between them: it
 * throws away machine code too.
 */
export async function compare({ name, peerName, goal, operations, ours, peer }: Line): Promise<Result> {
  const fns = [ours, peer] as const;
  for (const fn of fns) await measure(fn, { min_cpu_time: warmUpNs, gc: false });
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const index of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const { min } = await measure(fns[index], { min_cpu_time: roundNs, gc: false });
      times[index].push(min / operations);
    }
  }
  const ratios = times[0].map((time, round) => time / times[1][round]!);
  return { name, ours: median(times[0]), peer: median(times[1]), peerName, unit: 'ns', ...summarize(ratios, goal) };
}

export async function check({ name, unit, limit, sample, samples }: Limit): Promise<Result> {
  const values: number[] = [];
  for (let i = 0; i < samples; i++) values.push(await sample());
  const ratios = values.map((value) => value / limit);
  return { name, ours: median(values), peer: limit, peerName: 'limit', unit, ...summarize(ratios, 1) };
}

function summarize(ratios: readonly number[], goal: number): Pick<Result, 'ratio' | 'goal' | 'spread'> {
  const ratio = median(ratios);
  return { ratio, goal, spread: Math.abs((quantile(ratios, 0.75) - quantile(ratios, 0.25)) / ratio) };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))]!;
}
