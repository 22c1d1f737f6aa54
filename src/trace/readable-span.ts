import type { AnyValue, Attributes, HrTime, Link, SpanContext, SpanKind, SpanStatus } from '@opentelemetry/api';
import type { InstrumentationScope } from '../instrumentation-scope.ts';

export type { InstrumentationScope };

/** Who emits: shape of OpenTelemetry SDK 3's `Resource`. */
export interface Resource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string;
  readonly asyncAttributesPending?: boolean;
  waitForAsyncAttributes?(): Promise<void>;
  merge(other: Resource | null): Resource;
  getRawAttributes(): [string, AnyValue | undefined | Promise<AnyValue | undefined>][];
}

export interface SpanEvent {
  name: string;
  time: HrTime;
  attributes?: Attributes;
  droppedAttributesCount?: number;
}

/** A span as exporters read it: the shape of OpenTelemetry SDK 3, assignable to its `ReadableSpan` and from it. */
export interface ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanContext: () => SpanContext;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly ended: boolean;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: SpanEvent[];
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

/** OpenTelemetry's exporter port: any of its `SpanExporter`s fits. `code` 0 is success, 1 failure. */
export interface SpanExporter {
  export(spans: ReadableSpan[], done: (result: { code: number; error?: Error }) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/** The short form of an exporter: resolves when the spans are delivered, rejects when they are not. */
export type ExportFunction = (spans: readonly ReadableSpan[]) => void | Promise<void>;

export function createResource(attributes: Attributes): Resource {
  return {
    attributes,
    merge: (other) => createResource({ ...attributes, ...other?.attributes }),
    getRawAttributes: () => Object.entries(attributes),
  };
}
