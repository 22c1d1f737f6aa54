import { cut } from '../../attributes.ts';

/** Takes secrets out of a text, or out of another value that stands under a name. */
export type Redact = (value: unknown, key: string) => unknown;

/** Marks what has been cut. */
export const ellipsis = '…';
/** What a text has to be longer than its limit for rules to see secrets whole that begin within it. */
const margin = 32_768;
/** JSON beyond this is not redacted but left out: of half of it, no rule could tell what stands under which name. */
const maxJson = 262_144;
/** Of a text that has little but secrets so much is looked at. */
const maxPiece = 1024 * 1024;
const mark = '[REDACTED]';

/** Characters of a text that have to be held for so many of it to be kept. */
export function heldLength(limit: number, redact: Redact | undefined): number {
  return limit === 0 ? 0 : limit + (redact ? maxJson : 0) + 1;
}

/** At most `limit` characters, whole ones, the last of them the mark of a cut. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  if (limit < 1) return '';
  const kept = cut(text, limit - 1);
  // Half of what stands for a secret would look like one to the next who redacts.
  const open = kept.lastIndexOf('[');
  const isHalf = open >= 0 && kept.length - open < mark.length && text.startsWith(mark, open);
  return (isHalf ? kept.slice(0, open) : kept) + ellipsis;
}

/** The text without secrets, then cut: never the other way round, which would leave half of one. */
export function clean(text: string, limit: number, key: string, redact: Redact | undefined): string {
  if (!redact) return shorten(text, limit);
  const isJson = /^\s*[[{]/.test(text);
  if (isJson && text.length > maxJson) return ellipsis;
  let whole = '';
  for (let size = isJson ? text.length : limit + margin; whole.length < limit; size *= 2) {
    if (size >= text.length) return shorten(toText(redact(text, key)), limit);
    const left = toText(redact(cut(text, size), key));
    // What the end of a piece has of a secret is not seen: so long no secret is.
    whole = left.slice(0, Math.max(0, left.length - margin / 2));
    if (size > maxPiece) break;
  }
  return shorten(whole + ellipsis, limit);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : mark;
}

/**
 * A text or number that stands under a name, both seen together: a rule that knows `password: …` takes the whole of what
 * stands there, and JSON of it has nothing left for that rule.
 */
export function cleanMember(value: string, limit: number, key: string, redact: Redact | undefined): string {
  const left = clean(value, limit, key, redact);
  if (!redact || left === '' || key === '') return left;
  const seen = redact(`"${key}": "${left}"`, '');
  return seen === `"${toText(redact(key, ''))}": "${left}"` ? left : mark;
}
