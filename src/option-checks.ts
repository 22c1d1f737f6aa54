import { maxTimerMs } from './clock.ts';
import { TelemetryError } from './errors.ts';
import type { TelemetryOptions } from './options.ts';
import { endpointRule, parseEndpoint } from './otlp/config.ts';

export interface Check {
  readonly allowed: string;
  readonly test: (value: unknown) => boolean;
  /** The names inside, for an option that may be a group. */
  readonly group?: Checks;
  /** A wrong value may hold what no log should. */
  readonly secret?: boolean;
  /** What a list may have in it: of a wrong list the error names the one that is wrong. */
  readonly item?: Check;
}
export type Checks = Readonly<Record<string, Check>>;

export const string: Check = { allowed: 'a non-empty string', test: (v) => typeof v === 'string' && v !== '' };
export const boolean: Check = { allowed: 'true or false', test: (v) => typeof v === 'boolean' };
export const fn: Check = { allowed: 'a function', test: (v) => typeof v === 'function' };
export const ratio: Check = { allowed: 'a number from 0 to 1', test: (v) => typeof v === 'number' && v >= 0 && v <= 1 };
export const atLeast0: Check = { allowed: 'a number from 0', test: (v) => typeof v === 'number' && v >= 0 };
export const count: Check = { allowed: 'an integer from 1', test: (v) => Number.isSafeInteger(v) && (v as number) > 0 };
export const whole: Check = {
  allowed: 'an integer from 0',
  test: (v) => Number.isSafeInteger(v) && (v as number) >= 0,
};
export const timer: Check = {
  allowed: `an integer from 1 to ${maxTimerMs}`,
  test: (v) => count.test(v) && (v as number) <= maxTimerMs,
};
export const object: Check = { allowed: 'an object', test: isObject };
// Tables of parts that nobody names leave the bundle.
/* @__NO_SIDE_EFFECTS__ */
export function oneOf(...values: unknown[]): Check {
  const allowed = values.map((value) => JSON.stringify(value)).join(' or ');
  return { allowed, test: (v) => values.includes(v) };
}

