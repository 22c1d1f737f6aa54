import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTelemetry, type Runtime } from '../src/index.ts';
import { createInvocation } from '../src/invocation.ts';
import { getParts } from '../src/parts.ts';
import { rootContext } from '../src/trace/otel-context.ts';
import { createAlsRuntime } from './support/telemetry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function create(runtime: Runtime = {}) {
  const exported: string[] = [];
  const telemetry = createTelemetry({
    exporters: [(spans) => void exported.push(...spans.map(({ name }) => name))],
    runtime: { ephemeral: true, now: () => Date.now(), monotonic: () => Date.now(), ...runtime },
  });
  return { telemetry, exported, invocation: createInvocation(getParts(telemetry)) };
}

describe('the flush of an invocation', () => {
  it('waits for its bodies', async () => {
    const { telemetry, exported, invocation } = create();
    const body = invocation.streams.open(() => {});
    body.touch();
    telemetry.span('work', () => {});
    const flushed = invocation.flush();
    await vi.advanceTimersByTimeAsync(4999);
    expect(exported).toEqual([]);
    body.close();
    await flushed;
    expect(exported).toEqual(['work']);
  });

  it('does not keep the rest because of what streams for long', async () => {
    const { telemetry, exported, invocation } = create();
    const body = invocation.streams.open(() => {});
    body.touch();
    telemetry.span('work', () => {});
    const flushed = invocation.flush();
    await vi.advanceTimersByTimeAsync(5000);
    expect(exported).toEqual(['work']);
    await vi.advanceTimersByTimeAsync(60_000);
    telemetry.span('stream', () => {});
    body.close();
    await flushed;
    expect(exported).toEqual(['work', 'stream']);
  });

  it('gives up what nobody reads', async () => {
    const { exported, telemetry, invocation } = create();
    invocation.streams.open(() => telemetry.span('abandoned', () => {}));
    const flushed = invocation.flush();
    await vi.advanceTimersByTimeAsync(5000);
    await flushed;
    expect(exported).toEqual(['abandoned']);
  });
});

describe('work that goes on after the flush of its invocation', () => {
  function begin() {
    const batches: string[][] = [];
    const kept: Promise<unknown>[] = [];
    const runtime = createAlsRuntime({ ephemeral: true, now: () => Date.now(), monotonic: () => Date.now() });
    const telemetry = createTelemetry({
      exporters: [(spans) => void batches.push(spans.map(({ name }) => name))],
      runtime,
    });
    const parts = getParts(telemetry);
    const invocation = createInvocation(parts, { waitUntil: (promise) => kept.push(promise) });
    const record = (name: string) =>
      parts.view.run(invocation.within(rootContext), () => telemetry.span(name, () => {}));
    return { batches, kept, invocation, record, telemetry, runtime };
  }

  it('is sent within the interval, all that comes meanwhile at once', async () => {
    const { batches, kept, invocation, record } = begin();
    await invocation.run(() => record('in time'));
    await vi.advanceTimersByTimeAsync(0);
    expect([batches, kept.length]).toEqual([[['in time']], 1]);
    for (const round of [1, 2]) {
      record(`a${round}`);
      await vi.advanceTimersByTimeAsync(4999);
      record(`b${round}`);
      expect([batches.length, kept.length]).toEqual([round, 1 + round]);
      await vi.advanceTimersByTimeAsync(1);
      expect(batches.at(-1)).toEqual([`a${round}`, `b${round}`]);
    }
    await Promise.all(kept);
  });

  it('asks for nothing while the invocation is under way, and nothing of others', async () => {
    const { kept, invocation, record, telemetry } = begin();
    record('before');
    telemetry.span('elsewhere', () => {});
    expect(kept).toEqual([]);
    await invocation.run(() => {});
    await vi.advanceTimersByTimeAsync(0);
    telemetry.span('elsewhere', () => {});
    expect(kept).toHaveLength(1);
  });

  it('sends what another telemetry has recorded in it, in time and later', async () => {
    const { batches, kept, invocation, runtime } = begin();
    const { exported, ...other } = create(runtime);
    const record = (name: string) =>
      runtime.context!.run(invocation.within(rootContext), () => other.telemetry.span(name, () => {}));
    await invocation.run(() => record('in time'));
    await vi.advanceTimersByTimeAsync(0);
    expect([exported, batches]).toEqual([['in time'], []]);
    record('later');
    await vi.advanceTimersByTimeAsync(5000);
    expect(exported).toEqual(['in time', 'later']);
    await Promise.all(kept);
  });
});
