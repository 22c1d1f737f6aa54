import type { Context } from '@opentelemetry/api';
import { asObject, asString, type Json } from '../../src/json.ts';
import { isAbort } from '../../src/llm/error-class.ts';
import { leaveFrameworkCall } from '../../src/llm/framework-call.ts';
import { holdInvocation, type OpenRuns, shareRuns } from '../../src/llm/open-runs.ts';
import { type ReportedCall, startReportedCall } from '../../src/llm/reported-call.ts';
import type { OpenSpan } from '../../src/llm/spans.ts';
import type { SpanType } from '../../src/llm/wrappers.ts';
import type { Parts } from '../../src/parts.ts';
import { recordWith } from '../../src/records.ts';
import type { Place } from '../../src/trace/placed-context.ts';
import { currentSpan, currentWork } from './current-span.ts';
import { readAnswered, readAsked, readAttributes, readEnd, readError, readSaid, readText } from './reading.ts';

/** A trace or a span of the SDK's that has begun. One that is not shown has the context of the one around it. */
interface Run {
  readonly place: Place;
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

const known = /* @__PURE__ */ new WeakMap<object, OpenRuns<Run>>();

function abandon({ call, span, release }: Run): void {
  release?.();
  call?.end({ aborted: true });
  span?.span.setAttribute('edgespan.aborted', true);
  span?.end({ value: undefined, left: true });
}

export function createRuns(parts: Parts) {
  const { view } = parts;
  const places = () => parts.engine.runtime.context;
  const listRuns = () => shareRuns(known, parts.engine, currentWork, abandon);

  /** An event that is not what it should be, or out of its order. */
  function odd(): void {
    parts.engine.instruments.parseError('openai-agents');
  }

  function open(type: SpanType, name: string, context: Context, data: Json): Run {
    const options = { parent: context, attributes: readAttributes(data) };
    const span = parts.runner.open(view, { type, name, options });
    return { place: places().place(span.context), span };
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
          return listRuns().get(current) ? current === id : undefined;
        },
      },
    );
    return { place: places().place(context), call };
  }

  function begin(id: string, data: Json, context: Context): Run {
    const kind = asString(data.type) ?? 'unknown';
    const type = Object.hasOwn(types, kind) ? types[kind]! : 'trace';
    if (type === 'hidden') return { place: places().place(context) };
    if (type === 'call') return startCall(id, data, context);
    const name = asString(data.name);
    const isOwn = type !== 'trace' || kind === 'custom';
    return open(type, isOwn ? (name ?? kind) : [kind, name].filter(Boolean).join(' '), context, data);
  }

  /** What is known of a span by its end. */
  function tell({ span, place }: Run & { span: OpenSpan }, data: Json): unknown {
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
      recordWith(parts, view.at(place.context)).guardrail({ id: name, action, span: span.span });
    }
    return undefined;
  }

  function end(run: Run, data: Json, given: unknown): void {
    const error = readError(given);
    const { providers } = parts.engine;
    const known = { ...readAsked(data, providers), said: () => readSaid(data, providers) };
    run.call?.end(readEnd(data, error, providers), known, () => readAnswered(data, providers));
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
    const trace = error && listRuns().get(asString(span.traceId));
    if (trace?.span) close(trace.span, undefined, error);
    trace?.release?.();
  }

  return {
    startTrace(given: unknown): void {
      const trace = asObject(given);
      const id = asString(trace?.traceId);
      const runs = listRuns();
      if (!trace || !id || runs.get(id)) {
        odd();
        return;
      }
      const name = asString(trace.name) ?? 'Agent workflow';
      const group = asString(trace.groupId);
      const attributes = { 'gen_ai.workflow.name': name, ...(group && { 'gen_ai.conversation.id': group }) };
      const parent = leaveFrameworkCall(view.active());
      const span = parts.runner.open(view, { type: 'trace', name, options: { parent, attributes } });
      runs.add(id, { place: places().place(span.context), span, release: holdInvocation(parent) });
    },
    endTrace(given: unknown): void {
      const run = listRuns().take(asString(asObject(given)?.traceId));
      run?.span?.end({ value: undefined });
      run?.release?.();
      if (!run) odd();
    },
    startSpan(given: unknown): void {
      const span = asObject(given);
      const data = asObject(span?.spanData);
      const id = asString(span?.spanId);
      const runs = listRuns();
      if (!span || !data || !id || runs.get(id)) {
        odd();
        return;
      }
      const around = runs.get(asString(span.parentId)) ?? runs.get(asString(span.traceId));
      const context = around ? places().inside(around.place) : leaveFrameworkCall(view.active());
      runs.add(id, begin(id, data, context));
    },
    endSpan(given: unknown): void {
      const span = asObject(given);
      const run = listRuns().take(asString(span?.spanId));
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
