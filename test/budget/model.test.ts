import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BudgetOptions } from '../../src/budget/options.ts';
import { ignore } from '../../src/errors.ts';
import { createAsyncStore, setUp } from './set-up.ts';

const users = ['ann', 'bob'];

/** What may happen to a program: cents that a call is estimated at, or comes to (`null`: it fails). */
const act = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      begin: fc.constantFrom(...users),
      cents: fc.nat({ max: 30 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ end: fc.nat(), cents: fc.option(fc.nat({ max: 40 })) }) },
  { weight: 1, arbitrary: fc.record({ minutes: fc.nat({ max: 45 }) }) },
  { weight: 1, arbitrary: fc.constantFrom('flush' as const, 'reset' as const) },
);

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** What was counted, and in the windows of which time. */
interface Spent {
  readonly user: string;
  readonly at: number;
  readonly cents: number;
}

interface OpenCall {
  end(cents: number | null): Promise<void>;
}

function createProgram(options: (now: () => number) => Partial<BudgetOptions>) {
  const { telemetry, clock } = setUp({
    budget: {
      limits: [
        { name: 'hour', usd: 1, window: 'hour' },
        { name: 'user', usd: 0.6, window: 'day', key: (call) => call.attributes['user.id']?.toString() },
      ],
      cooldownMs: 0,
      reservationTtlMs: 86_400_000,
      ...options(() => clock.now()),
    },
  });
  const open: OpenCall[] = [];
  let spent: Spent[] = [];

  /** Until it is under way, or was refused. */
  async function begin(user: string, cents: number): Promise<void> {
    const at = clock.now();
    let end: (cents: number | null) => void = ignore;
    const ended = new Promise<number | null>((resolve) => {
      end = resolve;
    });
    await new Promise<void>((settled) => {
      const call = { provider: 'acme', model: 'acme-1', estimate: { usd: cents / 100, tokens: 0 } };
      const ask = async () => {
        open.push({
          end(actual) {
            end(actual);
            return over;
          },
        });
        settled();
        const actual = await ended;
        if (actual === null) throw new RangeError('mine');
        telemetry.recordLlmCall({ provider: 'acme', model: 'acme-1', costUsd: actual / 100 });
        spent.push({ user, at, cents: actual });
      };
      const over = telemetry
        .with({ attributes: { 'user.id': user } }, () => telemetry.budget.guard(call, ask))
        .catch(ignore)
        .then(settled);
    });
  }

  /** Cents of the windows that are present now. */
  async function look(name: string, key?: string) {
    const [status] = await telemetry.budget.status(name, key);
    return { spent: Math.round(status!.spent.usd * 100), reserved: status!.reserved.usd };
  }

  return {
    clock,
    open,
    begin,
    look,
    flush: () => telemetry.flush(),
    async reset() {
      await telemetry.budget.reset();
      spent = [];
    },
    total(windowMs: number, user?: string) {
      const window = (at: number) => Math.floor(at / windowMs);
      const own = spent.filter((one) => window(one.at) === window(clock.now()) && (!user || one.user === user));
      return own.reduce((sum, { cents }) => sum + cents, 0);
    },
  };
}

it.each<[string, (now: () => number) => Partial<BudgetOptions>]>([
  ['in memory', () => ({})],
  ['in a store to wait for', (now) => ({ store: createAsyncStore(now) })],
  ['by leases', (now) => ({ store: createAsyncStore(now), lease: { usd: 0.25 } })],
])(
  'windows have what the calls that began in them cost since the last reset, and nothing stays held: %s',
  async (_, options) => {
    const run = async (acts: readonly Act[]) => {
      const program = createProgram(options);
      const { open, clock } = program;
      for (const one of acts) {
        if (typeof one === 'string') await program[one]();
        else if ('begin' in one) await program.begin(one.begin, one.cents);
        else if ('minutes' in one) clock.advance(one.minutes * 60_000);
        else if (open.length > 0) await open.splice(one.end % open.length, 1)[0]!.end(one.cents);
      }
      for (const call of open) await call.end(1);
      await program.flush();
      expect(await program.look('hour')).toEqual({ spent: program.total(3_600_000), reserved: 0 });
      for (const user of users) {
        expect(await program.look('user', user)).toEqual({ spent: program.total(86_400_000, user), reserved: 0 });
      }
    };
    // A reset reaches keys whose only call was under way at the reset before.
    await run([{ begin: 'ann', cents: 0 }, 'reset', { end: 0, cents: 1 }, 'reset']);
    await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 60 }), run), { numRuns: 100 });
  },
);
