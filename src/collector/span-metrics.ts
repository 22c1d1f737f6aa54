import { fromHrTime } from '../clock.ts';
import type { Engine } from '../engine.ts';
import { asString } from '../json.ts';
import { createAttempts } from '../llm/attempts.ts';
import { type CallBook, createCallBook } from '../llm/call-book.ts';
import { isFailed, readWork } from '../llm/foreign-span.ts';
import { type CallOutcome, createLlmInstruments, type LlmInstruments } from '../llm/instruments.ts';
import { recordSpan } from '../llm/record-span.ts';
import { createSeenCalls, type SeenCalls } from '../llm/seen-calls.ts';
import { semconvNames } from '../llm/semconv.ts';
import { traceRefOf } from '../llm/trace-ref.ts';
import type { Registry } from '../metrics/registry.ts';
import type { ReadableSpan, Resource } from '../trace/readable-span.ts';
import { findSurroundings } from './around.ts';
import type { CollectorDialect } from './dialect.ts';
import { createBySender, readSender, type Sender } from './emitters.ts';
import { recordEvaluations } from './span-verdicts.ts';

export interface SpanMetricsPorts {
  readonly engine: Pick<Engine, 'options' | 'clock' | 'prices' | 'providers' | 'diagnostics'>;
  readonly registry: Registry;
  readonly dialect: CollectorDialect;
  readonly maxEmitters: number;
  /** Told of each model call that was counted. */
  readonly onCall: (call: CallOutcome, sender: Sender) => void;
}

/** Turns spans into the metrics that whoever made them could have counted. */
export interface SpanMetrics {
  record(spans: readonly ReadableSpan[], tenant: string): void;
}

interface Emitting {
  readonly instruments: LlmInstruments;
  readonly book: CallBook;
  readonly seen: SeenCalls;
}

/** Newest spans of a tenant that are known again when they come twice, or come around others. */
const maxSeenSpans = 65_536;
/** Tenants whose spans are told apart; others share. */
const maxTenants = 100;
/** A tracer's names of work that is none of an agent's. */
const otherWork = ['evaluation', 'infra'];

export function createSpanMetrics({ engine, registry, dialect, maxEmitters, onCall }: SpanMetricsPorts): SpanMetrics {
  const { options, clock, prices, providers, diagnostics } = engine;
  const { namespace, buckets = {} } = options.metrics ?? {};
  const pricingProfile = options.pricingProfile ?? 'default';
  // Counted where they are shown.
  const semconv = options.metrics?.semconv ? semconvNames(options.semconv ?? '1.41') : undefined;
  const seenByTenant = createBySender(maxTenants, () => createSeenCalls(maxSeenSpans));

  const emitting = createBySender(maxEmitters, (sender): Emitting => {
    const instruments = createLlmInstruments(registry, semconv, {
      dialect: dialect.llm,
      namespace,
      buckets,
      labels: { ...sender, version: '', pricingProfile },
    });
    const count = (call: CallOutcome) => {
      instruments.call(call);
      onCall(call, sender);
    };
    const attempts = createAttempts(count, clock.monotonic);
    const book = createCallBook({ attempts, prices, onCost: () => {} });
    return { instruments, book, seen: seenByTenant({ service: '', env: '', tenant: sender.tenant }) };
  });

  function recordOne(
    span: ReadableSpan,
    { instruments, book, seen }: Emitting,
    around: ReturnType<typeof findSurroundings>,
  ) {
    const agent = asString(span.attributes['rastir.agent']) ?? asString(span.attributes['gen_ai.agent.name']);
    const isNew = recordSpan(
      { recorder: { seen, book }, instruments, providers, clock, isOurs: () => false },
      span,
      around(span),
      agent === undefined ? {} : { agent },
    );
    if (!isNew) return;
    recordEvaluations(span, instruments, agent ?? '');
    if (!readWork(span.name, span.attributes)) recordOther(span, instruments, agent ?? '', dialect.countsAll);
  }

  return {
    record(spans, tenant) {
      const around = findSurroundings(spans);
      const byResource = new Map<Resource, Emitting>();
      // What runs inside of others ends before them, and is counted before them.
      for (const span of spans.toSorted((a, b) => fromHrTime(a.endTime) - fromHrTime(b.endTime))) {
        const known = byResource.get(span.resource) ?? emitting(readSender(span.resource, tenant));
        byResource.set(span.resource, known);
        try {
          recordOne(span, known, around);
        } catch (error) {
          known.instruments.parseError('unknown');
          diagnostics.report(error);
        }
      }
    },
  };
}

/** Work that is no call, agent, tool or retrieval: all of it where the dialect counts spans, else what says its type. */
function recordOther(span: ReadableSpan, instruments: LlmInstruments, agent: string, all: boolean): void {
  const said = asString(span.attributes['rastir.span_type']);
  if (said === undefined && !all) return;
  instruments.span({
    type: said && otherWork.includes(said) ? said : 'system',
    seconds: fromHrTime(span.duration) / 1000,
    agent,
    error: isFailed(span) ? 'unknown' : undefined,
    provider: '',
    model: '',
    trace: traceRefOf(span.spanContext()),
  });
}
