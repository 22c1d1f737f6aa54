import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCalendar } from '../../src/budget/window.ts';

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago', // its clocks are set at midnight
  'Africa/Cairo',
  'Australia/Lord_Howe', // by half an hour
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
];
const times = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2031, 0, 1) });

function local(timeZone: string, time: number, fields: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, ...fields }).format(time);
}
const day = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
const month = { year: 'numeric', month: '2-digit' } as const;

describe('windows of a time zone', () => {
  it.each(zones)('%s: days and months end where its calendar turns the page', (timeZone) => {
    const calendar = createCalendar(timeZone);
    fc.assert(
      fc.property(times, (time) => {
        for (const [window, fields] of [
          ['day', day],
          ['month', month],
        ] as const) {
          const { start, end } = calendar.span(window, time)!;
          expect(start).toBeLessThanOrEqual(time);
          expect(end).toBeGreaterThan(time);
          const page = local(timeZone, time, fields);
          expect(local(timeZone, start, fields)).toBe(page);
          expect(local(timeZone, start - 1, fields) < page).toBe(true);
          expect(local(timeZone, end - 1, fields)).toBe(page);
          expect(local(timeZone, end, fields) > page).toBe(true);
          // Who comes from outside finds the same window.
          expect(createCalendar(timeZone).span(window, end - 1)).toEqual({ start, end });
          expect(createCalendar(timeZone).span(window, start)).toEqual({ start, end });
        }
      }),
      { numRuns: 15 },
    );
  });

  it.each(zones)('%s: hours end when its clocks strike', (timeZone) => {
    const calendar = createCalendar(timeZone);
    fc.assert(
      fc.property(times, (time) => {
        const { start, end } = calendar.span('hour', time)!;
        expect(start).toBeLessThanOrEqual(time);
        expect(end).toBeGreaterThan(time);
        expect(end - start).toBe(3_600_000);
        expect(calendar.span('hour', end - 1)!.end).toBe(end);
      }),
      { numRuns: 50 },
    );
  });

  it('has days of 23 and 25 hours', () => {
    const calendar = createCalendar('Europe/Berlin');
    const length = (time: number) => {
      const { start, end } = calendar.span('day', time)!;
      return (end - start) / 3_600_000;
    };
    expect(length(Date.UTC(2026, 2, 29, 12))).toBe(23);
    expect(length(Date.UTC(2026, 9, 25, 12))).toBe(25);
    expect(length(Date.UTC(2026, 9, 26, 12))).toBe(24);
  });

  it('has each of the two hours between two and three', () => {
    const calendar = createCalendar('Europe/Berlin');
    const first = calendar.end('hour', Date.UTC(2026, 9, 25, 0, 30));
    const second = calendar.end('hour', Date.UTC(2026, 9, 25, 1, 30));
    expect([first, second]).toEqual([Date.UTC(2026, 9, 25, 1), Date.UTC(2026, 9, 25, 2)]);
  });

  it('has a day that begins at one o’clock', () => {
    const { start } = createCalendar('America/Santiago').span('day', Date.UTC(2026, 8, 6, 18))!;
    expect(local('America/Santiago', start, { hour: '2-digit', minute: '2-digit' })).toBe('01:00');
  });

  it('finds its window again when the clock is set back', () => {
    const calendar = createCalendar('UTC');
    const today = calendar.end('day', Date.UTC(2026, 10, 21, 12));
    calendar.end('day', Date.UTC(2026, 10, 25, 12));
    expect(calendar.end('day', Date.UTC(2026, 10, 21, 13))).toBe(today);
  });

  it('ends neither calls nor sessions, and knows no zone that there is not', () => {
    const calendar = createCalendar('UTC');
    expect([calendar.end('session', 0), calendar.end('call', 0)]).toEqual([Infinity, Infinity]);
    expect(() => createCalendar('Mars/Olympus')).toThrow(RangeError);
  });
});
