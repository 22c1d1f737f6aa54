import type { Attributes, Context, Link, Span } from '@opentelemetry/api';
import { secondsSince } from '../../src/clock.ts';
import { asObject } from '../../src/json.ts';
import { classifyError, type ErrorClass, errorName } from '../../src/llm/error-class.ts';
import { addToolRun, latestCall } from '../../src/llm/frame.ts';
import { recordError } from '../../src/llm/run-span.ts';
import { markOwn } from '../../src/llm/seen-calls.ts';
import { inheritedAttributes } from '../../src/llm/spans.ts';
import { claimToolRun, setToolRun } from '../../src/llm/tool-run.ts';
import { traceRef } from '../../src/llm/trace-ref.ts';
import type { Parts } from '../../src/parts.ts';
import { getAgent } from '../../src/trace/context.ts';
import { getSpanContext, setSpan, spanKind, statusError } from '../../src/trace/otel-span.ts';
import { durationsOf } from './durations.ts';
import { describeRequest, type Outcome, type RpcError, type RpcRequest } from './message.ts';
import { taskRunsOf } from './task-runs.ts';

/** A request that is under way, as one of its sides sees it. */
export interface Operation {
  /** For what is done on its behalf. */
  readonly context: Context;
  /** Once. */
  end(outcome: Outcome): void;
}

export interface OperationStart {
  readonly side: 'client' | 'server';
  readonly request: RpcRequest;
  readonly context: Context;
  readonly links?: Link[];
  readonly connection: { readonly attributes: Attributes; readonly metric: Attributes };
}

/** Codes that tell of the caller's mistake: to a server that answers so, nothing has gone wrong. */
const callersFault: readonly unknown[] = [-32700, -32600, -32601, -32602, -32002];

/** What came of a request. `type` is the conventions' `error.type`. */
interface Ending {
  readonly type?: string;
  readonly class?: ErrorClass;
  readonly message?: string | undefined;
  readonly code?: number | undefined;
}

/**
 * Starts the span of a request and, of a tool call, all that is told of a tool's run. Where a wrapper tells of that run
 * already, its span gets what MCP knows.
 */
export function startOperation(parts: Parts, start: OperationStart): Operation {
  const { engine } = parts;
  const { side, request, connection } = start;
  const { clock, instruments, recorder } = engine;
  const described = describeRequest(request);
  const { tool } = described;
  const remote = side === 'client';
  const run = { name: tool ?? '', by: 'wrapper', input: request.params.arguments } as const;
  const outer = tool !== undefined && remote ? claimToolRun(start.context, run) : undefined;
  const attributes = { ...described.attributes, ...connection.attributes, remote };
  const agent = getAgent(start.context);
  const asked = latestCall(start.context);
  const span = outer?.span ?? startSpan(parts, start, described.name, attributes);
  if (outer) span.setAttributes(attributes);
  const said = tool !== undefined && !outer ? followArguments(parts, span, request) : undefined;
  const parent = getSpanContext(start.context);
  // In memory both sides are ours: the caller, who knows the agent, counts.
  const isCounted = !remote && recorder.seen.isCovered(parent, served);
  if (remote) recorder.seen.cover(span.spanContext(), served);
  const inside = setSpan(start.context, span);
  const isRun = tool !== undefined && !outer;
  const startedAt = clock.monotonic();
  let ended = false;

  function end(outcome: Outcome): void {
    if (ended) return;
    ended = true;
    const ending = readEnding(side, outcome);
    const seconds = secondsSince(startedAt, clock.monotonic);
    tell(span, outcome, ending);
    said?.end('result' in outcome ? outcome.result : undefined);
    if (!outer) span.end();
    const { type: errorType, code } = ending;
    durationsOf(engine.registry, engine.options.metrics?.buckets)[side].recordTo(
      seconds,
      {
        ...described.metric,
        ...connection.metric,
        ...(errorType && { 'error.type': errorType }),
        ...(code !== undefined && { 'rpc.response.status_code': String(code) }),
      },
      traceRef(span),
    );
    const tasks = taskRunsOf(engine, side);
    tasks.follow(request, outcome);
    // Asked for more, the client calls again: the tool has run once it answers.
    if (!isRun || isCounted || isUnfinished(outcome)) return;
    addToolRun(start.context);
    if (!tasks.take(outcome, count)) count(outcome);
  }

  function count(outcome: Outcome): void {
    const { type: errorType, class: error } = readEnding(side, outcome);
    const { provider = '', model = '', semconvProvider } = asked ?? {};
    instruments.span({
      type: 'tool',
      tool: tool!,
      seconds: secondsSince(startedAt, clock.monotonic),
      agent,
      error,
      errorType,
      provider,
      model,
      semconvProvider,
      trace: traceRef(span),
    });
  }

  const context = isRun ? setToolRun(inside, { name: tool!, span, by: 'mcp', requestId: request.id }) : inside;
  return { context, end };
}

