import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../support/telemetry.ts';
import { costUsd, setUp } from './set-up.ts';

/** A rejection that nobody handles ends a Node process. */
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(() => void process.off('unhandledRejection', note));

const messages = (errors: readonly Error[]) => errors.map(({ message }) => message);
const late = async (): Promise<never> => {
  await null;
  throw new Error('too late');
};

describe('a callback that is async, and fails', () => {
  it('may be onWarn, and is reported', async () => {
    const { errors, call } = setUp({ budget: { limits: { usd: 1.5 * costUsd }, warnAt: [0.5], onWarn: late } });
    await call();
    await settle();
    expect([messages(errors), unhandled]).toEqual([[expect.stringContaining('50%'), 'too late'], []]);
  });

  it('may be onExceeded, which then does not allow anything', async () => {
    const onExceeded = late as unknown as () => 'allow';
    const { errors, call } = setUp({ budget: { limits: { usd: 0 }, onExceeded } });
    expect(await call()).toBe(402);
    await settle();
    expect([messages(errors), unhandled]).toEqual([['too late'], []]);
  });

  it('may be key, which then answers for nobody', async () => {
    const key = late as unknown as () => string;
    const { errors, call } = setUp({ budget: { limits: { usd: 1, key } } });
    expect(await call()).toBe(402);
    await settle();
    expect([messages(errors), unhandled]).toEqual([[expect.stringContaining('key answered object')], []]);
  });

  it('may be costAlert, or onError itself', async () => {
    const told: Error[] = [];
    const onError = (error: Error) => late().finally(() => told.push(error));
    const { call } = setUp({ budget: { limits: { usd: 1 } }, costAlert: { usd: 0, onAlert: late }, onError });
    expect(await call()).toBe(200);
    await settle();
    await settle();
    expect([messages(told), unhandled]).toEqual([['too late'], []]);
  });
});

describe('a callback that throws', () => {
  it('may be key: the error names the limit, and the policy decides', async () => {
    const key = () => {
      throw new Error('no user');
    };
    for (const [onStoreError, status] of [
      ['refuse', 402],
      ['allow', 200],
    ] as const) {
      const { errors, call } = setUp({ budget: { limits: { name: 'users', usd: 1, key }, onStoreError } });
      expect(await call()).toBe(status);
      expect(errors[0]).toMatchObject({ code: 'invalid_value', message: 'budget users: key threw: no user' });
    }
  });

  it('may be a clock: what the application asked to be guarded runs', async () => {
    const now = () => Number.NaN;
    const { telemetry, errors } = setUp({ budget: { limits: { usd: 1, window: 'day' } }, runtime: { now } });
    expect(await telemetry.budget.guard({ provider: 'acme', model: 'm', estimate: { usd: 0.1 } }, async () => 5)).toBe(
      5,
    );
    expect(errors).toHaveLength(1);
  });
});
