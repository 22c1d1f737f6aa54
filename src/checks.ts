import { maxTimerMs } from './clock.ts';
import { TelemetryError } from './errors.ts';

export interface Check {
  readonly allowed: string;
  readonly test: (value: unknown) => boolean;
  /** The names inside, for an option that may be a group. */
  readonly group?: Checks;
  /** Whether the group may have more in it, as what others made may. */
  readonly open?: boolean;
  /** A wrong value may hold what no log should. */
  readonly secret?: boolean;
  /** What a list may have in it: of a wrong list the error names the one that is wrong. */
  readonly item?: Check;
  /** Of a group that is there: whether it must be in it. */
  readonly needed?: boolean;
}
export type Checks = Readonly<Record<string, Check>>;

export const text: Check = { allowed: 'a string', test: (v) => typeof v === 'string' };
export const string: Check = { allowed: 'a non-empty string', test: (v) => typeof v === 'string' && v !== '' };
export const boolean: Check = { allowed: 'true or false', test: (v) => typeof v === 'boolean' };
export const fn: Check = { allowed: 'a function', test: (v) => typeof v === 'function' };
export const ratio: Check = { allowed: 'a number from 0 to 1', test: (v) => typeof v === 'number' && v >= 0 && v <= 1 };
export const atLeast0: Check = { allowed: 'a number from 0', test: (v) => typeof v === 'number' && v >= 0 };
export const count = /* @__PURE__ */ integer(1);
export const whole = /* @__PURE__ */ integer(0);
export const timer = /* @__PURE__ */ integer(1, maxTimerMs);
/** A plain one: maps, headers and promises have no properties, so what is in them would be left out. */
export const object: Check = {
  allowed: 'an object',
  test: (v) => isObject(v) && !(Symbol.iterator in v) && !(v instanceof Promise),
};
/** A bearer token, or who knows it. */
export const secret = /* @__PURE__ */ extend(/* @__PURE__ */ either(text, fn), { secret: true });

/* @__NO_SIDE_EFFECTS__ */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Check {
  const allowed = `an integer from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}`;
  return { allowed, test: (v) => Number.isSafeInteger(v) && (v as number) >= least && (v as number) <= most };
}

// Tables of parts that nobody names leave the bundle.
/* @__NO_SIDE_EFFECTS__ */
export function oneOf(...values: readonly unknown[]): Check {
  const all = values.flat();
  return { allowed: all.map((value) => JSON.stringify(value)).join(' or '), test: (v) => all.includes(v) };
}

/* @__NO_SIDE_EFFECTS__ */
export function extend(check: Check, more: Partial<Check>): Check {
  return { ...check, ...more };
}

/** One table of several. */
/* @__NO_SIDE_EFFECTS__ */
export function join(...tables: Checks[]): Checks {
  return Object.assign({}, ...tables);
}

/* @__NO_SIDE_EFFECTS__ */
export function needed(check: Check): Check {
  return extend(check, { needed: true });
}

/* @__NO_SIDE_EFFECTS__ */
export function group(checks: Checks): Check {
  return extend(object, { group: checks });
}

/* @__NO_SIDE_EFFECTS__ */
export function either(...checks: Check[]): Check {
  return {
    allowed: checks.map(({ allowed }) => allowed).join(' or '),
    test: (v) => checks.some((check) => check.test(v)),
  };
}

/* @__NO_SIDE_EFFECTS__ */
export function methods(names: readonly string[], allowed = `an object with ${names.join(', ')}`): Check {
  return { allowed, test: (v) => isObject(v) && names.every((name) => fn.test(v[name])) };
}

/* @__NO_SIDE_EFFECTS__ */
export function list(item: Check): Check {
  return { allowed: `a list of ${item.allowed}`, test: (v) => Array.isArray(v) && v.every(item.test), item };
}

/* @__NO_SIDE_EFFECTS__ */
export function oneOrMany(item: Check): Check {
  const { allowed, secret = false } = item;
  return extend(either(item, list(item)), { allowed: `${allowed}, or a list of these`, item, secret });
}

/**
 * Throws a `TelemetryError` for the first option that is unknown or wrong; `path` stands before their names in it.
 * `undefined` is the same as absent.
 */
export function checkValues(options: unknown, known: Checks, path = ''): void {
  if (!object.test(options)) throw invalid(path.slice(0, -1) || 'options', options, object);
  checkGroup(options as Record<string, unknown>, known, path, false);
}

function checkGroup(values: Record<string, unknown>, known: Checks, path: string, open: boolean): void {
  for (const [name, value] of Object.entries(values)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    const option = path + name;
    if (!check && open) continue;
    if (!check) throw unknown(option, name, Object.keys(known));
    if (value === undefined) continue;
    if (!check.test(value)) throw invalid(option, value, check);
    if (check.group && isObject(value)) checkGroup(value, check.group, `${option}.`, check.open ?? false);
  }
  for (const [name, check] of Object.entries(known)) {
    if (check.needed && values[name] === undefined) throw invalid(path + name, undefined, check);
  }
}

function invalid(option: string, value: unknown, check: Check): TelemetryError {
  const { item } = check;
  const at = item && Array.isArray(value) ? value.findIndex((one) => !item.test(one)) : -1;
  const told = at < 0 ? describe(option, value, check) : describe(`${option}[${at}]`, (value as unknown[])[at], item!);
  return new TelemetryError('invalid_option', told, { option });
}

function describe(name: string, value: unknown, { allowed, secret }: Check): string {
  return `${name} is ${secret ? `of type ${typeof value}` : show(value)}: it must be ${allowed}`;
}

function unknown(option: string, name: string, known: string[]): TelemetryError {
  return new TelemetryError('unknown_option', `there is no option ${option}: ${suggestName(name, known)}`, { option });
}

/** What may have been meant by a name that is not known. */
export function suggestName(name: string, known: readonly string[]): string {
  const near = known
    .map((candidate) => ({ candidate, far: distance(candidate.toLowerCase(), name.toLowerCase()) }))
    .filter(({ far }) => far <= 2)
    .sort((a, b) => a.far - b.far)[0];
  return near ? `did you mean ${near.candidate}?` : `known are ${known.join(', ')}`;
}

/** A wrong value as an error may show it: short, and never the inside of an object, which may hold a secret. */
function show(value: unknown): string {
  if (typeof value === 'string') {
    if (/\/\/[^/]*@/.test(value)) return 'a URL with credentials';
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Edit distance, for names that were mistyped. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
