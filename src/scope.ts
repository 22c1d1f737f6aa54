import type { Context } from '@opentelemetry/api';
import { contextOf } from './llm/spans.ts';
import type { Scope } from './telemetry.ts';
import { type ContextView, getScopeAttributes, scopeAttributesKey } from './trace/context.ts';

/** Where spans of a scope belong: its parent, else what is active, with its attributes. */
export function scopeContext(scope: Scope, view: ContextView): Context {
  const context = contextOf(scope.parent, view);
  if (!scope.attributes) return context;
  return context.setValue(scopeAttributesKey, { ...getScopeAttributes(context), ...scope.attributes });
}
