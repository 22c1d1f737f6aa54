import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { type Clock, secondsSince } from '../clock.ts';
import { messageOf, safely } from '../errors.ts';
import { asCount } from '../json.ts';
import { agentKey, type ContextView, getAgent } from '../trace/context.ts';
import { setSpan, spanKind } from '../trace/otel-span.ts';
import { contextOf } from '../trace/scope.ts';
import type { ContentKeeper } from './content/silence.ts';
import { countDocuments } from './documents.ts';
import { classifyError, errorName } from './error-class.ts';
import { AgentFrame, addToolRun, getFrame, latestCall, type ModelRef, setFrame } from './frame.ts';
import type { LlmInstruments } from './instruments.ts';
import type { LlmRecorder } from './recorder.ts';
import { type Ending, recordError, runInSpan } from './run-span.ts';
import { markOwn, spansAround } from './seen-calls.ts';
import type { SpanDialect } from './span-dialect.ts';
import { announceToolRun, claimToolRun, setToolRun, type ToolRun } from './tool-run.ts';
import { traceRef } from './trace-ref.ts';
import type { RetrievalOptions, SpanOptions, SpanType, ToolOptions } from './wrappers.ts';

export interface SpanRunner {
  /** Runs `call` in a span of this type, named and attributed by the GenAI conventions. */
  run<T>(view: ContextView, work: Work, call: (span: Span, context: Context) => T): T;
  /** The same by hand, for work that one is told of and does not call. */
  open(view: ContextView, work: Work): OpenSpan;
}

/** What a span is of. */
export interface Work {
  readonly type: SpanType;
  readonly name: string;
  readonly options: AnySpanOptions;
  /** In place of the name that the conventions make. */
  readonly spanName?: string;
  /** What it was given. */
  readonly args?: readonly unknown[];
}

/** A span that somebody else's work runs in. */
export interface OpenSpan {
  readonly span: Span;
  /** For what is done inside. */
  readonly context: Context;
  /** Ends the span, once. */
  end(ending: Ending): void;
}

export type AnySpanOptions = SpanOptions & Pick<ToolOptions, 'description'> & Pick<RetrievalOptions<never>, 'count'>;

export interface SpanRunnerOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly instruments: LlmInstruments;
  readonly seen: LlmRecorder['seen'];
  readonly legacyAttributes: boolean;
  readonly dialect: SpanDialect;
  readonly content: ContentKeeper;
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

/** What runs on behalf of an agent's model says so. */
export function inheritedAttributes(agent: string, asked: ModelRef | undefined, legacy: boolean): Attributes {
  return {
    ...(agent && { 'gen_ai.agent.name': agent }),
    ...(asked && { 'gen_ai.provider.name': asked.semconvProvider }),
    ...(asked?.model && { 'gen_ai.request.model': asked.model }),
    ...(asked && legacy && { 'llm.provider': asked.provider }),
    ...(asked?.model && legacy && { 'llm.model': asked.model }),
  };
}

export function createSpanRunner(runner: SpanRunnerOptions): SpanRunner {
  const { tracer, clock, instruments, seen, content, dialect, report } = runner;

  function begin(view: ContextView, { type, name, options, spanName, args = [] }: Work) {
    const parent = contextOf(options.parent, view, report);
    const agent = type === 'agent' ? name : getAgent(parent);
    const frame = type === 'agent' ? new AgentFrame(getFrame(parent)) : undefined;
    const context = frame ? setFrame(parent.setValue(agentKey, name), frame) : parent;
    const standard = conventions(type, name, options);
    const kind = options.kind ?? (type === 'retrieval' ? spanKind.client : spanKind.internal);
    const inherits = type === 'tool' || type === 'retrieval';
    const asked = inherits ? latestCall(parent) : undefined;
    const { provider = '', model = '' } = asked ?? {};
    const attributes = {
      ...standard.attributes,
      ...(inherits && inheritedAttributes(agent, asked, runner.legacyAttributes)),
      ...options.attributes,
      ...dialect.attributes?.start(type, {
        ...(type === 'tool' && { tool_name: name }),
        agent,
        model,
        ...(asked && { provider: dialect.attributes.provider(provider, model) }),
        ...options.attributes,
      }),
    };
    const links = options.links ?? [];
    const shown = dialect.workName(spanName ?? standard.name, spanName ?? name);
    const span = tracer.startSpan(shown, { kind, attributes, links }, context);
    markOwn(span);
    const said = content.followSpan(span, type, args, options.capture);
    const around = spansAround(context);
    const work = `${type} ${name}`;
    const startedAt = clock.monotonic();
    const told = type === 'tool' && claimToolRun(parent, { name, by: 'mcp' }) !== undefined;

    function finish(ending: Ending): void {
      const error = 'thrown' in ending ? classifyError({ thrown: ending.thrown }) : undefined;
      if ('thrown' in ending) {
        recordError(span, ending.thrown);
        addAlso(span, { 'error.type': errorName(ending.thrown), 'error.message': messageOf(ending.thrown) });
      }
      if (error) span.setAttribute('edgespan.error_class', error);
      else if (type === 'retrieval') setCount(span, options, (ending as { value: unknown }).value);
      said.end('thrown' in ending ? undefined : ending.value);
      if (frame) span.setAttributes(frame.attributes());
      const seconds = secondsSince(startedAt, clock.monotonic);
      for (const outer of around) seen.cover(outer, work);
      if (told || seen.isCovered(span.spanContext(), work)) return;
      if (type === 'tool') addToolRun(parent);
      const tool = type === 'tool' ? { tool: name } : {};
      instruments.span({
        type,
        seconds,
        agent,
        error,
        errorType: 'thrown' in ending ? errorName(ending.thrown) : undefined,
        provider,
        model,
        semconvProvider: asked?.semconvProvider,
        trace: traceRef(span),
        calls: frame,
        ...tool,
      });
    }

    const run: ToolRun | undefined = type === 'tool' ? { name, span, by: 'wrapper' } : undefined;
    return { span, context: run ? setToolRun(context, run) : context, finish, said, run, parent };
  }

  const run: SpanRunner['run'] = (view, work, call) => {
    const { span, context, finish, said } = begin(view, work);
    return runInSpan(view, context, span, () => call(span, setSpan(context, span)), finish, said);
  };

  const open: SpanRunner['open'] = (view, work) => {
    const { span, context, finish, run, parent } = begin(view, work);
    const takeBack = run && announceToolRun(parent, run, work.args?.[0]);
    let ended = false;
    return {
      span,
      context: setSpan(context, span),
      end(ending) {
        if (ended) return;
        ended = true;
        takeBack?.();
        safely(() => finish(ending), report);
        span.end();
      },
    };
  };

  function setCount(span: Span, options: AnySpanOptions, value: unknown): void {
    const extracted = asCount(safely(() => options.count?.(value as never), report));
    const count = extracted ?? countDocuments(value);
    if (count === undefined) return;
    const attributes = { retrieved_documents_count: count };
    span.setAttributes(attributes);
    addAlso(span, attributes);
  }

  function addAlso(span: Span, attributes: Attributes): void {
    if (dialect.attributes) span.setAttributes(dialect.attributes.add(attributes));
  }

  return { run, open };
}
