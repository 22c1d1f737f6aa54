import type * as Edgespan from '../../src/index.ts';
import type { Telemetry, TelemetryOptions } from '../../src/index.ts';

/** What a runtime brings to the suites. They import nothing themselves, so that they run anywhere. */
export interface SuiteEnv {
  /** The exports of the built entry that this runtime's users import. */
  readonly edgespan: typeof Edgespan;
  /** Whether context survives an `await` here. */
  readonly asyncContext: boolean;
}

export interface SuiteTest {
  readonly name: string;
  run(env: SuiteEnv): void | Promise<void>;
}

export type Suite = readonly SuiteTest[];

/** A test of a suite or a contract, with what it is run against. */
export interface Case {
  readonly name: string;
  run(): void | Promise<void>;
}

/** What a run of one test came to: no error is a pass. */
export interface SuiteResult {
  readonly name: string;
  readonly error?: string;
}

/** Who is told results. */
export type Tell = (result: SuiteResult) => void;

/** Runs one test after the other and tells each result as it comes, so that one that never ends can be named. */
export async function runCases(cases: readonly Case[], tell: Tell): Promise<void> {
  for (const { name, run } of cases) {
    try {
      await run();
      tell({ name });
    } catch (error) {
      tell({ name, error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
    }
  }
}

export function runSuite(suite: Suite, env: SuiteEnv, tell: Tell): Promise<void> {
  const cases = suite.map(({ name, run }) => ({ name, run: () => run(env) }));
  return runCases(cases, tell);
}

/** What a Worker answers: all results at once. */
export async function answerCases(cases: readonly Case[]): Promise<Response> {
  const results: SuiteResult[] = [];
  await runCases(cases, (result) => results.push(result));
  return Response.json(results);
}

/** A clock that stands still until it is told to go. */
export function createClock(start = 1_700_000_000_000) {
  let ms = 0;
  return {
    now: () => start + ms,
    monotonic: () => ms,
    advance(by: number) {
      ms += by;
    },
  };
}

export type TestClock = ReturnType<typeof createClock>;

/** A telemetry of the entry under test, with its own clock, no environment and no timer. */
export function createTelemetry(
  { edgespan }: SuiteEnv,
  { clock = createClock(), runtime, ...options }: TelemetryOptions & { clock?: TestClock } = {},
): Telemetry {
  const { now, monotonic } = clock;
  const own = { env: {}, ephemeral: false, every: undefined, now, monotonic } as NonNullable<
    TelemetryOptions['runtime']
  >;
  return edgespan.createTelemetry({ inMemory: true, ...options, runtime: { ...own, ...runtime } });
}

/** Lets what is ready run, without waiting for any time to pass. */
export async function tick(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
