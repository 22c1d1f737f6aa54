import { describe, expect, it } from 'vitest';
import { createTelemetry } from '../../adapters/node/index.ts';
import type { ReadableSpan } from '../../src/index.ts';
import { getParts } from '../../src/parts.ts';
import { runTask, type Task } from '../../src/server/task.ts';

function setUp(enabled = true) {
  const sent: string[] = [];
  let release = () => {};
  const mayFinish = new Promise<void>((resolve) => {
    release = resolve;
  });
  const exporter = async (spans: readonly ReadableSpan[]) => {
    sent.push(...spans.map(({ name }) => name));
    await mayFinish;
  };
  const telemetry = createTelemetry({
    enabled,
    inMemory: true,
    exporters: [exporter],
    runtime: { env: {}, ephemeral: true },
  });
  const run = (task: Pick<Task, 'call' | 'awaitFlush'> & Partial<Task>) =>
    runTask(getParts(telemetry), { name: 'job', ...task });
  return { telemetry, sent, release, run };
}

/** Whether a promise is settled once everything that is ready has run. */
async function isSettled(promise: unknown): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  Promise.resolve(promise).then(note, note);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('runTask', () => {
  it('lets a result that has to wait come only after the flush', async () => {
    const { sent, release, run } = setUp();
    const result = run({ awaitFlush: true, call: async () => 'done' });
    expect(await isSettled(result)).toBe(false);
    expect(sent).toEqual(['job']);
    release();
    expect(await result).toBe('done');
  });

  it('lets an error that has to wait come only after the flush', async () => {
    const { telemetry, release, run } = setUp();
    const boom = new Error('boom');
    const result = run({
      awaitFlush: true,
      call: () => {
        throw boom;
      },
    });
    expect(await isSettled(result)).toBe(false);
    release();
    await expect(result).rejects.toBe(boom);
    expect(telemetry.spans[0]?.status).toEqual({ code: 2, message: 'boom' });
  });

  it('hands a flush that nobody waits for to waitUntil, whatever the work gives', async () => {
    const boom = new Error('boom');
    const works: [() => unknown, unknown][] = [
      [() => 7, 7],
      [async () => 8, 8],
      [() => undefined, undefined],
    ];
    for (const [call, expected] of works) {
      const { sent, release, run } = setUp();
      const background: Promise<unknown>[] = [];
      const waitUntil = (promise: Promise<unknown>) => void background.push(promise);
      expect(await run({ awaitFlush: false, waitUntil, call })).toBe(expected);
      expect(background).toHaveLength(1);
      expect(await isSettled(background[0])).toBe(false);
      expect(sent).toEqual(['job']);
      release();
      await background[0];
    }
    const { run } = setUp();
    const background: Promise<unknown>[] = [];
    const waitUntil = (promise: Promise<unknown>) => void background.push(promise);
    const fails = () => {
      throw boom;
    };
    expect(() => run({ awaitFlush: false, waitUntil, call: fails })).toThrow(boom);
    expect(background).toHaveLength(1);
  });

  it('makes no span for work without a name, whose own spans are sent all the same', async () => {
    const { telemetry, release, sent, run } = setUp();
    release();
    const call = () => telemetry.span('own', () => 'done');
    expect(await run({ name: undefined, awaitFlush: true, call })).toBe('done');
    expect(sent).toEqual(['own']);
  });

  it('calls the work once and gives what it gives where telemetry is turned off', () => {
    let calls = 0;
    const { run } = setUp(false);
    expect(run({ awaitFlush: false, call: () => void calls++ })).toBeUndefined();
    expect(calls).toBe(1);
  });
});