/* @__NO_SIDE_EFFECTS__ */
function extend(check: Check, more: Partial<Check>): Check {
  return { ...check, ...more };
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
export function list(item: Check): Check {
  return { allowed: `a list of ${item.allowed}`, test: (v) => Array.isArray(v) && v.every(item.test), item };
}

/* @__NO_SIDE_EFFECTS__ */
function oneOrMany(item: Check): Check {
  const { allowed, secret = false } = item;
  return extend(either(item, list(item)), { allowed: `${allowed}, or a list of these`, item, secret });
}

const endpoint: Check = {
  allowed: `${endpointRule}, as "http://localhost:4318"`,
  test: (v) => typeof v === 'string' && parseEndpoint(v) !== undefined,
};
const headers: Check = {
  allowed: 'a plain object of names and values or a function',
  // `Headers` and maps have no properties, so what is in them would be left out.
  test: (v) => fn.test(v) || (isObject(v) && !(Symbol.iterator in v)),
  secret: true,
};
const encoder: Check = {
  allowed: 'an encoder, as protobuf of edgespan/protobuf',
  test: (v) => isObject(v) && [v.traces, v.metrics].every(fn.test),
};

const exporter: Check = {
  allowed: 'a function or an object with export and shutdown',
  test: (v) => typeof v === 'function' || (isObject(v) && [v.export, v.shutdown].every(fn.test)),
};
const propagator: Check = {
  allowed: 'a TextMapPropagator',
  test: (v) => isObject(v) && typeof v.inject === 'function',
};
const provider: Check = {
  allowed: 'a provider with name, match, request and response',
  test: (v) => isObject(v) && typeof v.name === 'string' && [v.match, v.request, v.response].every(fn.test),
};
const redactRule: Check = {
  allowed: 'a pattern of edgespan/redact, a RegExp, { key } or a function',
  secret: true,
  test: (v) =>
    v instanceof RegExp ||
    typeof v === 'function' ||
    (isObject(v) && (fn.test(v.redact) || string.test(v.key) || v.key instanceof RegExp)),
};
export const metricStore: Check = {
  allowed: 'a store with merge and collect',
  test: (v) => isObject(v) && [v.merge, v.collect].every(fn.test),
};
const buckets: Check = {
  allowed: 'increasing numbers by family name',
  test: (v) =>
    isObject(v) &&
    Object.values(v).every((b) => Array.isArray(b) && b.every((x, i) => Number.isFinite(x) && !(x <= b[i - 1]))),
};

/** What each option may be: the table that errors and "did you mean" read. */
const checks: Checks = {
  serviceName: string,
  serviceVersion: string,
  environment: string,
  resource: object,
  scope: group({ name: string, version: string }),
  otlp: group({
    endpoint,
    headers,
    encoder,
    compression: oneOf('gzip', 'none'),
    timeoutMs: atLeast0,
    temporality: oneOf('delta', 'cumulative'),
    insecure: boolean,
    resendUnconfirmed: boolean,
    fetch: fn,
  }),
  flush: group({ batchSize: count, intervalMs: timer, timeoutMs: timer, maxRetries: whole }),
  semconv: oneOf('1.41', 'latest'),
  legacyAttributes: boolean,
  includeUsage: boolean,
  currency: group({ code: string, perUsd: atLeast0 }),
  capture: group({ inputs: either(boolean, whole), outputs: either(boolean, whole) }),
  redact: oneOrMany(redactRule),
  guardrail: fn,
  // What is inside of the next two is checked by the parts that have them.
  evaluation: object,
  budget: object,
  costAlert: group({ usd: atLeast0, onAlert: fn }),
  exporters: list(exporter),
  console: boolean,
  inMemory: extend(either(boolean, object), { group: { maxSpans: count } }),
  metrics: group({
    enabled: boolean,
    namespace: { allowed: 'letters, digits and _', test: (v) => typeof v === 'string' && /^[a-zA-Z_]\w*$/.test(v) },
    preset: oneOf('ractogateway', 'rastir', 'synapsekit'),
    buckets,
    cardinality: {
      allowed: 'integers from 1 by label',
      test: (v) => isObject(v) && Object.values(v).every(count.test),
    },
    registry: object,
    semconv: boolean,
    store: metricStore,
    local: boolean,
    token: extend(either({ allowed: 'a string', test: (v) => typeof v === 'string' }, fn), { secret: true }),
  }),
  // What is inside of them is checked where they are read.
  prices: oneOrMany(extend(object, { allowed: 'prices by model or a URL object' })),
  pricingProfile: string,
  providers: list(provider),
  sampling: group({ ratio, keepErrors: boolean, keepSlowerThanMs: atLeast0, keepCostlierThanUsd: atLeast0 }),
  propagation: group({ formats: list(either(oneOf('w3c'), propagator)), trustIncoming: either(boolean, fn), to: fn }),
  limits: group({
    spans: count,
    bytes: count,
    attributesPerSpan: count,
    eventsPerSpan: count,
    linksPerSpan: count,
    valueLength: count,
    seriesPerMetric: count,
    bodyBytes: count,
    eventBytes: count,
  }),
  fetch: fn,
  enabled: boolean,
  onError: fn,
  runtime: object,
};

/** Throws a `TelemetryError` for the first option that is unknown or wrong. `undefined` is the same as absent. */
export function checkOptions(options: TelemetryOptions): void {
  checkValues(options, checks);
}

/** The same for other options, by a table of their own; `path` stands before their names in errors. */
export function checkValues(options: object, known: Checks, path = ''): void {
  if (!isObject(options) || options instanceof Promise) throw invalid('options', options, object);
  checkGroup(options, known, path);
}

function checkGroup(values: Record<string, unknown>, known: Checks, path: string): void {
  for (const [name, value] of Object.entries(values)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    const option = path + name;
    if (!check) throw unknown(option, name, Object.keys(known));
    if (value === undefined) continue;
    if (!check.test(value)) throw invalid(option, value, check);
    if (check.group && isObject(value)) checkGroup(value, check.group, `${option}.`);
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
