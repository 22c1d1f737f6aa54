import { ignore, messageOf, TelemetryError, type TelemetryErrorCode, tell } from './errors.ts';

/** What the library has to say about itself. */
export interface Health {
  ok: boolean;
  problems: readonly { code: string; message: string; action: string; count: number }[];
}

/** Counts problems by code and hands each kind to `onError`, else to the console, at most once a minute. Never throws. */
export interface Diagnostics {
  report(error: unknown): void;
  health(): Health;
  /** Secrets go from all messages that follow. */
  redact(by: (text: string) => string): void;
}

const quietMs = 60_000;

const actions: Partial<Record<TelemetryErrorCode, string>> = {
  export_failed: 'Check that otlp.endpoint is reachable from this runtime.',
  export_refused:
    'Check otlp.endpoint (the base address, without /v1/traces) and otlp.headers against what the receiver expects.',
  export_unconfirmed: 'The receiver took the request and did not answer: raise otlp.timeoutMs or look at its load.',
  export_partial: 'The receiver rejected some items: its message says why.',
  exporter_failed: 'Look at the exporter that was given in `exporters`.',
  buffer_full: 'Raise limits.spans, flush more often, or sample.',
  protocol_unavailable: 'Import the encoder or exporter that the message names.',
  invalid_environment: 'Correct or remove the variable.',
  insecure_endpoint: 'Use https, or set otlp.insecure where the network is trusted.',
  prices_unavailable: 'Check the URL in `prices`; until it answers, calls are priced by the other tables.',
  store_failed: 'Check that the store can be reached; what was counted waits and is sent again.',
  store_refused: 'A metric is defined in another way elsewhere: use one set of buckets and labels everywhere.',
  budget_exceeded: 'Raise the limit, or wait until its window ends.',
  budget_warning: 'Look at what spends it: budget.onWarn hears of each limit and key.',
  too_many_keys: 'Budget keys are bounded: use fewer of them, or shorter windows.',
  evaluation_failed: 'Look at the evaluator that the message names, and at the endpoint it asks.',
  unbound: 'Call through instrument() or the Hono middleware, so that env is known.',
};

export function createDiagnostics(now: () => number, onError: (error: TelemetryError) => void = warn): Diagnostics {
  let clean: ((text: string) => string) | undefined;
  const kinds = new Map<TelemetryErrorCode, { message: string; count: number; reportedAt: number }>();
  /** What was the cause may say the secret too, so that a message that had one is all that is left. */
  function cleaned(error: TelemetryError): TelemetryError {
    if (!clean) return error;
    const rule = clean;
    // A rule that fails is reported as well.
    clean = () => 'a message that could not be redacted';
    const message = rule(error.message);
    clean = rule;
    const { code, option } = error;
    return message === error.message
      ? error
      : new TelemetryError(code, message, option === undefined ? {} : { option });
  }

  return {
    redact(by) {
      clean = by;
    },
    report(reason) {
      const error = cleaned(toTelemetryError(reason));
      let kind = kinds.get(error.code);
      if (!kind) {
        kind = { message: '', count: 0, reportedAt: Number.NEGATIVE_INFINITY };
        kinds.set(error.code, kind);
      }
      kind.message = error.message;
      kind.count++;
      const time = now();
      // A clock that was set back must not silence what follows.
      if (Math.abs(time - kind.reportedAt) < quietMs) return;
      kind.reportedAt = time;
      // A callback that fails is the application's to mend; telemetry goes on.
      tell(() => onError(error), ignore);
    },
    health() {
      const problems = [...kinds].map(([code, { message, count }]) => ({
        code,
        message,
        action: actions[code] ?? 'See onError.',
        count,
      }));
      return { ok: problems.length === 0, problems };
    },
  };
}

/** Whoever gives no `onError` still sees that something is wrong. */
function warn({ code, message }: TelemetryError): void {
  console.warn(`edgespan: ${message} (${code})`);
}

function toTelemetryError(reason: unknown): TelemetryError {
  if (reason instanceof TelemetryError) return reason;
  return new TelemetryError('internal', messageOf(reason), { cause: reason });
}
