import type { Attributes } from '@opentelemetry/api';

/** Deeper arrays and maps become an empty value, as OpenTelemetry's AttributeValueDepthLimit has it. */
const maxDepth = 64;

/**
 * A copy of a value that is safe to keep: strings cut to `maxLength` characters, byte arrays to as many bytes, nested
 * arrays and maps copied, since the application may change them later. `undefined` for what is no attribute value.
 * Rule: https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
 */
export function limitValue(value: unknown, maxLength: number, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return value.length <= maxLength ? value : cut(value, maxLength);
    case 'number':
    case 'boolean':
    case 'bigint':
      return value;
    case 'object':
      return value === null ? null : limitObject(value, maxLength, depth);
    default:
      return undefined;
  }
}

function limitObject(value: object, maxLength: number, depth: number): unknown {
  if (depth >= maxDepth) return null;
  if (value instanceof Uint8Array) return value.slice(0, maxLength);
  if (Array.isArray(value)) return value.map((item) => limitValue(item, maxLength, depth + 1) ?? null);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const limited = limitValue(item, maxLength, depth + 1);
    if (limited !== undefined) copy[key] = limited;
  }
  return copy;
}

/** Cuts by characters without leaving half of a surrogate pair. */
export function cut(text: string, maxLength: number): string {
  const code = text.charCodeAt(maxLength - 1);
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? maxLength - 1 : maxLength);
}

/** Attributes within limits, and how many did not fit. */
export function limitAttributes(
  attributes: Attributes | undefined,
  limits: { attributesPerSpan: number; valueLength: number },
): { attributes: Attributes; dropped: number } {
  const kept: Attributes = {};
  let count = 0;
  let dropped = 0;
  for (const key in attributes) {
    const value = readProperty(attributes, key, limits.valueLength);
    if (value === undefined || key === '') continue;
    if (count >= limits.attributesPerSpan) dropped++;
    else {
      kept[key] = value;
      count++;
    }
  }
  return { attributes: kept, dropped };
}

/** Getters and proxies of the application may throw; recording does not. */
function readProperty(attributes: Attributes, key: string, maxLength: number): unknown {
  try {
    return limitValue(attributes[key], maxLength);
  } catch {
    return undefined;
  }
}
