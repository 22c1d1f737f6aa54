import type { Attributes } from '@opentelemetry/api';

/** Deeper arrays and maps become an empty value, as OpenTelemetry's AttributeValueDepthLimit has it. */
const maxDepth = 64;
/** Items of all arrays and maps inside one value; the rest is left out, which also ends what contains itself. */
const maxItems = 10_000;

/**
 * A copy of a value that is safe to keep: strings cut to `maxLength` characters, byte arrays to as many bytes, nested
 * arrays and maps copied, since the application may change them later. `undefined` for what is no attribute value, or
 * throws when it is read.
 * Rule: https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
 */
export function limitValue(value: unknown, maxLength: number): unknown {
  try {
    return isSimpleList(value, maxLength) ? value.slice() : copyValue(value, { maxLength, items: maxItems }, 0);
  } catch {
    return undefined;
  }
}

interface Budget {
  readonly maxLength: number;
  items: number;
}

function copyValue(value: unknown, budget: Budget, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return cut(value, budget.maxLength);
    case 'number':
    case 'boolean':
    case 'bigint':
      return value;
    case 'object':
      return value === null || depth >= maxDepth ? null : copyObject(value, budget, depth + 1);
    default:
      return undefined;
  }
}

function copyObject(value: object, budget: Budget, depth: number): unknown {
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    for (const item of value) {
      if (budget.items-- <= 0) break;
      copy.push(copyValue(item, budget, depth) ?? null);
    }
    return copy;
  }
  if (value instanceof Uint8Array) return value.slice(0, budget.maxLength);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (budget.items-- <= 0) break;
    const item = copyValue((value as Record<string, unknown>)[key], budget, depth);
    if (item !== undefined && isKey(key)) copy[key] = item;
  }
  return copy;
}

/** Cuts by characters without leaving half of a surrogate pair. */
export function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const code = text.charCodeAt(maxLength - 1);
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? maxLength - 1 : maxLength);
}

/** Half a surrogate pair becomes U+FFFD, as on its way over the wire: what differs by that alone is the same there. */
export function toWellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}

/** An assignment to `__proto__` would not make an attribute. Code without types may give any value as a key. */
export function isKey(key: unknown): boolean {
  return typeof key === 'string' && key !== '' && key !== '__proto__';
}

/** Attributes within limits, and how many did not fit. */
export function limitAttributes(
  attributes: Attributes | undefined,
  max: number,
  valueLength: number,
): { attributes: Attributes; dropped: number } {
  const kept: Attributes = {};
  let count = 0;
  let dropped = 0;
  const own = copyAttributes(attributes);
  for (const key in own) {
    const value = limitValue(own[key], valueLength);
    if (value === undefined || !isKey(key)) continue;
    if (count >= max) dropped++;
    else {
      kept[key] = value;
      count++;
    }
  }
  return { attributes: kept, dropped };
}

/** What may be kept as it is. */
export function isSimple(value: unknown, maxLength: number): boolean {
  return typeof value === 'string'
    ? value.length <= maxLength
    : typeof value === 'number' || typeof value === 'boolean';
}

/** Most values that are not simple are a list of those that are. */
function isSimpleList(value: unknown, maxLength: number): value is unknown[] {
  if (!Array.isArray(value) || value.length > maxItems) return false;
  for (let i = 0; i < value.length; i++) if (!isSimple(value[i], maxLength)) return false;
  return true;
}

/**
 * The object's own properties in a new one, which engines copy and walk at a fraction of what reading one by one takes.
 * Getters and proxies of the application may throw; recording does not.
 */
export function copyAttributes(attributes: Attributes | undefined): Attributes {
  if (typeof attributes !== 'object') return {};
  try {
    return { ...attributes };
  } catch {
    return copyReadable(attributes);
  }
}

function copyReadable(attributes: Attributes): Attributes {
  const copy: Attributes = {};
  try {
    for (const key of Object.keys(attributes)) {
      try {
        copy[key] = attributes[key];
      } catch {}
    }
  } catch {}
  return copy;
}
