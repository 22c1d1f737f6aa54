import type { Attributes, Context, Span } from '@opentelemetry/api';
import { TelemetryError } from '../errors.ts';
import { type ContextView, getScopeAttributes, scopeAttributesKey } from './context.ts';
import { setSpan } from './otel-span.ts';

type Report = (error: unknown) => void;

/** Whether a span can be the child of it. */
export function isParent(value: unknown): value is Context | Span {
  return isSpan(value) || typeof (value as Partial<Context> | null | undefined)?.getValue === 'function';
}

function isSpan(value: unknown): value is Span {
  return typeof (value as Partial<Span> | null | undefined)?.spanContext === 'function';
}

/** The context of an explicit parent, be it a span or a context, else the active one, as for what is neither. */
export function contextOf(parent: Context | Span | undefined, view: ContextView, report: Report): Context {
  if (isParent(parent)) return isSpan(parent) ? setSpan(view.active(), parent) : parent;
  const wrong = 'parent is no span and no context: of what came in, `extract(carrier)` makes one';
  if (parent) report(new TelemetryError('invalid_value', wrong, { option: 'parent' }));
  return view.active();
}

/** Where spans of a scope belong: its parent, else what is active, with its attributes. */
export function scopeContext(
  scope: { readonly parent?: Context | Span; readonly attributes?: Attributes },
  view: ContextView,
  report: Report,
): Context {
  const { parent, attributes } = Object(scope) as typeof scope;
  const context = contextOf(parent, view, report);
  if (!attributes) return context;
  return context.setValue(scopeAttributesKey, { ...getScopeAttributes(context), ...attributes });
}
