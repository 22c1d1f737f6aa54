import { atLeast0, boolean, type Check, count, oneOf, ratio, string } from '../../src/checks.ts';
import { asObject } from '../../src/json.ts';

/** A form of value: how text says it, since flags and variables are text, and what it may be. */
export interface Kind<T> extends Check {
  /** Stands for the value in help. */
  readonly shown: string;
  /** The value, or where the text is none whatever `test` refuses. */
  fromText(text: string): T | string;
}

/** One option of the collector: by its path in a file, by a flag, by a variable. */
export interface Setting<T> {
  readonly kind: Kind<T>;
  readonly help: string;
  readonly fallback: T | undefined;
  /** Never shown. */
  readonly secret: boolean;
}

export function setting<T>(kind: Kind<T>, help: string, fallback?: T): Setting<T> {
  return { kind, help, fallback, secret: kind.secret ?? false };
}

const truths: Readonly<Record<string, boolean>> = {
  ...{ true: true, yes: true, on: true, 1: true },
  ...{ false: false, no: false, off: false, 0: false },
};

/** `Number` takes an empty text for 0. What is no number stays as it is, so that an error can show it. */
const toNumber = (text: string) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text));

export const text: Kind<string> = { ...string, shown: 'TEXT', fromText: (given) => given };
export const secret: Kind<string> = { ...text, secret: true };
export const file: Kind<string> = { ...text, shown: 'FILE' };
export const url: Kind<string> = {
  shown: 'URL',
  allowed: 'an http: or https: URL without credentials',
  test: (value) => typeof value === 'string' && URL.canParse(value) && isPlainUrl(new URL(value)),
  fromText: (given) => given,
  // Who puts a password into an address does not want it on a screen.
  secret: true,
};
export const flag: Kind<boolean> = { ...boolean, shown: '', fromText: (given) => truths[given.toLowerCase()] ?? given };
export const whole: Kind<number> = { ...count, shown: 'N', fromText: toNumber as Kind<number>['fromText'] };
export const amount: Kind<number> = { ...atLeast0, shown: 'N', fromText: whole.fromText };
export const share: Kind<number> = { ...ratio, shown: '0..1', fromText: whole.fromText };
export const port: Kind<number> = {
  shown: 'N',
  allowed: 'an integer from 0 to 65535',
  test: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
  fromText: whole.fromText,
};

export function choice<T extends string>(...values: T[]): Kind<T> {
  return { ...oneOf(...values), shown: values.join('|'), fromText: (given) => given as T };
}

/** A list, in text with commas; what stands between slashes is one expression, whatever is in it. */
export const list: Kind<readonly string[]> = {
  shown: 'A,B',
  allowed: 'a list of texts',
  test: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  fromText: (given) => (given.startsWith('/') ? [given] : splitList(given)),
};

/** Texts by name. A name ends at the first `=`. */
export const texts: Kind<Readonly<Record<string, string>>> = {
  shown: 'NAME=VALUE,…',
  allowed: 'names and their values, as name=value,name=value',
  test: (value) => Object.values(asObject(value) ?? { '': undefined }).every((item) => typeof item === 'string'),
  fromText: (given) => pairs(given, (item) => item.indexOf('=')) ?? given,
  secret: true,
};

/** Tenants by key. Keys may end with `=`, tenants have none. */
export const tenants: Kind<Readonly<Record<string, string>>> = {
  ...texts,
  shown: 'KEY=TENANT,…',
  allowed: 'keys and their tenants, as key=tenant,key=tenant',
  fromText: (given) => pairs(given, (item) => item.lastIndexOf('=')) ?? given,
};

/** Whole numbers by name. */
export const counts: Kind<Readonly<Record<string, number>>> = {
  shown: 'NAME=N,…',
  allowed: 'names and integers from 1, as model=100,agent=50',
  test: (value) => Object.values(asObject(value) ?? { '': undefined }).every(count.test),
  fromText: (given) => mapValues(texts.fromText(given), Number),
};

/** Bounds of histograms by family. */
export const bounds: Kind<Readonly<Record<string, readonly number[]>>> = {
  shown: 'NAME=A:B:C,…',
  allowed: 'families and increasing numbers, as llm_request_duration_seconds=0.1:1:10',
  test: (value) => Object.values(asObject(value) ?? { '': undefined }).every(isIncreasing),
  fromText: (given) => mapValues(texts.fromText(given), (item) => item.split(':').map(Number)),
};

function isIncreasing(value: unknown): boolean {
  return Array.isArray(value) && value.every((bound, i) => Number.isFinite(bound) && !(bound <= value[i - 1]));
}

function isPlainUrl({ protocol, username, password }: URL): boolean {
  return /^https?:$/.test(protocol) && !username && !password;
}

/** By commas, and by white space so that a file may have a line each. */
export function splitList(given: string): string[] {
  return given.split(/[\s,]+/).filter(Boolean);
}

function pairs(given: string, find: (item: string) => number): Record<string, string> | undefined {
  const items = given.split(',').map((item) => item.trim());
  const kept = items.filter(Boolean);
  if (kept.some((item) => find(item) < 1)) return undefined;
  return Object.fromEntries(kept.map((item) => [item.slice(0, find(item)).trim(), item.slice(find(item) + 1).trim()]));
}

function mapValues<T>(
  given: Readonly<Record<string, string>> | string,
  map: (item: string) => T,
): Record<string, T> | string {
  if (typeof given === 'string') return given;
  return Object.fromEntries(Object.entries(given).map(([name, item]) => [name, map(item)]));
}
