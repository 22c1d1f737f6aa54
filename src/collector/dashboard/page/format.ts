/** What is not known is not 0. */
export const unknown = '–';

export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) return unknown;
  if (ms === 0) return '0 ms';
  if (ms < 9.995) return `${ms < 0.01 ? '<0.01' : ms.toFixed(2)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`;
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, '0');
}

const whole = /* @__PURE__ */ new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const compact = /* @__PURE__ */ new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

export function formatCount(count: number | undefined): string {
  return count === undefined ? unknown : whole.format(count);
}

/** For a chart's axis: 1.2K. */
export function formatCompact(value: number): string {
  return Math.abs(value) < 1 && value !== 0 ? String(Number(value.toPrecision(2))) : compact.format(value);
}

/** Cents from a dollar on; below that four decimals, and more only where four would say nothing. */
export function formatCost(usd: number | undefined): string {
  if (usd === undefined) return unknown;
  if (usd >= 1 || usd === 0) {
    return `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  }
  if (usd >= 0.00005) return `$${usd.toFixed(4)}`;
  return usd >= 0.0000005 ? `$${usd.toFixed(6)}` : '<$0.000001';
}

/** For a chart's axis: $1.2K. */
export function formatCompactCost(usd: number): string {
  return `$${formatCompact(usd)}`;
}

export function formatShare(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return unknown;
  if (share === 0) return '0%';
  if (share < 0.00005) return '<0.01%';
  return `${(share * 100).toFixed(share < 0.1 ? 2 : 1)}%`;
}

/** Wall-clock time of day in the viewer's time zone, with the date where that is another day. */
export function formatTime(ms: number, now: number): string {
  const at = new Date(ms);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  return isSameDay(at, new Date(now)) ? time : `${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${time}`;
}

/** Year to millisecond. */
export function formatInstant(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

function isSameDay(a: Date, b: Date): boolean {
  return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

/** `1 span`, `2 spans`. */
export function formatAmount(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
