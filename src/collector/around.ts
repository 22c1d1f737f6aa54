import type { Context } from '@opentelemetry/api';
import { asString } from '../json.ts';
import { readWork } from '../llm/foreign-span.ts';
import { AgentFrame, setFrame } from '../llm/frame.ts';
import { agentKey } from '../trace/context.ts';
import { rootContext } from '../trace/otel-context.ts';
import { spanKey } from '../trace/otel-span.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';

/** Parents that are looked at above a span. */
const maxDepth = 64;

/**
 * The context that each span of a batch ran under, as far as the batch tells: inside of which agent, so that calls and
 * tools are counted for it. A span whose agent comes with another batch is counted for the agent that it names itself.
 */
export function findSurroundings(spans: readonly ReadableSpan[]): (span: ReadableSpan) => Context {
  const byId = new Map(spans.map((span) => [spanKey(span.spanContext()), span]));
  const agents = new Map<ReadableSpan, Context>();
  const names = new Map<ReadableSpan, string | undefined>();

  function nameOf(span: ReadableSpan): string | undefined {
    if (!names.has(span)) names.set(span, agentOf(span));
    return names.get(span);
  }

  function contextOf(span: ReadableSpan, depth: number): Context {
    const { traceId } = span.spanContext();
    const parentId = span.parentSpanContext?.spanId;
    const parent = parentId === undefined ? undefined : byId.get(spanKey({ traceId, spanId: parentId }));
    if (!parent || depth >= maxDepth) return rootContext;
    const name = nameOf(parent);
    return name === undefined ? contextOf(parent, depth + 1) : enter(parent, name);
  }

  function enter(span: ReadableSpan, name: string): Context {
    const known = agents.get(span);
    if (known) return known;
    const context = setFrame(rootContext.setValue(agentKey, name), new AgentFrame(undefined));
    agents.set(span, context);
    return context;
  }

  return (span) => contextOf(span, 0);
}

function agentOf({ name, attributes }: ReadableSpan): string | undefined {
  const work = readWork(name, attributes);
  return work?.type === 'agent' ? asString(work.name) : undefined;
}
