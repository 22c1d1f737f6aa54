import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTelemetry } from '../src/index.ts';
import { createInvocation } from '../src/invocation.ts';
import { getParts } from '../src/parts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function create() {
  const exported: string[] = [];
  const telemetry = createTelemetry({
    exporters: [(spans) => void exported.push(...spans.map(({ name }) => name))],
    runtime: { ephemeral: true, now: () => Date.now(), monotonic: () => Date.now() },
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
