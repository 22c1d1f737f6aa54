import type { Attributes, Context, Span } from '@opentelemetry/api';
import type { ContextStorage } from '../runtime.ts';
import type { OpenStreams } from '../stream/open-streams.ts';
import { createContextKey } from './otel-context.ts';
import { activeHostContext } from './otel-global.ts';

/** Attributes that `with` and `scoped` give to every span started inside. */
export const scopeAttributesKey = /* @__PURE__ */ createContextKey('edgespan scope attributes');
/** Name of the innermost agent. */
export const agentKey = /* @__PURE__ */ createContextKey('edgespan agent');
/** The model-call span that instrumented calls inside belong to. */
export const modelCallKey = /* @__PURE__ */ createContextKey('edgespan model call');
/** The request, queue batch or cron run that this work belongs to. */
export const invocationKey = /* @__PURE__ */ createContextKey('edgespan invocation');
const viewKey = /* @__PURE__ */ createContextKey('edgespan view');

export interface Invocation {
  /** Bodies that are still being read; the flush at the end waits for them. */
  readonly streams: OpenStreams;
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
  readonly server?: ServerMark;
  /** Told who has recorded something: its flush is theirs, too, and past that it asks for another one. */
  recorded(by: { flush(): Promise<unknown> }): void;
}

/** The SERVER span, as far as a framework's middleware knows more of it. */
export interface ServerMark {
  readonly span: Span;
  /** Whose it is: another telemetry has a span of its own. */
  readonly owner: object;
  /** The pattern that the path matched; names span and metric. */
  setRoute(route: string): void;
  /** What a handler threw and the framework has answered. It counts where the answer is a 500 or above. */
  setError(thrown: unknown): void;
}

/** A wrapper around a model call; `counted` once an instrumented call inside has been recorded in its place. */
export interface ModelCallMark {
  counted: boolean;
}

export function getScopeAttributes(context: Context): Attributes | undefined {
  return context.getValue(scopeAttributesKey) as Attributes | undefined;
}

export function getAgent(context: Context): string {
  return (context.getValue(agentKey) as string | undefined) ?? '';
}

export function getInvocation(context: Context): Invocation | undefined {
  return context.getValue(invocationKey) as Invocation | undefined;
}

/** The SERVER span that this owner has open. */
export function getServer(context: Context, owner: object): ServerMark | undefined {
  const server = getInvocation(context)?.server;
  return server?.owner === owner ? server : undefined;
}

export function getModelCall(context: Context): ModelCallMark | undefined {
  return context.getValue(modelCallKey) as ModelCallMark | undefined;
}

interface ViewMark {
  readonly outer: ViewMark | undefined;
}

/** Where the active context is read and set. */
export interface ContextView {
  active(): Context;
  run<T>(context: Context, fn: () => T): T;
  /** A view that starts at this context, for code that no async context reaches. */
  at(context: Context): ContextView;
}

/**
 * A view without a base follows the storage, and where that is empty the context of the host's own OpenTelemetry. One
 * with a base prefers what was started under it and is active now; all else that is active belongs to other work.
 */
export function createContextView(storage: ContextStorage, base?: Context): ContextView {
  const mark = base?.getValue(viewKey) as ViewMark | undefined;

  function active(): Context {
    const stored = storage.get();
    if (!base) return stored ?? activeHostContext();
    return stored && startedUnder(stored.getValue(viewKey) as ViewMark | undefined, mark) ? stored : base;
  }

  return {
    active,
    run: (context, fn) => storage.run(context, fn),
    at(context) {
      const outer = context.getValue(viewKey) as ViewMark | undefined;
      return createContextView(storage, context.setValue(viewKey, { outer } satisfies ViewMark));
    },
  };
}

function startedUnder(mark: ViewMark | undefined, base: ViewMark | undefined): boolean {
  for (let at = mark; at; at = at.outer) if (at === base) return true;
  return false;
}
