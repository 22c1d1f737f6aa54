import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import { agentKey, type ContextView, getAgent } from '../trace/context.ts';
import { setSpan, spanKind } from '../trace/otel-span.ts';
import { classifyError } from './error-class.ts';
import { getFrame, SpanFrame, setFrame } from './frame.ts';
import type { LlmInstruments } from './instruments.ts';
import { traceRef } from './recorder.ts';
import { type Ending, recordError, runInSpan } from './run-span.ts';
import type { RetrievalOptions, SpanOptions, SpanType, ToolOptions } from './wrappers.ts';

export interface SpanRunner {
  /** Runs `call` in a span of this type, named and attributed by the GenAI conventions. */
  run<T>(
    view: ContextView,
    type: SpanType,
    name: string,
    options: AnySpanOptions,
    call: (span: Span, context: Context) => T,
    /** In place of the name that the conventions make. */
    spanName?: string,
  ): T;
}

export type AnySpanOptions = SpanOptions & Pick<ToolOptions, 'description'> & Pick<RetrievalOptions<never>, 'count'>;

export interface SpanRunnerOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly instruments: LlmInstruments;
  readonly report: (error: unknown) => void;
}

/** Who is named in a span, by type: https://github.com/open-telemetry/semantic-conventions-genai */
function conventions(type: SpanType, name: string, options: AnySpanOptions): { name: string; attributes: Attributes } {
  switch (type) {
    case 'agent':
      return {
        name: `invoke_agent ${name}`,
        attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': name },
      };
    case 'tool':
      return {
        name: `execute_tool ${name}`,
        attributes: {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': name,
          'gen_ai.tool.type': 'function',
          ...(options.description && { 'gen_ai.tool.description': options.description }),
        },
      };
    case 'retrieval':
      return { name: `retrieval ${name}`, attributes: { 'gen_ai.operation.name': 'retrieval' } };
    default:
      return { name, attributes: {} };
  }
}

export function createSpanRunner({ tracer, clock, instruments, report }: SpanRunnerOptions): SpanRunner {
  function run<T>(
    view: ContextView,
    type: SpanType,
    name: string,
    options: AnySpanOptions,
    call: (span: Span, context: Context) => T,
    spanName?: string,
  ): T {
    const parent = contextOf(options.parent, view);
    const agent = type === 'agent' ? name : getAgent(parent);
    const frame = type === 'agent' ? new SpanFrame(getFrame(parent)) : undefined;
    const context = frame ? setFrame(parent.setValue(agentKey, name), frame) : parent;
    const standard = conventions(type, name, options);
    const kind = options.kind ?? (type === 'retrieval' ? spanKind.client : spanKind.internal);
    const attributes = { ...standard.attributes, ...options.attributes };
    const links = options.links ?? [];
    const span = tracer.startSpan(spanName ?? standard.name, { kind, attributes, links }, context);
    const startedAt = clock.monotonic();

    function finish(ending: Ending): void {
      const error = 'thrown' in ending ? classifyError({ thrown: ending.thrown }) : undefined;
      if ('thrown' in ending) recordError(span, ending.thrown);
      if (error) span.setAttribute('edgespan.error_class', error);
      else if (type === 'retrieval') setCount(span, options, (ending as { value: unknown }).value);
      if (frame) span.setAttributes(frame.attributes());
      const seconds = Math.max(0, clock.monotonic() - startedAt) / 1000;
      instruments.span({ type, seconds, agent, error, trace: traceRef(span), ...(type === 'tool' && { tool: name }) });
    }

    return runInSpan(view, context, span, () => call(span, setSpan(context, span)), finish);
  }

  function setCount(span: Span, options: AnySpanOptions, value: unknown): void {
    try {
      const count = options.count?.(value as never);
      if (typeof count === 'number') span.setAttribute('retrieved_documents_count', count);
    } catch (error) {
      report(error);
    }
  }

  return { run };
}

/** The context of an explicit parent, be it a span or a context, else the active one. */
export function contextOf(parent: Context | Span | undefined, view: ContextView): Context {
  if (!parent) return view.active();
  return 'spanContext' in parent ? setSpan(view.active(), parent) : parent;
}
