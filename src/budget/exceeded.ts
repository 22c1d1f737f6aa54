import { TelemetryError } from '../errors.ts';
import { asNumber, asObject, asString, type Json, parseJson } from '../json.ts';
import type { BudgetLimit, BudgetRefusal, CircuitState, RefusalReason } from './options.ts';
import type { BudgetWindow } from './window.ts';

/**
 * A call that no budget was left for. Wrappers, adapters and `budget.guard` throw it. An SDK whose `fetch` was refused
 * throws an error of its own, behind which `from` finds it.
 *
 * @example
 * try { await openai.responses.create(request) } catch (error) {
 *   const exceeded = BudgetExceededError.from(error);
 *   if (!exceeded) throw error;
 *   return new Response(exceeded.message, { status: 402 }); // exceeded.refusal.resetsAt says until when
 * }
 */
export class BudgetExceededError extends TelemetryError {
  override readonly name: string = 'BudgetExceededError';
  readonly refusal: BudgetRefusal;

  constructor(refusal: BudgetRefusal) {
    super('budget_exceeded', describe(refusal));
    this.refusal = refusal;
  }

  /** The refusal behind an error of an SDK; `undefined` where it failed for another reason. Never throws. */
  static from(error: unknown): BudgetExceededError | undefined {
    try {
      return find(error);
    } catch {
      // A proxy may throw whatever it is asked.
      return undefined;
    }
  }
}

/** What `fetch` answers in the place of the vendor: a status that no SDK tries again. */
export function refusalResponse({ message, refusal }: BudgetExceededError): Response {
  const { limit, resetsAt, ...rest } = refusal;
  const { key: _key, ...plain } = limit;
  const budget = { ...rest, limit: plain, resetsAt: resetsAt?.toISOString() ?? null };
  const error = { code: 'budget_exceeded', type: 'budget_exceeded', message, budget };
  return Response.json({ error }, { status: 402, headers: { 'x-should-retry': 'false' } });
}

function describe({ limit, key, spent, requested, resetsAt, circuit, reason }: BudgetRefusal): string {
  const whose = key === '' ? '' : ` of ${key.length > 60 ? `${key.slice(0, 60)}…` : key}`;
  const name = `budget ${JSON.stringify(limit.name ?? limit.window ?? 'session')}${whose}`;
  const until = resetsAt ? `; it resets at ${resetsAt.toISOString()}` : '';
  if (reason === 'unpriced') {
    const remedies = 'add its model to `prices`, give its body as text and no stream, or set budget.unpriced';
    return `${name} is in USD, and the call has no price: ${remedies}`;
  }
  if (reason === 'store') return `${name} could not be looked up: its store failed, or gave no answer in time`;
  if (reason === 'key') return `${name} could not tell whom the call counts for`;
  const parts = [
    limit.usd !== undefined &&
      `${dollars(spent.usd)} of ${dollars(limit.usd)} are spent, ${dollars(requested.usd)} asked for`,
    limit.tokens !== undefined && `${spent.tokens} of ${limit.tokens} tokens are spent, ${requested.tokens} asked for`,
  ].filter(Boolean);
  const wait = circuit === 'closed' ? '' : `; its circuit is ${circuit.replace('_', ' ')}`;
  return `${name} of a ${limit.window ?? 'session'} is exceeded: ${parts.join('; ')}${until}${wait}`;
}

function dollars(usd: number): string {
  return `$${Number(usd.toFixed(9))}`;
}

/** Where SDKs keep what made them fail. */
const places = ['cause', 'lastError', 'error', 'errors', 'data', 'body', 'responseBody', 'rawResponse', 'message'];
/** Values that are looked at, and characters of a text. */
const maxValues = 200;
const maxText = 64 * 1024;

function find(error: unknown): BudgetExceededError | undefined {
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  for (let at = 0; at < queue.length && at < maxValues; at++) {
    const value = queue[at];
    if (value instanceof BudgetExceededError) return value;
    if (typeof value === 'string') queue.push(parseInside(value));
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const refusal = readRefusal(value);
    if (refusal) return new BudgetExceededError(refusal);
    if (Array.isArray(value)) queue.push(...value.slice(0, maxValues));
    else queue.push(...places.map((name) => read(value, name)));
  }
  return undefined;
}

/** The JSON in a text such as `402 {"error":…}`. */
function parseInside(text: string): unknown {
  const start = text.indexOf('{');
  if (start < 0 || text.length > maxText) return undefined;
  return parseJson(text.slice(start)) ?? parseJson(text.slice(start, text.lastIndexOf('}') + 1));
}

/** A property of whatever it is. */
function read(value: object, name: string): unknown {
  try {
    return (value as Json)[name];
  } catch {
    return undefined;
  }
}

/** As `refusalResponse` writes it, and as an error of another copy of this library has it. */
function readRefusal(value: object): BudgetRefusal | undefined {
  if (read(value, 'code') !== 'budget_exceeded') return undefined;
  const given = asObject(read(value, 'budget') ?? read(value, 'refusal'));
  const limit = asObject(given?.limit);
  if (!given || !limit) return undefined;
  const resetsAt = given.resetsAt instanceof Date ? given.resetsAt : new Date(asString(given.resetsAt) ?? Number.NaN);
  return {
    limit: readLimit(limit),
    key: asString(given.key) ?? '',
    spent: readAmount(given.spent),
    requested: readAmount(given.requested),
    resetsAt: Number.isNaN(resetsAt.getTime()) ? undefined : resetsAt,
    circuit: (asString(given.circuit) as CircuitState | undefined) ?? 'closed',
    reason: (asString(given.reason) as RefusalReason | undefined) ?? 'limit',
  };
}

function readLimit({ name, usd, tokens, window }: Json): BudgetLimit {
  return {
    ...(asString(name) !== undefined && { name: asString(name)! }),
    ...(asNumber(usd) !== undefined && { usd: asNumber(usd)! }),
    ...(asNumber(tokens) !== undefined && { tokens: asNumber(tokens)! }),
    ...(asString(window) !== undefined && { window: asString(window) as BudgetWindow }),
  };
}

function readAmount(value: unknown): { usd: number; tokens: number } {
  const { usd, tokens } = asObject(value) ?? {};
  return { usd: asNumber(usd) ?? 0, tokens: asNumber(tokens) ?? 0 };
}
