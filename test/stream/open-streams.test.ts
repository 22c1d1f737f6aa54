import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOpenStreams } from '../../src/stream/open-streams.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function create() {
  const abandoned: string[] = [];
  let idle = 0;
  const streams = createOpenStreams(
    () => Date.now(),
    () => idle++,
  );
  return {
    streams,
    abandoned,
    idle: () => idle,
    open: (name: string) => streams.open(() => void abandoned.push(name)),
  };
}

describe('open streams', () => {
  it('give up what nobody has begun to read in time, and only that', () => {
    const { streams, abandoned, open } = create();
    open('old');
    open('read').touch();
    vi.advanceTimersByTime(100);
    open('new');
    streams.abandonUnread(100);
    expect(abandoned).toEqual(['old']);
    expect(streams.size).toBe(2);
    streams.abandonUnread(100);
    expect(abandoned).toEqual(['old']);
  });

  it('settle when the last is closed, for all who wait', async () => {
    const { streams, open, idle } = create();
    const [a, b] = [open('a'), open('b')];
    a.touch();
    b.touch();
    let settled = 0;
    for (let i = 0; i < 2; i++) streams.settled(1000).then(() => settled++);
    a.close();
    a.close();
    await vi.advanceTimersByTimeAsync(10);
    expect([settled, idle()]).toEqual([0, 0]);
    b.close();
    await vi.advanceTimersByTimeAsync(0);
    expect([settled, idle()]).toEqual([2, 1]);
  });

  it('settle at once where none is open', async () => {
    await create().streams.settled(1000);
  });

  it('wait for what is read, however long, and not for what nobody reads', async () => {
    const { streams, abandoned, open } = create();
    const reading = open('reading');
    reading.touch();
    open('unread');
    let settled = false;
    streams.settled(1000).then(() => {
      settled = true;
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(abandoned).toEqual(['unread']);
    expect(settled).toBe(false);
    reading.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).toBe(true);
  });

  it('survive what throws when it is given up', () => {
    const { streams, abandoned, open } = create();
    streams.open(() => {
      throw new Error('no');
    });
    open('next');
    streams.abandonUnread(0);
    expect(abandoned).toEqual(['next']);
    expect(streams.size).toBe(0);
  });

  it('hold at most 1,000 that nobody reads', () => {
    const { streams, abandoned, open } = create();
    open('read').touch();
    for (let i = 0; i < 1002; i++) open(`${i}`);
    expect(abandoned).toEqual(['0', '1']);
    expect(streams.size).toBe(1001);
  });
});
