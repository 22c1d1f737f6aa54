import type { Signal } from '../delivery.ts';
import type { Environment } from '../environment.ts';
import { TelemetryError } from '../errors.ts';
import type { Fetch } from '../runtime.ts';
import type { OtlpEncoder } from './encoder.ts';
import { type OtlpHeaders, readHeaders, resolveHeaders } from './headers.ts';
import { json } from './json.ts';
import { readSignal } from './variables.ts';

type MaybePromise<T> = T | Promise<T>;

/**
 * Where OTLP goes. Each option beats its `OTEL_EXPORTER_OTLP_*` variable; without an endpoint nothing is sent.
 *
 * @example
 * createTelemetry({ otlp: { endpoint: 'https://otlp.example.com', headers: { authorization: `Bearer ${token}` } } });
 */
export interface OtlpOptions {
  /** Base URL; `/v1/traces` and `/v1/metrics` are appended. */
  endpoint?: string;
  /** Sent with each request; a function is asked each time. None by default. */
  headers?: OtlpHeaders | (() => MaybePromise<OtlpHeaders>);
  /** JSON by default; protobuf comes from `edgespan/protobuf`. */
  encoder?: OtlpEncoder;
  /** `none` by default. */
  compression?: 'gzip' | 'none';
  /** Milliseconds for a whole export with its retries; 10,000 by default, 0 is no limit. */
  timeoutMs?: number;
  /** By default deltas where instances come and go, else cumulative. */
  temporality?: 'delta' | 'cumulative';
  /** Credentials may go over plain `http:` to another host, without a warning. Off by default. */
  insecure?: boolean;
  /** Metric deltas that may have arrived are sent again, and may then count twice. Off by default: they are dropped. */
  resendUnconfirmed?: boolean;
  /** Does the requests; the global `fetch` at call time by default, never the option `fetch` of the telemetry. */
  fetch?: Fetch;
}

/** Where one signal goes. */
export interface OtlpTarget {
  readonly url: string;
  readonly headers: () => MaybePromise<OtlpHeaders>;
  readonly encoder: OtlpEncoder;
  readonly compression: 'gzip' | 'none';
  /** 0 is no limit. */
  readonly timeoutMs: number;
}

export interface OtlpConfig {
  readonly traces?: OtlpTarget;
  readonly metrics?: OtlpTarget;
  readonly temporality: 'delta' | 'cumulative' | undefined;
  /** Spans go to the console, unless an option says otherwise. */
  readonly console: boolean;
}

const defaultTimeoutMs = 10_000;

/**
 * Options and environment as targets, one a signal that is on. Throws for a wrong option; what is wrong in the
 * environment is reported, each problem once, and the default holds.
 * Rules: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function resolveOtlp(options: OtlpOptions | undefined, environment: Environment): OtlpConfig {
  checkOptions(options ?? {});
  const asked = readExporters('traces', environment);
  const resolve = (signal: Signal, list: readonly string[]) =>
    list.includes('otlp') ? resolveTarget(signal, options ?? {}, environment) : undefined;
  const traces = resolve('traces', asked);
  const metrics = resolve('metrics', readExporters('metrics', environment));
  const temporality = options?.temporality ?? (metrics && readTemporality(environment));
  const console = asked.includes('console') || asked.includes('logging');
  return { ...(traces && { traces }), ...(metrics && { metrics }), temporality, console };
}

function checkOptions({ timeoutMs = 0, headers }: OtlpOptions): void {
  if (!(timeoutMs >= 0)) throw invalidOption('timeoutMs', 'a number of milliseconds, or 0 for no limit');
  try {
    if (typeof headers === 'object') new Headers(headers);
  } catch {
    // Without its cause, which quotes the value.
    throw invalidOption('headers', 'names and values that HTTP allows');
  }
}

function invalidOption(name: string, allowed: string): TelemetryError {
  return new TelemetryError('invalid_option', `otlp.${name} must be ${allowed}`, { option: `otlp.${name}` });
}

function resolveTarget(signal: Signal, options: OtlpOptions, environment: Environment): OtlpTarget | undefined {
  const url = resolveUrl(signal, options.endpoint, environment);
  if (!url) return undefined;
  const encoder = resolveEncoder(signal, options.encoder, environment);
  const compression =
    options.compression ??
    readSignal(signal, 'COMPRESSION', environment, (name) => environment.choice(name, ['gzip', 'none']));
  const timeoutMs = options.timeoutMs ?? readSignal(signal, 'TIMEOUT', environment, environment.milliseconds);
  const given = readSignal(signal, 'HEADERS', environment, (name) => readHeaders(environment, name));
  return {
    url: url.href,
    headers: resolveHeaders(url, options, given, environment.warn),
    encoder,
    compression: compression ?? 'none',
    timeoutMs: timeoutMs ?? defaultTimeoutMs,
  };
}

function resolveUrl(signal: Signal, endpoint: string | undefined, environment: Environment): URL | undefined {
  if (endpoint !== undefined) {
    const url = parseEndpoint(endpoint);
    if (url) return appendPath(url, signal);
    throw invalidOption('endpoint', endpointRule);
  }
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
  return readEndpoint(own, environment) ?? appendPath(readEndpoint('OTEL_EXPORTER_OTLP_ENDPOINT', environment), signal);
}

function readEndpoint(name: string, environment: Environment): URL | undefined {
  const text = environment.string(name);
  return text === undefined ? undefined : (parseEndpoint(text) ?? environment.ignore(name, endpointRule));
}

/** `fetch` refuses URLs with credentials. */
export const endpointRule = 'an http: or https: URL without credentials';

export function parseEndpoint(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) && !url.username && !url.password ? url : undefined;
}

function appendPath(url: URL | undefined, signal: Signal): URL | undefined {
  if (url) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url;
}

/** `OTEL_TRACES_EXPORTER` and `OTEL_METRICS_EXPORTER` list exporters; without `otlp` in a list nothing is sent. */
function readExporters(signal: Signal, environment: Environment): readonly string[] {
  const name = `OTEL_${signal.toUpperCase()}_EXPORTER`;
  const list = (environment.string(name) ?? 'otlp')
    .toLowerCase()
    .split(',')
    .map((item) => item.trim());
  const known = list.filter((item) => exporters.includes(item));
  if (known.length < list.length) environment.ignore(name, exporters.slice(0, -1).join(', '));
  return known.length > 0 ? known : ['otlp'];
}

const exporters = ['otlp', 'console', 'none', 'prometheus', 'logging', ''];

function resolveEncoder(signal: Signal, given: OtlpEncoder | undefined, environment: Environment): OtlpEncoder {
  const protocols = ['grpc', 'http/protobuf', 'http/json'] as const;
  const protocol = readSignal(signal, 'PROTOCOL', environment, (name) => environment.choice(name, protocols));
  const remedy =
    protocol === 'grpc'
      ? 'use @opentelemetry/exporter-trace-otlp-grpc as an exporter'
      : protocol === 'http/protobuf' && !given && "pass otlp.encoder, protobuf from 'edgespan/protobuf'";
  if (remedy) {
    const message = `OTLP goes as ${given ? given.contentType : 'JSON'} over HTTP; for ${protocol} ${remedy}`;
    environment.warn(new TelemetryError('protocol_unavailable', message));
  }
  return given ?? json;
}

function readTemporality(environment: Environment): 'delta' | 'cumulative' | undefined {
  const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
  const preference = environment.choice(name, ['cumulative', 'delta', 'lowmemory']);
  // Both differ only for what is observed by callbacks.
  return preference === 'lowmemory' ? 'delta' : preference;
}
