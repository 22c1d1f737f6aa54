import { asObject } from '../../json.ts';
import { ellipsis, shorten } from './clean.ts';

/**
 * JSON of a plain value in at most `room` characters, and valid: texts are cut, then what comes last in an array or
 * object is left out. `undefined` where not even that has room.
 */
export function writeJson(value: unknown, room: number): string | undefined {
  const whole = JSON.stringify(value ?? null);
  if (whole.length <= room) return whole;
  if (typeof value === 'string') return writeText(value, room);
  if (Array.isArray(value)) return writeAll(value, room, ['[', ']'], (item, left) => writeJson(item, left));
  const object = asObject(value);
  return (
    object &&
    writeAll(Object.entries(object), room, ['{', '}'], ([name, item], left) => {
      const key = `${JSON.stringify(name)}:`;
      const text = writeJson(item, left - key.length);
      return text === undefined ? undefined : key + text;
    })
  );
}

function writeText(value: string, room: number): string | undefined {
  // No character takes less room in JSON than it has by itself.
  let limit = Math.min(value.length, room - 2);
  while (limit > 0) {
    const text = JSON.stringify(shorten(value, limit));
    if (text.length <= room) return text;
    limit -= Math.max(1, Math.ceil((text.length - room) / 6));
  }
  return undefined;
}

/** Items in their order, as long as there is room for them and, after them, for the mark of what is left out. */
function writeAll<T>(
  items: readonly T[],
  room: number,
  [open, close]: readonly [string, string],
  write: (item: T, room: number) => string | undefined,
): string | undefined {
  const mark = open === '[' ? `"${ellipsis}"` : `"${ellipsis}":"${ellipsis}"`;
  let out = open;
  for (const [index, item] of items.entries()) {
    const comma = index === 0 ? '' : ',';
    const reserved = index === items.length - 1 ? 0 : mark.length + 1;
    const text = write(item, room - out.length - comma.length - close.length - reserved);
    if (text === undefined) {
      const end = comma + mark + close;
      if (out.length + end.length <= room) return out + end;
      return out.length + close.length <= room ? out + close : undefined;
    }
    out += comma + text;
  }
  return out.length + close.length <= room ? out + close : undefined;
}

export interface Fitted {
  readonly json: string | undefined;
  /** Items that had no room. */
  readonly dropped: number;
}

/**
 * JSON of a list in at most `room` characters. `write` gives an item whole, and is not asked for those that find no room;
 * `squeeze` makes the first of them smaller. With `newest` items are taken from the end.
 */
export function fitList<T>(
  items: readonly T[],
  room: number,
  write: (item: T) => unknown,
  squeeze: (written: unknown, room: number) => string | undefined,
  newest = false,
): Fitted {
  const kept: string[] = [];
  let left = room - 2;
  for (let i = 0; i < items.length; i++) {
    const written = write(items[newest ? items.length - 1 - i : i]!);
    const whole = JSON.stringify(written);
    const free = left - (kept.length > 0 ? 1 : 0);
    const text = whole.length <= free ? whole : kept.length === 0 ? squeeze(written, free) : undefined;
    if (text === undefined) break;
    left = free - text.length;
    kept.push(text);
  }
  if (left < 0) return { json: undefined, dropped: items.length };
  if (newest) kept.reverse();
  return { json: `[${kept.join(',')}]`, dropped: items.length - kept.length };
}

/** The largest size up to `most` at which a text is not too long. */
export function largest(most: number, room: number, write: (size: number) => string): string | undefined {
  let low = 1;
  let high = most;
  let best: string | undefined;
  while (low <= high) {
    const size = (low + high) >> 1;
    const text = write(size);
    if (text.length <= room) {
      best = text;
      low = size + 1;
    } else high = size - 1;
  }
  return best;
}
