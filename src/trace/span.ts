import type {
  Attributes,
  Exception,
  HrTime,
  Link,
  Span,
  SpanContext,
  SpanKind,
  SpanStatus,
  TimeInput,
} from '@opentelemetry/api';
import { limitAttributes } from '../attributes.ts';
import { type Clock, toHrTime } from '../clock.ts';
import type { LocalTrace } from './local-trace.ts';
import { hasIds, statusError, withReadableState } from './otel-span.ts';
import type { InstrumentationScope, ReadableSpan, Resource, SpanEvent } from './readable-span.ts';
import { SpanAttributes } from './span-attributes.ts';
import { describeException, isTime, limitText, shed, toMs } from './span-input.ts';
import { weighSpan } from './span-weight.ts';

export interface SpanLimits {
  readonly attributesPerSpan: number;
  readonly attributesPerEvent: number;
  readonly attributesPerLink: number;
  readonly eventsPerSpan: number;
  readonly linksPerSpan: number;
  readonly valueLength: number;
}

/** What all spans of a telemetry share. */
export interface SpanHost {
  readonly clock: Clock;
  readonly resource: Resource;
  readonly limits: SpanLimits;
}

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly scope: InstrumentationScope;
  readonly trace: LocalTrace;
  readonly parent: SpanContext | undefined;
  /** The parent, where it is a span of ours: its clock readings anchor this span's. */
  readonly parentSpan: RecordingSpan | undefined;
  readonly startTime: TimeInput | undefined;
}

/** OpenTelemetry's status codes as numbers: its enum would be one more import at run time. */
const unset = 0;
const ok = 1;

/**
 * A span that is being recorded, and, once ended, the `ReadableSpan` that exporters take.
 * Times: the wall clock is read once per local trace, all else is measured by the monotonic clock, so that children lie
 * within their parents and no duration is negative.
 */
export class RecordingSpan implements Span, ReadableSpan {
  name: string;
  readonly kind: SpanKind;
  readonly instrumentationScope: InstrumentationScope;
  readonly parentSpanContext?: SpanContext;
  readonly isLocalRoot: boolean;
  readonly localTrace: LocalTrace;
  status: SpanStatus = { code: unset };
  ended = false;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  readonly #host: SpanHost;
  readonly #context: SpanContext;
  readonly #startMs: number;
  readonly #startMonotonic: number;
  #durationMs = 0;
  readonly #attributes: SpanAttributes;
  /** Most spans have neither. */
  #events: SpanEvent[] | undefined;
  #links: Link[] | undefined;

  constructor(host: SpanHost, start: SpanStart) {
    this.#host = host;
    this.#context = start.context;
    this.#attributes = new SpanAttributes(host.limits);
    this.name = limitText(start.name);
    this.kind = start.kind;
    this.instrumentationScope = start.scope;
    this.localTrace = start.trace;
    this.isLocalRoot = start.parentSpan === undefined;
    if (start.parent) this.parentSpanContext = start.parent;
    const monotonic = host.clock.monotonic();
    const now = start.parentSpan?.wallTime(monotonic) ?? host.clock.now();
    this.#startMs = toMs(start.startTime, host.clock) ?? now;
    this.#startMonotonic = monotonic - (now - this.#startMs);
  }

  /** Two telemetries of a program do not share their traces. */
  isOf(host: SpanHost): boolean {
    return this.#host === host;
  }

  get resource(): Resource {
    return this.#host.resource;
  }

  get startTime(): HrTime {
    return toHrTime(this.#startMs);
  }

  get endTime(): HrTime {
    return toHrTime(this.#startMs + this.#durationMs);
  }

  get duration(): HrTime {
    return toHrTime(this.#durationMs);
  }

  /** Milliseconds; 0 until the span has ended. */
  get durationMs(): number {
    return this.#durationMs;
  }

  /** Epoch milliseconds of a reading of the monotonic clock, by this span's anchor. */
  wallTime(monotonic: number): number {
    return this.#startMs + Math.max(0, monotonic - this.#startMonotonic);
  }

  /** Milliseconds since the span started. */
  elapsed(): number {
    return Math.max(0, this.#host.clock.monotonic() - this.#startMonotonic);
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  get attributes(): Attributes {
    return this.#attributes.read();
  }

  get droppedAttributesCount(): number {
    return this.#attributes.dropped;
  }

  get events(): SpanEvent[] {
    this.#events ??= [];
    return this.#events;
  }

  get links(): Link[] {
    this.#links ??= [];
    return this.#links;
  }

  /** Bytes that it takes in a buffer, roughly. */
  weigh(): number {
    return this.#attributes.bytes + weighSpan(this.name, this.#events, this.#links);
  }

  setAttribute(key: string, value: unknown): this {
    if (!this.ended) this.#attributes.set(key, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (!this.ended) this.#attributes.setAll(attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    const given = isTime(attributesOrTime) ? undefined : (attributesOrTime as Attributes | undefined);
    const at = toMs(time ?? (isTime(attributesOrTime) ? attributesOrTime : undefined), this.#host.clock);
    const { limits } = this.#host;
    const { attributes, dropped } = limitAttributes(given, limits.attributesPerEvent, limits.valueLength);
    const when = toHrTime(at ?? this.wallTime(this.#host.clock.monotonic()));
    const event = { name: limitText(name), time: when, attributes };
    this.#sequence(event);
    this.events.push(dropped ? { ...event, droppedAttributesCount: dropped } : event);
    this.droppedEventsCount += shed(this.events, limits.eventsPerSpan);
    return this;
  }

  /** Where the clock stands still, as on Workers between two I/O operations, a number keeps the order of events. */
  #sequence(event: { time: HrTime; attributes: Attributes }): void {
    const last = this.events.at(-1);
    if (last?.time[0] !== event.time[0] || last.time[1] !== event.time[1]) return;
    const sequence = last.attributes?.['edgespan.sequence'];
    event.attributes['edgespan.sequence'] = (typeof sequence === 'number' ? sequence : 0) + 1;
  }

  addLink(link: Link): this {
    if (this.ended || !link?.context || !hasIds(link.context)) return this;
    const { limits } = this.#host;
    const { attributes, dropped } = limitAttributes(link.attributes, limits.attributesPerLink, limits.valueLength);
    const droppedAttributesCount = (link.droppedAttributesCount ?? 0) + dropped;
    const context = withReadableState(link.context);
    this.links.push({ context, attributes, ...(droppedAttributesCount && { droppedAttributesCount }) });
    this.droppedLinksCount += shed(this.links, limits.linksPerSpan);
    return this;
  }

  addLinks(links: Link[]): this {
    if (Array.isArray(links)) for (const link of links) this.addLink(link);
    return this;
  }

  /** `ok` is final and `unset` changes nothing: https://opentelemetry.io/docs/specs/otel/trace/api/#set-status */
  setStatus(status: SpanStatus): this {
    const isCode = status?.code === ok || status?.code === statusError;
    if (this.ended || !isCode || this.status.code === ok) return this;
    const keepsMessage = status.code !== ok && typeof status.message === 'string';
    this.status = keepsMessage ? { code: status.code, message: limitText(status.message) } : { code: status.code };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = limitText(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const attributes = describeException(exception);
    if (attributes) this.addEvent('exception', attributes, time);
  }

  end(endTime?: TimeInput): void {
    if (this.ended) return;
    const given = toMs(endTime, this.#host.clock);
    this.#durationMs = given === undefined ? this.elapsed() : Math.max(0, given - this.#startMs);
    this.ended = true;
    this.localTrace.end(this);
  }
}
