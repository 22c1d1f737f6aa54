/** What a limit holds for. `session` ends with `budget.reset`, and in memory with the process. */
export type BudgetWindow = 'call' | 'session' | 'hour' | 'day' | 'month';

export const budgetWindows: readonly BudgetWindow[] = ['call', 'session', 'hour', 'day', 'month'];

/** Where a moment's window begins and ends, both epoch milliseconds; the end belongs to the next one. */
export interface WindowSpan {
  readonly start: number;
  readonly end: number;
}

export interface Calendar {
  /** `undefined` for windows that no calendar has. */
  span(window: BudgetWindow, now: number): WindowSpan | undefined;
  /** `Infinity` for windows that no calendar ends. */
  end(window: BudgetWindow, now: number): number;
}

const hourMs = 3_600_000;
/** Longer than any day or month with a change of the clocks in it. */
const reach = { day: 51 * hourMs, month: 34 * 24 * hourMs };

/**
 * Hours, days and months of a time zone, by its clocks: days of 23 and 25 hours too, and days that begin at one o'clock.
 * Throws a `RangeError` for a zone that the runtime does not know. It reads no clock.
 */
export function createCalendar(timeZone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  });
  const spans = new Map<BudgetWindow, WindowSpan>();

  function read(time: number): Record<string, string> {
    return Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
  }

  function name(window: 'day' | 'month', time: number): string {
    const { era, year, month, day } = read(time);
    return window === 'day' ? `${era} ${year} ${month} ${day}` : `${era} ${year} ${month}`;
  }

  /** Clocks are set by less than an hour at its full hour in a few places only: the hour there is a shorter one. */
  function findHour(now: number): WindowSpan {
    const { minute, second } = read(now);
    const start = Math.floor(now / 1000) * 1000 - (Number(minute) * 60 + Number(second)) * 1000;
    return { start, end: start + hourMs };
  }

  function findSpan(window: 'day' | 'month', now: number): WindowSpan {
    const own = name(window, now);
    const isOwn = (time: number) => name(window, time) === own;
    return {
      start: firstIn(now - reach[window], now, isOwn),
      end: firstIn(now, now + reach[window], (time) => !isOwn(time)),
    };
  }

  function span(window: BudgetWindow, now: number): WindowSpan | undefined {
    if (window === 'call' || window === 'session') return undefined;
    const known = spans.get(window);
    if (known && known.start <= now && now < known.end) return known;
    const found = window === 'hour' ? findHour(now) : findSpan(window, now);
    spans.set(window, found);
    return found;
  }

  return { span, end: (window, now) => span(window, now)?.end ?? Number.POSITIVE_INFINITY };
}

/** The first millisecond after `low` for which `is` holds; from there to `high` it does. */
function firstIn(low: number, high: number, is: (time: number) => boolean): number {
  let [before, from] = [Math.floor(low), Math.floor(high)];
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (is(middle)) from = middle;
    else before = middle;
  }
  return from;
}
