import { expect } from 'vitest';
import type { Telemetry, TelemetryError, TelemetryOptions } from '../../src/index.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import type { Answer, Loopback, ReceivedRequest } from './loopback.ts';

type Fetch = typeof globalThis.fetch;

/** Milliseconds that every answer takes, by the clock that the telemetry reads. */
export const answerMs = 250;

interface Run {
  readonly outcome: unknown;
  readonly requests: readonly ReceivedRequest[];
}

/** The ended spans and the request counters after a run. */
export interface Seen<T> {
  readonly result: T;
  readonly spans: readonly CallSpan[];
  /** `llm_requests_total` by status. */
  readonly requests: { readonly ok: number; readonly error: number };
  readonly aborted: number;
  readonly telemetry: Telemetry;
}

/** A model call's span in short; `undefined` is an attribute that is not there. */
export interface CallSpan {
  readonly name: string;
  readonly status: 'ok' | 'error';
  readonly provider: unknown;
  readonly operation: unknown;
  readonly model: unknown;
  readonly httpStatus: unknown;
  readonly usage: readonly [input: unknown, output: unknown];
  readonly costUsd: unknown;
  /** Milliseconds. */
  readonly firstToken: number | undefined;
  readonly duration: number;
  readonly finish: unknown;
  readonly tools: unknown;
  readonly error: readonly [type: unknown, errorClass: unknown] | undefined;
  readonly aborted: boolean;
  readonly resend: unknown;
}

/** A call of 1,000 tokens in and 500 out that went well; what differs by vendor is left to the test. */
export const answered = {
  status: 'ok',
  httpStatus: 200,
  usage: [1000, 500],
  firstToken: undefined,
  duration: answerMs,
  tools: [],
  error: undefined,
  aborted: false,
  resend: undefined,
} as const satisfies Partial<CallSpan>;

/**
 * Runs the same program twice against the same script, with the platform's `fetch` and with `telemetry.fetch`, and
 * expects that neither the program nor the vendor can tell. Answers what the telemetry saw. With `redirect(loopback)` as
 * the option `fetch` the SDK keeps the vendor's own address, by which the call is recognised.
 */
export async function compare<T>(
  loopback: Loopback,
  script: readonly Answer[],
  program: (fetch: Fetch | undefined) => Promise<T>,
  options: TelemetryOptions = {},
): Promise<Seen<T>> {
  const plain = await run(loopback, script, () => program(options.fetch));
  let now = 0;
  const errors: TelemetryError[] = [];
  const telemetry = createTestTelemetry({
    ...options,
    runtime: { monotonic: () => now },
    onError: (error) => errors.push(error),
  });
  let result: T | undefined;
  const observed = await run(
    loopback,
    script,
    async () => {
      result = await program(telemetry.fetch);
      return result;
    },
    () => {
      now += answerMs;
    },
  );
  expect(observed).toStrictEqual(plain);
  expect(errors).toEqual([]);
  expect(telemetry.metrics.value('edgespan_parse_errors_total') ?? 0).toBe(0);
  const requests = (status: string) => telemetry.metrics.value('llm_requests_total', { status }) ?? 0;
  return {
    result: result as T,
    spans: telemetry.spans.map(readSpan),
    requests: { ok: requests('ok'), error: requests('error') },
    aborted: telemetry.metrics.value('llm_streams_aborted_total') ?? 0,
    telemetry,
  };
}

async function run(
  loopback: Loopback,
  script: readonly Answer[],
  program: () => Promise<unknown>,
  onRequest?: () => void,
): Promise<Run> {
  loopback.play(script, onRequest);
  let outcome: unknown;
  try {
    outcome = { returned: describe(await program()) };
  } catch (error) {
    outcome = { thrown: describeError(error) };
  }
  return { outcome, requests: loopback.requests };
}

/** Responses have no properties of their own to compare. */
function describe(value: unknown): unknown {
  if (value instanceof Response) return describeResponse(value);
  if (value instanceof Error) return describeError(value);
  if (Array.isArray(value)) return value.map(describe);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const { _request_id } = value as { _request_id?: unknown };
  const fields = Object.entries(value).map(([key, field]) => [key, describe(field)]);
  return { ...Object.fromEntries(fields), ...(_request_id !== undefined && { _request_id }) };
}

function describeResponse(response: Response): unknown {
  const { status, statusText, ok, url, redirected, type, bodyUsed, headers } = response;
  return { status, statusText, ok, url, redirected, type, bodyUsed, headers: [...headers] };
}

/** Everything that an application may look at: the class, and all that the error carries but its stack. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const fields = Object.entries(error).map(([key, value]) => [
    key,
    value instanceof Headers ? [...value] : describe(value),
  ]);
  const { name, message, cause } = error;
  // What the platform itself throws tells of sockets and ports.
  const isPlatform = !('headers' in error);
  return {
    class: error.constructor,
    name,
    message,
    ...(isPlatform ? { code: (error as { code?: unknown }).code } : Object.fromEntries(fields)),
    cause: describeError(cause),
  };
}

export function readSpan(span: Telemetry['spans'][number]): CallSpan {
  const { attributes } = span;
  const errorType = attributes['error.type'];
  const seconds = attributes['gen_ai.response.time_to_first_chunk'];
  expect(span.ended).toBe(true);
  return {
    name: span.name,
    status: span.status.code === 2 ? 'error' : 'ok',
    provider: attributes['llm.provider'],
    operation: attributes['llm.operation'],
    model: attributes['gen_ai.response.model'],
    httpStatus: attributes['http.response.status_code'],
    usage: [attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.output_tokens']],
    costUsd: attributes['llm.cost_usd'],
    firstToken: typeof seconds === 'number' ? seconds * 1000 : undefined,
    duration: span.duration[0] * 1000 + span.duration[1] / 1e6,
    finish: attributes['gen_ai.response.finish_reasons'],
    tools: attributes['llm.tool_names'],
    error: errorType === undefined ? undefined : [errorType, attributes['edgespan.error_class']],
    aborted: attributes['edgespan.aborted'] === true,
    resend: attributes['http.request.resend_count'],
  };
}
