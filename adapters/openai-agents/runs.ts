import type { Context } from '@opentelemetry/api';
import { asObject, asString, type Json } from '../../src/json.ts';
import { isAbort } from '../../src/llm/error-class.ts';
import { leaveFrameworkCall } from '../../src/llm/framework-call.ts';
import { createOpenRuns, holdInvocation } from '../../src/llm/open-runs.ts';
import { type ReportedCall, startReportedCall } from '../../src/llm/reported-call.ts';
import type { OpenSpan } from '../../src/llm/spans.ts';
import type { SpanType } from '../../src/llm/wrappers.ts';
import type { Parts } from '../../src/parts.ts';
import { recordWith } from '../../src/records.ts';
import { currentSpan } from './current-span.ts';
import { readAsked, readAttributes, readEnd, readError, readText } from './reading.ts';

/** A trace or a span of the SDK's that has begun. One that is not shown has the context of the one around it. */
interface Run {
  readonly context: Context;
  readonly span?: OpenSpan | undefined;
  readonly call?: ReportedCall | undefined;
  /** Of a trace. */
  readonly release?: () => void;
}

/** What the SDK's spans are to us; a turn and the task of a run say nothing that others don't. */
const types: Readonly<Record<string, SpanType | 'call' | 'hidden'>> = {
  agent: 'agent',
  function: 'tool',
  generation: 'call',
  response: 'call',
  task: 'hidden',
  turn: 'hidden',
};

export function createRuns(parts: Parts) {
  const { view } = parts;
  const runs = createOpenRuns<Run>(({ call, span, release }) => {
    release?.();
    call?.end({ aborted: true });
    span?.span.setAttribute('edgespan.aborted', true);
    span?.end({ value: undefined, left: true });
  });

  /** An event that is not what it should be, or out of its order. */
  function odd(): void {
    parts.engine.instruments.parseError('openai-agents');
  }

  function open(type: SpanType, name: string, context: Context, data: Json): Run {
    const options = { parent: context, attributes: readAttributes(data) };
    const span = parts.runner.open(view, type, name, options);
    return { context: span.context, span };
  }

  function startCall(id: string, data: Json, context: Context): Run {
    const { providers } = parts.engine;
    const call = startReportedCall(
      parts.engine,
      { ...readAsked(data, providers), context },
      {
        // Known only once the SDK has told it.
        model: () => readAsked(data, providers).request.model,
        text: () => readText(data),
        isCurrent() {
          const current = currentSpan();
          return runs.get(current) ? current === id : undefined;
        },
      },
    );
    return { context, call };
  }

  function begin(id: string, data: Json, context: Context): Run {
    const kind = asString(data.type) ?? 'unknown';
    const type = Object.hasOwn(types, kind) ? types[kind]! : 'trace';
    if (type === 'hidden') return { context };
    if (type === 'call') return startCall(id, data, context);
    const name = asString(data.name);
    const isOwn = type !== 'trace' || kind === 'custom';
    return open(type, isOwn ? (name ?? kind) : [kind, name].filter(Boolean).join(' '), context, data);
  }

  /** What is known of a span by its end. */
  function tell({ span, context }: Run & { span: OpenSpan }, data: Json): unknown {
    span.span.setAttributes(readAttributes(data));
    const { content } = parts.engine.recorder;
    const limits = content.limits();
    if (data.type === 'function') {
      span.span.setAttributes(content.value('gen_ai.tool.call.arguments', data.input || undefined, limits.inputs));
      return data.output;
    }
    const to = asString(data.to_agent);
    if (data.type === 'handoff' && to) span.span.updateName(`handoff ${to}`);
    const name = asString(data.name);
    if (data.type === 'guardrail' && name && typeof data.triggered === 'boolean') {
      const action = data.triggered ? 'GUARDRAIL_INTERVENED' : 'NONE';
      recordWith(parts, view.at(context)).guardrail({ id: name, action, span: span.span });
    }
    return undefined;
  }

  function end(run: Run, data: Json, given: unknown): void {
    const error = readError(given);
    const { providers } = parts.engine;
    run.call?.end(readEnd(data, error, providers), readAsked(data, providers));
    if (run.span) close(run.span, tell({ ...run, span: run.span }, data), error);
  }

  function close(span: OpenSpan, value: unknown, error: object | undefined): void {
    const left = error !== undefined && isAbort(error);
    if (left) span.span.setAttribute('edgespan.aborted', true);
    span.end(error && !left ? { thrown: error } : { value });
  }

  /** The SDK does not end the trace of a run that failed; what else may belong to that still finds its context. */
  function endFailed(span: Json, data: Json): void {
    const error = data.type === 'task' && !asString(span.parentId) ? readError(span.error) : undefined;
    const trace = error && runs.get(asString(span.traceId));
    if (trace?.span) close(trace.span, undefined, error);
    trace?.release?.();
  }

  return {
    startTrace(given: unknown): void {
      const trace = asObject(given);
      const id = asString(trace?.traceId);
      if (!trace || !id || runs.get(id)) {
        odd();
        return;
      }
      const name = asString(trace.name) ?? 'Agent workflow';
      const group = asString(trace.groupId);
      const attributes = { 'gen_ai.workflow.name': name, ...(group && { 'gen_ai.conversation.id': group }) };
      const parent = leaveFrameworkCall(view.active());
      const span = parts.runner.open(view, 'trace', name, { parent, attributes });
      runs.add(id, { context: span.context, span, release: holdInvocation(parent) });
    },
    endTrace(given: unknown): void {
      const run = runs.take(asString(asObject(given)?.traceId));
      run?.span?.end({ value: undefined });
      run?.release?.();
      if (!run) odd();
    },
    startSpan(given: unknown): void {
      const span = asObject(given);
      const data = asObject(span?.spanData);
      const id = asString(span?.spanId);
      if (!span || !data || !id || runs.get(id)) {
        odd();
        return;
      }
      const around = runs.get(asString(span.parentId)) ?? runs.get(asString(span.traceId));
      runs.add(id, begin(id, data, around?.context ?? leaveFrameworkCall(view.active())));
    },
    endSpan(given: unknown): void {
      const span = asObject(given);
      const run = runs.take(asString(span?.spanId));
      if (!span || !run) {
        odd();
        return;
      }
      const data = asObject(span.spanData) ?? {};
      end(run, data, span.error);
      endFailed(span, data);
    },
  };
}
