import type { Json } from '../json.ts';

/** `prompt_tokens` of `promptTokens`; what has no capitals stays as it is. */
export function toSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toCamel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A field by its name, or by the same in the other spelling, which vendors take and SDKs have: `topK`, `top_k`. */
export function pick(fields: Json | undefined, name: string): unknown {
  return fields?.[name] ?? fields?.[name.includes('_') ? toCamel(name) : toSnake(name)];
}
