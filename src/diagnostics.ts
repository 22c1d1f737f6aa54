import { messageOf, TelemetryError, type TelemetryErrorCode } from './errors.ts';

/** What the library has to say about itself. */
export interface Health {
  ok: boolean;
  problems: readonly { code: string; message: string; action: string; count: number }[];
}

/** Counts problems by code and hands each kind to `onError`, else to the console, at most once a minute. Never throws. */
export interface Diagnostics {
  report(error: unknown): void;
  health(): Health;
}

const quietMs = 60_000;

const actions: Partial<Record<TelemetryErrorCode, string>> = {
  export_failed: 'Check that otlp.endpoint is reachable from this runtime.',
  export_refused: 'Check otlp.endpoint and otlp.headers against what the receiver expects.',
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
  too_many_keys: 'Budget keys are bounded: use fewer of them, or shorter windows.',
  unbound: 'Call through instrument() or the Hono middleware, so that env is known.',
};

export function createDiagnostics(now: () => number, onError: (error: TelemetryError) => void = warn): Diagnostics {
  const kinds = new Map<TelemetryErrorCode, { message: string; count: number; reportedAt: number }>();
  return {
    report(reason) {
      const error = toTelemetryError(reason);
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
      try {
        onError(error);
      } catch {
        // A callback that throws is the application's to mend; telemetry goes on.
      }
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
