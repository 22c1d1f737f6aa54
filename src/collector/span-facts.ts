import { fromHrTime } from '../clock.ts';
import { asString } from '../json.ts';
import { type CallBookOptions, priceCall } from '../llm/call-book.ts';
import { isFailed, readForeignRequest, readForeignResponse, readWork } from '../llm/foreign-span.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import type { CostOf } from './trace-store.ts';

/** What of a span a list of traces shows or asks for. */
export interface SpanFacts {
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly service: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  readonly model: string | undefined;
  /** Input and output. */
  readonly tokens: number | undefined;
  readonly costUsd: number | undefined;
}

/** Tells what spans cost, by these prices where they are model calls that don't say it. */
export function createCostOf({ prices }: Pick<CallBookOptions, 'prices'>): CostOf {
  return ({ name, attributes }) => {
    const work = readWork(name, attributes);
    const response = readForeignResponse(attributes);
    if (work?.type !== 'llm') return response.costUsd;
    return priceCall(readForeignRequest(attributes), response, prices)?.totalUsd;
  };
}

export function readFacts(span: ReadableSpan, costOf?: CostOf): SpanFacts {
  const { attributes, resource } = span;
  const { usage, costUsd, model } = readForeignResponse(attributes);
  const tokens = usage && (usage.input === undefined && usage.output === undefined ? usage.total : sum(usage));
  return {
    spanId: span.spanContext().spanId,
    parentId: span.parentSpanContext?.spanId,
    name: span.name,
    service: asString(resource.attributes['service.name']) ?? 'unknown_service',
    start: fromHrTime(span.startTime),
    end: fromHrTime(span.endTime),
    failed: isFailed(span),
    model: model ?? readForeignRequest(attributes).model,
    tokens,
    costUsd: costUsd ?? (usage && costOf?.(span)),
  };
}

function sum({ input = 0, output = 0 }: { input?: number; output?: number }): number {
  return Math.min(input + output, Number.MAX_SAFE_INTEGER);
}
