import { assembleTelemetry } from '../create.ts';
import type { Engine } from '../engine.ts';
import type { FlushResult } from '../flush.ts';
import type { MetricsSnapshot } from '../metrics/snapshot.ts';
import type { TelemetryOptions } from '../options.ts';
import { getParts } from '../parts.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import { weighAttributes, weighSpan } from '../trace/span-weight.ts';
import type { CollectorOptions } from './options.ts';
import { naming } from './settings.ts';

/** Spans that wait for the endpoint, and their bytes. */
const maxSpans = 50_000;
const maxBytes = 64 * 2 ** 20;

/** The way to another OTLP backend: buffered, split, retried and counted as a telemetry's own spans are. */
export interface Forward {
  add(spans: readonly ReadableSpan[]): void;
  /** Sends what waits; what could not be sent stays. */
  flush(timeoutMs?: number): Promise<void>;
  collect(): Promise<MetricsSnapshot>;
  /** Whether the last delivery came through. */
  readonly isOk: boolean;
  shutdown(timeoutMs: number): Promise<void>;
}

export interface ForwardPorts {
  readonly target: NonNullable<CollectorOptions['forward']>;
  readonly options: NonNullable<CollectorOptions['telemetry']>;
  readonly engine: Pick<Engine, 'runtime' | 'diagnostics' | 'flushing'>;
  readonly onFailure: () => void;
}

export function createForward({ target, options, engine, onFailure }: ForwardPorts): Forward {
  const { runtime, diagnostics, flushing } = engine;
  const given: TelemetryOptions = {
    otlp: { ...options.otlp, endpoint: target.endpoint, ...(target.headers && { headers: target.headers }) },
    ...(options.flush && { flush: options.flush }),
    limits: { spans: maxSpans, bytes: maxBytes },
    metrics: { enabled: false },
    // What is asked of it here is all that it does; variables are for the collector's own.
    runtime: { ...runtime, env: {} },
    onError: diagnostics.report,
  };
  const telemetry = naming(
    (option) => option.replace(/^otlp\.(?=endpoint|headers)/, 'forward.'),
    () => assembleTelemetry(given, { providers: [], prices: [], features: {} }),
  );
  const { engine: own, flusher } = getParts(telemetry);
  let underway = false;
  let isOk = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isShut = false;

  function note({ traces }: FlushResult): void {
    isOk = traces.lastError === undefined;
    if (!isOk) onFailure();
  }

  async function flush(timeoutMs?: number): Promise<void> {
    note(await flusher.flush(timeoutMs));
  }

  /** One after the other, as long as there is something; after a failure it waits a while. */
  async function flushAll(): Promise<void> {
    underway = true;
    await flush().catch(diagnostics.report);
    underway = false;
    if (isShut || !own.spanPipelines.some(({ pending }) => pending > 0)) return;
    if (isOk) return void flushAll();
    timer = setTimeout(kick, flushing.intervalMs);
    (timer as { unref?: () => void }).unref?.();
  }

  function kick(): void {
    clearTimeout(timer);
    timer = undefined;
    if (!underway) void flushAll();
  }

  return {
    get isOk() {
      return isOk;
    },
    add(spans) {
      for (const span of spans) {
        const { name, events, links, attributes } = span;
        const weigh = () => weighSpan(name, events, links) + weighAttributes(attributes);
        for (const pipeline of own.spanPipelines) pipeline.add({ ...span, weigh });
      }
      // Where a request's work ends with it, the request itself waits.
      if (!runtime.ephemeral && timer === undefined) kick();
    },
    flush,
    collect: () => own.registry.collect(),
    async shutdown(timeoutMs) {
      isShut = true;
      clearTimeout(timer);
      note(await flusher.shutdown(timeoutMs));
    },
  };
}
