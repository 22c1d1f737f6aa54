import type { Attributes, Span, SpanKind } from '@opentelemetry/api';
import { createInvocation } from '../invocation.ts';
import { recordError, runInSpan } from '../llm/run-span.ts';
import type { Parts } from '../parts.ts';
import { spanKind } from '../trace/otel-span.ts';

export interface Task {
  /** Of the task's span; without a name it gets none. */
  readonly name: string | undefined;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly waitUntil?: (promise: Promise<unknown>) => void;
  /** Whether the caller's result waits for the flush, as on queues and cron, where nothing runs afterwards. */
  readonly awaitFlush: boolean;
  readonly call: () => unknown;
}

/** Runs work that is no request as an invocation of its own: one root span, and a flush at its end. */
export function runTask(parts: Parts, task: Task): unknown {
  const { engine, view } = parts;
  if (!engine.enabled) return task.call();
  const invocation = createInvocation(parts, { waitUntil: task.waitUntil });
  const context = invocation.within(view.active());

  function run(): unknown {
    if (task.name === undefined) return view.run(context, task.call);
    const { name, kind = spanKind.internal, attributes = {} } = task;
    const span: Span = engine.tracer.startSpan(name, { kind, attributes }, context);
    return runInSpan(view, context, span, task.call, (ending) => {
      if ('thrown' in ending) recordError(span, ending.thrown);
    });
  }

  if (!task.awaitFlush) return invocation.run(run);
  return (async () => {
    try {
      return await run();
    } finally {
      await invocation.flush().catch(engine.diagnostics.report);
    }
  })();
}
