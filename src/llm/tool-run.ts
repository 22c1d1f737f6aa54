import type { Context, Span } from '@opentelemetry/api';
import { ignore, safely } from '../errors.ts';
import { createContextKey } from '../trace/otel-context.ts';
import { getPlaceMark, type PlaceMark } from '../trace/placed-context.ts';

/** A tool's run that is under way. Two may tell of one: a wrapper, and MCP, by which the tool is called or served. */
export interface ToolRun {
  readonly name: string;
  readonly span: Span;
  readonly by: 'wrapper' | 'mcp';
  /** Of MCP: which request it is. */
  readonly requestId?: unknown;
  /** What the tool is given, of one that is announced: several may run at once. */
  input?: unknown;
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

/** Runs that a framework has announced, by the work around them, which may be all that it knows while they run. */
const announced = /* @__PURE__ */ new WeakMap<PlaceMark, Set<ToolRun>>();
/** Runs that are announced in one work. */
const maxAnnounced = 1000;

/** Answers how to take it back. */
export function announceToolRun(around: Context, run: ToolRun, input: unknown): () => void {
  const mark = getPlaceMark(around);
  const runs = mark && (announced.get(mark) ?? new Set());
  if (!mark || !runs || runs.size >= maxAnnounced) return () => {};
  run.input = input;
  announced.set(mark, runs.add(run));
  return () => void runs.delete(run);
}

/** The run around, where it is the same one told by the other side: once, since a tool may call itself. */
export function claimToolRun(
  context: Context,
  { name, by, input }: Pick<ToolRun, 'name' | 'by' | 'input'>,
): ToolRun | undefined {
  // Frameworks put the server's name before a tool's.
  const isSame = (run: ToolRun) => run.name === name || run.name.endsWith(`__${name}`);
  const isOpen = (run: ToolRun) => run.by === by && !run.claimed && isSame(run);
  const own = getToolRun(context);
  const mark = getPlaceMark(context);
  const others = (mark && [...(announced.get(mark) ?? [])].filter(isOpen)) ?? [];
  const run = own && isOpen(own) ? own : (others.find((other) => isAlike(other.input, input)) ?? others[0]);
  if (run) run.claimed = true;
  return run;
}

function isAlike(one: unknown, other: unknown): boolean {
  return safely(() => JSON.stringify(one) === JSON.stringify(other), ignore) === true;
}
