import type { CallSpend } from '../llm/gate.ts';
import type { LlmRequest } from '../llm/provider.ts';
import { readServiceTier } from '../llm/service-tier.ts';
import type { PriceBook } from '../pricing/book.ts';
import { priceUsage } from '../pricing/cost.ts';
import type { LlmUsage } from '../usage.ts';
import { toNano } from './options.ts';
import type { Amount } from './store.ts';

/** What a call may come to. Nano-dollars are `undefined` for a model without a price. */
export interface Estimate {
  readonly nanoUsd: number | undefined;
  readonly tokens: number;
  /** The part that the answer has. */
  readonly output: { readonly nanoUsd: number; readonly tokens: number };
}

/**
 * Bytes of a token at least: English has some four, code three, and of the scripts whose characters have three bytes
 * each is about a token.
 */
const bytesPerToken = 3;
/** Of what is no text, as pictures and sound in base64, which cost less by their length than a text. */
const bytesPerBinaryToken = 32;
/** A text that ends in so many characters of base64 is none; prose of scripts without spaces and JSON have others. */
const binaryLength = 2048;
const base64 = /^[\w+/=-]+$/;
/** Values of what is asked that are looked at. */
const maxValues = 200_000;

/**
 * An estimate before the call: of the input by its length, rather too much; of the output by the call's maximum, else the
 * price table's, else `outputTokens`; by the service tier that is asked for. Pictures behind an address and what a vendor
 * remembers of a conversation are not seen.
 */
export function estimateCall(
  request: LlmRequest,
  body: unknown,
  prices: Pick<PriceBook, 'find'>,
  outputTokens: number,
): Estimate {
  const { provider, model, operation, maxTokens } = request;
  const price = model === undefined ? undefined : prices.find(model, provider);
  const choices = Number(request.parameters?.['gen_ai.request.choice.count'] ?? 1);
  // Some servers take -1 for an answer without a limit.
  const limit = maxTokens !== undefined && maxTokens >= 0 ? maxTokens : undefined;
  const each = limit ?? price?.maxOutputTokens ?? outputTokens;
  const output = operation === 'embed' ? 0 : Math.ceil(each * (choices >= 1 ? choices : 1));
  const input = countTokens(body);
  const cost = price && priceUsage({ input, output }, price, readServiceTier(request));
  return {
    nanoUsd: cost && toNano(cost.totalUsd),
    tokens: toCount(input + output),
    output: { nanoUsd: toNano(cost?.outputUsd ?? 0), tokens: toCount(output) },
  };
}

/** Of a call that only its maker knows: what it says of it, else the tokens at the dearer of the rates. */
export function estimateGiven(
  { provider, model, usd, tokens }: { provider: string; model: string; usd?: number; tokens?: number },
  prices: Pick<PriceBook, 'find'>,
  outputTokens: number,
): Estimate {
  const price = prices.find(model, provider);
  const count = tokens ?? outputTokens;
  const costs = price && [{ input: count }, { output: count }].map((usage) => priceUsage(usage, price)?.totalUsd ?? 0);
  const cost = usd ?? (costs && Math.max(...costs));
  const nanoUsd = cost === undefined ? undefined : toNano(cost);
  return { nanoUsd, tokens: count, output: { nanoUsd: nanoUsd ?? 0, tokens: count } };
}

/** What a call is counted for: what is known of it, and as it was estimated what is not. */
export function toActual({ usage, costUsd }: CallSpend, estimate: Estimate): Amount {
  const whole = { nanoUsd: estimate.nanoUsd ?? 0, tokens: estimate.tokens };
  const cost = costUsd === undefined ? undefined : toNano(costUsd);
  if (!usage) return { nanoUsd: cost ?? whole.nanoUsd, tokens: whole.tokens };
  const { input, output, total } = usage;
  const missing = missingOf(usage, estimate);
  const sum = (input ?? 0) + (output ?? 0) + missing.tokens;
  const tokens =
    total !== undefined ? Math.max(total, sum) : input === undefined && output === undefined ? whole.tokens : sum;
  return {
    nanoUsd: cost === undefined ? whole.nanoUsd : toCount(cost + missing.nanoUsd),
    tokens: toCount(tokens),
  };
}

/** What an answer that has one of the two leaves out, as it was estimated; a total has both. */
function missingOf({ input, output, total }: LlmUsage, { nanoUsd = 0, tokens, output: answer }: Estimate): Amount {
  const isPart = total === undefined && (input === undefined) !== (output === undefined);
  if (!isPart) return { nanoUsd: 0, tokens: 0 };
  return output === undefined ? answer : { nanoUsd: nanoUsd - answer.nanoUsd, tokens: tokens - answer.tokens };
}

/** Tokens of what is asked, rather too many. Cycles and what is neither text, number, list nor plain object are left out. */
export function countTokens(value: unknown): number {
  const seen = new Set<unknown>();
  const queue: unknown[] = [value];
  let tokens = 0;
  for (let left = maxValues; queue.length > 0 && left > 0; left--) {
    const item = queue.pop();
    if (typeof item === 'string') tokens += countText(item);
    else if (typeof item === 'number' || typeof item === 'boolean') tokens += 1;
    else if (ArrayBuffer.isView(item) || item instanceof ArrayBuffer) tokens += item.byteLength / bytesPerBinaryToken;
    else if (typeof item === 'object' && item !== null && !seen.has(item)) {
      seen.add(item);
      if (Array.isArray(item)) for (const inner of item.slice(0, left)) queue.push(inner);
      else for (const name of Object.keys(item)) queue.push(name, read(item, name));
    }
  }
  return Math.ceil(tokens);
}

function countText(text: string): number {
  if (text.length >= binaryLength && base64.test(text.slice(-binaryLength))) return text.length / bytesPerBinaryToken;
  let bytes = text.length;
  // Characters beyond ASCII have two bytes or more; halves of a pair have two each.
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes / bytesPerToken;
}

function read(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function toCount(value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil(value) || 0));
}
