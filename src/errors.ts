/** What went wrong, for code; the message says it for people. */
export type TelemetryErrorCode =
  | 'invalid_option'
  | 'unknown_option'
  | 'invalid_metric'
  | 'invalid_decorator'
  | 'invalid_wrapper'
  | 'export_failed'
  | 'export_refused'
  | 'export_unconfirmed'
  | 'export_partial'
  | 'exporter_failed'
  | 'buffer_full'
  | 'protocol_unavailable'
  | 'invalid_environment'
  | 'insecure_endpoint'
  | 'unbound'
  | 'parse_failed'
  | 'prices_unavailable'
  | 'invalid_value'
  | 'redaction_failed'
  | 'store_refused'
  | 'store_failed'
  | 'budget_exceeded'
  | 'budget_warning'
  | 'too_many_keys'
  | 'evaluation_failed'
  | 'internal';

/**
 * The one error of this library. Thrown only while something is being set up (`createTelemetry`, defining a metric,
 * wrapping a function); afterwards it is handed to `onError` and counted, never thrown into the application.
 *
 * @example
 * try { createTelemetry({ otlp: { timeoutMs: -1 } }) } catch (error) {
 *   if (error instanceof TelemetryError) console.log(error.code, error.option); // invalid_option otlp.timeoutMs
 * }
 */
export class TelemetryError extends Error {
  override readonly name: string = 'TelemetryError';
  readonly code: TelemetryErrorCode;
  /** Dotted path of the option that is wrong, where there is one. */
  readonly option?: string;

  constructor(code: TelemetryErrorCode, message: string, details: { option?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.option !== undefined) this.option = details.option;
  }
}

/** The message of whatever was thrown, even of what can't be made a string. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    return 'unknown';
  }
}

/** What a function of the application's answers, or nothing where it throws: that is reported and goes no further. */
export function safely<T>(fn: () => T, report: (error: unknown) => void): T | undefined {
  try {
    return fn();
  } catch (error) {
    report(error);
    return undefined;
  }
}

/**
 * As `safely`, for a callback that is only told something: it may be an async function, and a rejection that nobody
 * handles would end the process.
 */
export function tell<T>(fn: () => T, report: (error: unknown) => void): T | undefined {
  const answer = safely(fn, report);
  if (answer instanceof Promise) answer.catch(report);
  return answer;
}

/** For `safely`, where a failure is nobody's business: what is read belongs to others. */
export function ignore(): void {}
