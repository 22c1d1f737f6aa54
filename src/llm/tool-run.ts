import type { Context, Span } from '@opentelemetry/api';
import { createContextKey } from '../trace/otel-context.ts';

/** A tool's run that is under way. Two may tell of one: a wrapper, and MCP, by which the tool is called or served. */
export interface ToolRun {
  readonly name: string;
  readonly span: Span;
  readonly by: 'wrapper' | 'mcp';
  /** Of MCP: which request it is. */
  readonly requestId?: unknown;
  /** The other one has told its part. */
  claimed?: boolean;
}

const key = /* @__PURE__ */ createContextKey('edgespan tool run');

export function setToolRun(context: Context, run: ToolRun): Context {
  return context.setValue(key, run);
}

export function getToolRun(context: Context): ToolRun | undefined {
  return context.getValue(key) as ToolRun | undefined;
}

/** The run around, where it is the same one told by the other side: once, since a tool may call itself. */
export function claimToolRun(context: Context, name: string, by: ToolRun['by']): ToolRun | undefined {
  const run = getToolRun(context);
  // Frameworks put the server's name before a tool's.
  const isSame = run?.name === name || run?.name.endsWith(`__${name}`);
  if (!run || !isSame || run.by !== by || run.claimed) return undefined;
  run.claimed = true;
  return run;
}
