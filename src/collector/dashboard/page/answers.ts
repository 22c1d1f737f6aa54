import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString, type Json } from '../../../json.ts';
import {
  type ForeignWork,
  readFirstToken,
  readForeignRequest,
  readForeignResponse,
  readWork,
} from '../../../llm/foreign-span.ts';
import type { LlmUsage } from '../../../llm/provider.ts';
import type { TraceSummary } from '../../trace-store.ts';

/** A trace of `GET /v1/traces` or `/v1/live`; `undefined` for what is none. */
export function readSummary(value: unknown): TraceSummary | undefined {
  const json = asObject(value);
  const traceId = asString(json?.trace_id);
  if (!json || !traceId) return undefined;
  return {
    traceId,
    name: asString(json.name) ?? '(no name)',
    service: asString(json.service) ?? '',
    start: asNumber(json.start_ms) ?? 0,
    durationMs: asNumber(json.duration_ms) ?? 0,
    spanCount: asNumber(json.span_count) ?? 0,
    status: json.status === 'error' ? 'error' : 'ok',
    models: strings(json.models),
    tokens: asNumber(json.tokens),
    costUsd: asNumber(json.cost_usd),
  };
}

export interface SpanEventView {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly attributes: Json;
}

/** A span of `GET /v1/traces/{id}?costs=true`, with what its attributes say of model calls. */
export interface SpanView {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: string;
  readonly service: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  readonly message: string | undefined;
  readonly type: ForeignWork['type'] | 'other';
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly usage: LlmUsage;
  readonly costUsd: number | undefined;
  /** Milliseconds from the start. */
  readonly firstTokenMs: number | undefined;
  readonly finishReasons: readonly string[];
  readonly attributes: Json;
  readonly resource: Json;
  readonly scope: string;
  readonly events: readonly SpanEventView[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export function readSpan(value: unknown): SpanView | undefined {
  const json = asObject(value);
  const id = asString(json?.span_id);
  const start = asNumber(json?.start_ms);
  if (!json || !id || start === undefined) return undefined;
  const attributes = asObject(json.attributes) ?? {};
  return {
    id,
    parentId: asString(json.parent_span_id),
    name: asString(json.name) ?? '(no name)',
    kind: String(json.kind ?? ''),
    service: asString(json.service) ?? '',
    start,
    end: Math.max(start, asNumber(json.end_ms) ?? start),
    failed: json.status === 'error',
    message: asString(json.status_message),
    ...readCall(asString(json.name) ?? '', attributes as Attributes, start, asNumber(json.cost_usd)),
    attributes,
    resource: asObject(asObject(json.resource)?.attributes) ?? asObject(json.resource) ?? {},
    scope: readScope(json.scope),
    events: asArray(json.events).flatMap((event) => readEvent(event, start)),
    links: asArray(json.links).flatMap(readLink),
  };
}

function readCall(name: string, attributes: Attributes, start: number, reckonedUsd: number | undefined) {
  const work = readWork(name, attributes);
  const { provider, model: asked } = readForeignRequest(attributes);
  const { model = asked, usage = {}, costUsd, finishReasons = [] } = readForeignResponse(attributes);
  const firstToken = readFirstToken(attributes, start);
  return {
    type: work?.type ?? ('other' as const),
    provider: provider === 'unknown' ? undefined : provider,
    model,
    usage,
    costUsd: costUsd ?? reckonedUsd,
    firstTokenMs: firstToken === undefined ? undefined : firstToken * 1000,
    finishReasons,
  };
}

function readScope(value: unknown): string {
  const scope = asObject(value);
  return [asString(scope?.name), asString(scope?.version)].filter(Boolean).join(' ');
}

function readEvent(value: unknown, start: number): SpanEventView[] {
  const json = asObject(value);
  if (!json) return [];
  const { name, time_ms: time, attributes } = json;
  return [{ name: asString(name) ?? '', time: asNumber(time) ?? start, attributes: asObject(attributes) ?? {} }];
}

function readLink(value: unknown): { traceId: string; spanId: string }[] {
  const json = asObject(value);
  const traceId = asString(json?.trace_id);
  return traceId ? [{ traceId, spanId: asString(json?.span_id) ?? '' }] : [];
}

/** Input and output, else their sum where a tracer says no more. */
export function tokensOf({ input, output, total }: LlmUsage): number | undefined {
  return input === undefined && output === undefined ? total : (input ?? 0) + (output ?? 0);
}

function strings(value: unknown): string[] {
  return asArray(value).filter((item) => typeof item === 'string');
}
