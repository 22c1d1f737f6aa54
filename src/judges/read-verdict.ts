import { asNumber, asObject, asString, type Json, parseJson } from '../json.ts';

/** A judge's score from 0 to 1, and why. */
export interface Verdict {
  readonly score: number;
  readonly explanation?: string;
}

/** Objects that a text is searched for. */
const maxObjects = 64;

/**
 * The verdict in what a judge said: a JSON object with a score, by itself, in a fence or amid prose (the last one, since
 * some think aloud first), or nothing but a number. A score beyond its range is put to the end of it. `undefined` where
 * there is none: nothing is guessed from words.
 */
export function readVerdict(text: string): Verdict | undefined {
  const alone = /^\s*["']?([^"']{1,64})["']?\s*$/.exec(text)?.[1];
  const score = alone === undefined ? undefined : readScore(alone);
  if (score !== undefined) return { score };
  return listObjects(text)
    .map(readObject)
    .findLast((verdict) => verdict !== undefined);
}

function readObject(object: Json): Verdict | undefined {
  const fields = Object.fromEntries(Object.entries(object).map(([name, value]) => [name.trim().toLowerCase(), value]));
  const score = readScore(fields.score ?? fields.rating ?? fields.value);
  if (score === undefined) return undefined;
  const explanation = asString(fields.reason) ?? asString(fields.explanation) ?? asString(fields.reasoning);
  return { score, ...(explanation && { explanation }) };
}

/** A number, or a text that is one: `0.8`, `80%`, `8/10`, `8 out of 10`. */
function readScore(value: unknown): number | undefined {
  const number = asNumber(value) ?? (typeof value === 'string' ? parseScore(value) : undefined);
  return number === undefined ? undefined : Math.min(1, Math.max(0, number));
}

function parseScore(text: string): number | undefined {
  const parts = /^\s*([+-]?\d*\.?\d+)\s*(?:(%)|(?:\/|out of)\s*(\d*\.?\d+))?\s*$/.exec(text.slice(0, 64));
  if (!parts) return undefined;
  const [, number, percent, of] = parts;
  return asNumber(Number(number) / (percent ? 100 : of === undefined ? 1 : Number(of)));
}

/** The outermost objects that parse and have a score, in their order; inside of one that has none, those in it. */
function listObjects(text: string): Json[] {
  const found: Json[] = [];
  let seen = 0;
  for (let at = text.indexOf('{'); at >= 0 && seen < maxObjects; at = text.indexOf('{', at + 1)) {
    seen++;
    const end = findEnd(text, at);
    const object = end === undefined ? undefined : asObject(parseJson(text.slice(at, end)));
    if (!object) continue;
    found.push(object);
    if (readObject(object)) at = end! - 1;
  }
  return found;
}

/** Behind the brace that closes the one at `start`, those in strings left out. */
function findEnd(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at + 1;
  }
  return undefined;
}
