import { describe, expect, it } from 'vitest';
import { createTelemetry, type ReadableSpan, type TelemetryOptions } from '../../src/index.ts';

function setUp(options: TelemetryOptions = {}) {
  const sent: string[] = [];
  const timers: { ms: number; run: () => void; stopped: boolean }[] = [];
  const telemetry = createTelemetry({
    exporters: [(spans: readonly ReadableSpan[]) => void sent.push(...spans.map(({ name }) => name))],
    ...options,
    runtime: {
      every(ms, run) {
        const timer = { ms, run, stopped: false };
        timers.push(timer);
        return () => {
          timer.stopped = true;
        };
      },
      ...options.runtime,
    },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { telemetry, sent, timers, settle };
}

describe('flushing by interval', () => {
  it('starts with the first thing there is to send, at the interval that was asked for', async () => {
    const { telemetry, sent, timers, settle } = setUp({ flush: { intervalMs: 1234 } });
    expect(timers).toHaveLength(0);
    telemetry.span('a', () => {});
    telemetry.span('b', () => {});
    expect(timers.map(({ ms }) => ms)).toEqual([1234]);
    expect(sent).toEqual([]);
    timers[0]!.run();
    await settle();
    expect(sent).toEqual(['a', 'b']);
    telemetry.span('c', () => {});
    timers[0]!.run();
    await settle();
    expect(sent).toEqual(['a', 'b', 'c']);
    expect(timers).toHaveLength(1);
  });

  it('takes 5,000 milliseconds unless it is told', () => {
    const { telemetry, timers } = setUp();
    telemetry.span('a', () => {});
    expect(timers[0]?.ms).toBe(5000);
  });

  it('does not wait for it when a batch is full', async () => {
    const { telemetry, sent, settle } = setUp({ flush: { batchSize: 2 } });
    telemetry.span('a', () => {});
    await settle();
    expect(sent).toEqual([]);
    telemetry.span('b', () => {});
    await settle();
    expect(sent).toEqual(['a', 'b']);
  });

  it('ends with the shutdown', async () => {
    const { telemetry, sent, timers } = setUp();
    telemetry.span('a', () => {});
    await telemetry.shutdown();
    expect([timers[0]?.stopped, sent]).toEqual([true, ['a']]);
    telemetry.span('late', () => {});
    expect(timers).toHaveLength(1);
  });

  it('has no timer where nothing is exported, or where instances come and go', () => {
    const silent = setUp({ exporters: [] });
    silent.telemetry.span('a', () => {});
    const ephemeral = setUp({ runtime: { ephemeral: true } });
    ephemeral.telemetry.span('a', () => {});
    expect([...silent.timers, ...ephemeral.timers]).toEqual([]);
  });
});