const served = 'mcp';

function startSpan(
  { engine }: Parts,
  { side, context, links = [], request }: OperationStart,
  name: string,
  own: Attributes,
): Span {
  const { dialect, tool } = { dialect: engine.spanDialect, tool: own['gen_ai.tool.name'] };
  const agent = getAgent(context);
  const asked = latestCall(context);
  const isTool = own['gen_ai.operation.name'] !== undefined;
  const attributes = {
    ...(isTool && inheritedAttributes(agent, asked, engine.legacyAttributes)),
    ...own,
    ...dialect.attributes?.start(isTool ? 'tool' : 'infra', {
      ...(tool !== undefined && { tool_name: tool }),
      agent,
      model: asked?.model ?? '',
      ...(asked && { provider: dialect.attributes.provider(asked.provider, asked.model) }),
      remote: String(own.remote),
    }),
  };
  const called = side === 'server' ? `mcpserver:${String(tool)}` : String(tool);
  const shown = dialect.workName(name, isTool && tool !== undefined ? called : request.method);
  const span = engine.tracer.startSpan(shown, { kind: spanKind[side], attributes, links }, context);
  markOwn(span);
  return span;
}

function followArguments({ engine }: Parts, span: Span, { params }: RpcRequest) {
  return engine.recorder.content.followSpan(span, 'tool', [params.arguments], undefined);
}

function readEnding(side: OperationStart['side'], outcome: Outcome): Ending {
  if ('thrown' in outcome) {
    const { thrown } = outcome;
    return { type: errorName(thrown), class: classifyError({ thrown }) };
  }
  if ('left' in outcome) return outcome.left === 'timeout' ? { type: 'timeout', class: 'timeout' } : {};
  if ('error' in outcome) return readError(side, outcome.error);
  return asObject(outcome.result)?.isError === true ? { type: 'tool_error', class: 'unknown' } : {};
}

function readError(side: OperationStart['side'], { code, message }: RpcError): Ending {
  const isCallers = callersFault.includes(code);
  if (side === 'server' && isCallers) return { code };
  const kind = isCallers ? 'validation_error' : code === -32603 ? 'internal_error' : 'provider_error';
  return { code, message, type: code === undefined ? '_OTHER' : String(code), class: kind };
}

function tell(span: Span, outcome: Outcome, { type, class: error, message, code }: Ending): void {
  if ('thrown' in outcome) recordError(span, outcome.thrown);
  if ('left' in outcome && !type) span.setAttribute('edgespan.aborted', true);
  if (code !== undefined) span.setAttribute('rpc.response.status_code', String(code));
  if (!type) return;
  span.setAttributes({ 'error.type': type, ...(error && { 'edgespan.error_class': error }) });
  if (!('thrown' in outcome)) span.setStatus({ code: statusError, ...(message && { message }) });
}

function isUnfinished(outcome: Outcome): boolean {
  return 'result' in outcome && asObject(outcome.result)?.resultType === 'input_required';
}
