import {
  atLeast0,
  boolean,
  type Check,
  type Checks,
  checkValues,
  count,
  either,
  extend,
  fn,
  group,
  isObject,
  list,
  methods,
  needed,
  object,
  oneOf,
  oneOrMany,
  ratio,
  secret,
  string,
  timer,
  whole,
} from './checks.ts';
import { capture } from './llm/wrapper-checks.ts';
import { cardinality, namespace } from './metrics/definition.ts';
import type { TelemetryOptions } from './options.ts';
import { endpointRule, parseEndpoint } from './otlp/config.ts';

const endpoint: Check = {
  allowed: `${endpointRule}, as "http://localhost:4318"`,
  test: (v) => typeof v === 'string' && parseEndpoint(v) !== undefined,
};
const headers: Check = {
  allowed: 'a plain object of names and values or a function',
  test: (v) => fn.test(v) || object.test(v),
  secret: true,
};
const encoder = methods(['traces', 'metrics'], 'an encoder, as protobuf of edgespan/protobuf');
const exporter = either(fn, methods(['export', 'shutdown'], 'an object with export and shutdown'));
const propagator = methods(['inject'], 'a TextMapPropagator');
const providerMethods = ['match', 'request', 'response'];
const provider: Check = {
  allowed: 'a provider with name, match, request and response',
  test: (v) => isObject(v) && string.test(v.name) && providerMethods.every((name) => fn.test(v[name])),
};
const redactRule: Check = {
  allowed: 'a pattern of edgespan/redact, a RegExp, { key } or a function',
  secret: true,
  test: (v) =>
    v instanceof RegExp ||
    typeof v === 'function' ||
    (isObject(v) && (fn.test(v.redact) || string.test(v.key) || v.key instanceof RegExp)),
};
export const metricStore: Check = methods(['merge', 'collect'], 'a store with merge and collect');
const buckets: Check = {
  allowed: 'increasing numbers by family name',
  test: (v) =>
    object.test(v) &&
    Object.values(v as object).every(
      (b) => Array.isArray(b) && b.every((x, i) => Number.isFinite(x) && !(x <= b[i - 1])),
    ),
};

/** What each option may be: the table that errors and "did you mean" read. */
const checks: Checks = {
  serviceName: string,
  serviceVersion: string,
  environment: string,
  resource: object,
  scope: group({ name: needed(string), version: string }),
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
  currency: group({ code: needed(string), perUsd: needed(atLeast0) }),
  capture,
  redact: oneOrMany(redactRule),
  guardrail: fn,
  // What is inside of the next two is checked by the parts that have them.
  evaluation: object,
  budget: object,
  costAlert: group({ usd: needed(atLeast0), onAlert: needed(fn) }),
  exporters: list(exporter),
  console: boolean,
  inMemory: extend(either(boolean, object), { group: { maxSpans: count } }),
  metrics: group({
    enabled: boolean,
    namespace,
    preset: oneOf('ractogateway', 'rastir', 'synapsekit'),
    buckets,
    cardinality,
    registry: object,
    semconv: boolean,
    store: metricStore,
    local: boolean,
    token: secret,
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
  runtime: extend(
    group({
      name: string,
      ephemeral: boolean,
      env: object,
      context: methods(['run', 'get']),
      every: fn,
      readFile: fn,
      copyInit: fn,
      waitUntil: fn,
      now: fn,
      monotonic: fn,
      random: fn,
    }),
    { open: true },
  ),
};

/** Throws a `TelemetryError` for the first option that is unknown or wrong. `undefined` is the same as absent. */
export function checkOptions(options: TelemetryOptions): void {
  checkValues(options, checks);
}
