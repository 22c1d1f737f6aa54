import type { Context } from '@opentelemetry/api';
import { safely } from '../../src/errors.ts';
import { asObject, asString, type Json } from '../../src/json.ts';
import { isAbort } from '../../src/llm/error-class.ts';
import { type Admission, leaveFrameworkCall } from '../../src/llm/framework-call.ts';
import { createOpenRuns, holdInvocation } from '../../src/llm/open-runs.ts';
import type { OpenSpan } from '../../src/llm/spans.ts';
import { isOn } from '../../src/observed-fetch.ts';
import { getParts } from '../../src/parts.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { createContextKey } from '../../src/trace/otel-context.ts';
import type { AiSdkOptions, AiSdkTelemetry } from './index.ts';
import { type Asked, admit, failed, idOf, type ModelCall, startModelCall } from './model-call.ts';
import { ownCapture, type Recording, readEnd } from './reading.ts';
import { createReports, type Reports } from './reports.ts';

/** One `generateText`, `embed` and the like. */
interface Operation {
  readonly span: OpenSpan;
  readonly context: Context;
  readonly recording: Recording;
  readonly reports: Reports;
  readonly isStream: boolean;
  /** Tools whose output is still to be told. */
  readonly tools: Map<string, OpenSpan>;
  readonly release: () => void;
  /** Who is asked and what, as it was announced; until the call is made. */
  asked?: Json | undefined;
  call?: ModelCall | undefined;
}

/** Which tool's run this is. */
const toolKey = /* @__PURE__ */ createContextKey('edgespan ai-sdk tool');
/** Tools of one operation whose output is still to come. */
const maxTools = 1000;

export function createOperations(telemetry: Telemetry, { recordInputs = true }: AiSdkOptions): AiSdkTelemetry {
  const parts = getParts(telemetry);
  const { view } = parts;
  const operations = createOpenRuns<Operation>((operation) => close(operation, { aborted: true }));

  /** An event that is not what it should be, or out of its order. */
  function odd(): void {
    parts.engine.instruments.parseError('ai-sdk');
  }

  /** Listens to what an operation tells; of one that is not known it is counted, unless `isLate`. */
  function listen(hear: (operation: Operation, event: Json) => void, isLate = false): (event: unknown) => void {
    return (given) => {
      if (!isOn(parts)) return;
      const event = asObject(given);
      const operation = operations.get(idOf(event));
      if (operation && event) safely(() => hear(operation, event), parts.engine.diagnostics.report);
      else if (!isLate || !idOf(event)) odd();
    };
  }

  function recordingOf(event: Json): Recording {
    return { inputs: recordInputs && event.recordInputs !== false, outputs: event.recordOutputs !== false };
  }

  function start(event: Json, id: string): void {
    const context = leaveFrameworkCall(view.active());
    const recording = recordingOf(event);
    const operationId = asString(event.operationId) ?? 'ai.operation';
    const functionId = asString(event.functionId);
    const isAgent = functionId !== undefined && /Text|Object/.test(operationId);
    const attributes = {
      'ai.operationId': operationId,
      ...(functionId && !isAgent && { 'gen_ai.workflow.name': functionId }),
    };
    const capture = ownCapture(recording) ?? {};
    const asked = event.prompt ?? event.messages ?? event.value ?? event.query;
    const span = parts.runner.open(view, {
      type: isAgent ? 'agent' : 'trace',
      name: functionId && isAgent ? functionId : operationId,
      options: { parent: context, attributes, capture },
      args: asked === undefined ? [] : [asked],
    });
    const isStream = /^ai\.stream/.test(operationId);
    const reports = createReports(parts.engine, span.context, isStream, recording);
    const release = holdInvocation(context);
    operations.add(id, { span, context: span.context, recording, reports, isStream, tools: new Map(), release });
  }

  function close(operation: Operation, how: { thrown?: unknown; aborted?: boolean; value?: unknown }): void {
    const { call, span, reports, tools, release } = operation;
    const failure = call?.failure ?? ('thrown' in how ? { thrown: how.thrown } : undefined);
    if (call?.isOpen) call.end(failure ? failed(failure.thrown) : { aborted: true });
    reports.end(failure ? failed(failure.thrown) : { aborted: true });
    for (const tool of tools.values()) tool.end({ value: undefined });
    const aborted = how.aborted || ('thrown' in how && isAbort(how.thrown));
    if (aborted) span.span.setAttribute('edgespan.aborted', true);
    span.end('thrown' in how && !aborted ? { thrown: how.thrown } : { value: how.value });
    release();
  }

  function finish(id: string | undefined, how: Parameters<typeof close>[1]): void {
    const operation = operations.take(id);
    if (operation) close(operation, how);
  }

  /**
   * The call whose last try has failed, where this is another one; else what is asked now. `undefined` inside of the call
   * itself: who listens twice is told twice.
   */
  function prepare(event: Json): { again: ModelCall } | { asked: Asked; context: Context } | undefined {
    const operation = operations.get(idOf(event));
    const before = operation?.call;
    const isTwice = before?.isOpen && before.isAround(view.active());
    if (!operation || isTwice) odd();
    if (isTwice) return undefined;
    if (before?.isOpen && before.failure) return { again: before };
    // Of a stream that broke, and is begun anew.
    if (before?.isOpen) before.end({ incomplete: true });
    const said = { ...operation?.asked, ...event };
    const recording = operation?.recording ?? recordingOf(event);
    const asked = { model: said, settings: said, recording, isStream: operation?.isStream === true };
    return { asked, context: operation?.context ?? view.active() };
  }

  function begin(id: string | undefined, asked: Asked, context: Context, admission: Admission | undefined): ModelCall {
    const operation = operations.get(id);
    const call = startModelCall(parts, asked, context, admission, () => {
      if (operation?.call === call) finish(id, { aborted: true });
    });
    if (operation) Object.assign(operation, { call, asked: undefined });
    return call;
  }

  async function executeLanguageModelCall<T>(options: { callId: string; execute: () => PromiseLike<T> }): Promise<T> {
    const { execute, ...event } = options;
    if (!isOn(parts)) return execute();
    const { report } = parts.engine.diagnostics;
    const prepared = safely(() => prepare(event), report);
    if (!prepared) return execute();
    let call: ModelCall | undefined;
    if ('again' in prepared) call = prepared.again;
    else {
      const { asked, context } = prepared;
      const admission = await admit(parts, asked, context);
      call = safely(() => begin(idOf(event), asked, context, admission), report);
    }
    if (!call) return execute();
    try {
      return await call.run(execute);
    } catch (error) {
      // Another try is the same call, as long as its caller is there.
      if (isAbort(error) || !operations.get(idOf(event))) call.end(failed(error));
      throw error;
    }
  }

  async function executeTool<T>(options: {
    callId: string;
    toolCallId: string;
    execute: () => PromiseLike<T>;
  }): Promise<T> {
    const { execute, ...event } = options;
    if (!isOn(parts)) return execute();
    const opened = safely(() => openTool(event), parts.engine.diagnostics.report);
    if (!opened) return execute();
    const { tool, waits, inside } = opened;
    let result: T;
    try {
      result = await view.run(inside, execute);
    } catch (thrown) {
      tool.end({ thrown });
      throw thrown;
    }
    // What it answers is told after it.
    if (!waits) tool.end({ value: result });
    return result;
  }

  /** `undefined` inside of the very run: who listens twice is told twice. */
  function openTool(event: Json): { tool: OpenSpan; waits: boolean; inside: Context } | undefined {
    const operation = operations.get(idOf(event));
    const asked = asObject(event.toolCall);
    const id = asString(event.toolCallId);
    const key = `${idOf(event)} ${id}`;
    const isTwice = id !== undefined && view.active().getValue(toolKey) === key;
    if (!operation || isTwice) odd();
    if (isTwice) return undefined;
    const capture = ownCapture(operation?.recording ?? recordingOf(event)) ?? {};
    const tool = parts.runner.open(view, {
      type: 'tool',
      name: asString(asked?.toolName) ?? 'unknown',
      options: {
        parent: operation?.context ?? view.active(),
        attributes: { ...(id && { 'gen_ai.tool.call.id': id }) },
        capture,
      },
      args: asked?.input === undefined ? [] : [asked.input],
    });
    const isWanted = parts.engine.recorder.content.limits(capture).outputs > 0;
    const waits = isWanted && operation !== undefined && id !== undefined && operation.tools.size < maxTools;
    if (waits) operation.tools.set(id, tool);
    return { tool, waits, inside: tool.context.setValue(toolKey, key) };
  }

  function onStart(given: unknown): void {
    if (!isOn(parts)) return;
    const event = asObject(given);
    const id = idOf(event);
    if (event && id && !operations.get(id)) safely(() => start(event, id), parts.engine.diagnostics.report);
    else odd();
  }

  const onEnd = listen((_, event) => finish(idOf(event), { value: event.text ?? event.object }));

  return {
    onStart,
    experimental_onDecideStart: onStart,
    onLanguageModelCallStart: listen((operation, event) => {
      operation.asked = event;
    }),
    onLanguageModelCallEnd: listen((operation, event) => {
      const { call } = operation;
      if (!call?.isOpen) return;
      const first = asObject(event.performance)?.timeToFirstOutputMs;
      if (typeof first === 'number') call.firstToken(first / 1000);
      call.end({ response: readEnd(event) });
    }),
    onObjectStepStart: listen(({ reports }, event) => reports.startObject(event)),
    onObjectStepEnd: listen(({ reports }, event) => reports.endObject(event)),
    onEmbedStart: listen(({ reports }, event) => reports.startEmbedding(event)),
    onEmbedEnd: listen(({ reports }, event) => reports.endEmbedding(event)),
    onRerankStart: listen(({ reports }, event) => reports.startRanking(event)),
    onRerankEnd: listen(({ reports }, event) => reports.endRanking(event)),
    experimental_onDecisionModelCallStart: listen(({ reports }, event) => reports.startDecision(event)),
    experimental_onDecisionModelCallEnd: listen(({ reports }, event) => reports.endDecision(event)),
    onToolExecutionEnd: listen(({ tools }, event) => {
      const id = asString(asObject(event.toolCall)?.toolCallId);
      const output = asObject(event.toolOutput)?.output;
      if (id) tools.get(id)?.end({ value: output });
      if (id) tools.delete(id);
    }, true),
    onStepError: listen(({ call }, { error }) => {
      if (call?.isOpen) call.end(failed(call.failure ? call.failure.thrown : error));
    }, true),
    onEnd,
    experimental_onDecideEnd: onEnd,
    onAbort: listen((_, event) => finish(idOf(event), { aborted: true }), true),
    onError: listen((_, event) => finish(idOf(event), { thrown: event.error }), true),
    executeLanguageModelCall,
    executeTool,
  };
}
