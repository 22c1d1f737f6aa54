import { safely } from '../errors.ts';
import { asObject, asString, type Json } from '../json.ts';
import type { LlmRequest, LlmResponse, Provider } from './provider.ts';

/** SDKs and frameworks hand a reply on inside of one of these. */
const wrappings = ['data', 'response', 'result', 'output', 'raw', 'body', 'message', 'value', 'return_value'];
/** A reply is looked for so deep. */
const maxUnwraps = 5;
/** Of the arguments so many are looked at. */
const maxArguments = 4;

const ignore = () => {};

/**
 * What a returned value says of the call, by its shape: of the value itself or of what it wraps, by the first provider
 * that accepts it. `undefined` where nobody knows it.
 */
export function readValue(value: unknown, providers: readonly Provider[]): LlmResponse | undefined {
  let level: unknown[] = [value];
  const seen = new Set<unknown>();
  for (let depth = 0; depth <= maxUnwraps && level.length > 0; depth++) {
    for (const candidate of level) {
      const provider = providers.find((one) => safely(() => one.accepts?.(candidate), ignore));
      const response = provider && safely(() => provider.read?.(candidate), ignore);
      if (response) return { ...response, provider: response.provider ?? provider!.name };
      seen.add(candidate);
    }
    level = level.flatMap(unwrap).filter((inner) => !seen.has(inner));
  }
  return undefined;
}

function unwrap(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  const inner = Array.isArray(value) ? value.slice(-1) : wrappings.map((name) => property(value as Json, name));
  return inner.filter((item) => typeof item === 'object' && item !== null && !(item instanceof Promise));
}

/** What a property holds; a getter that throws holds nothing. */
function property(value: Json, name: string): unknown {
  return safely(() => value[name], ignore);
}

/** What the arguments of a call tell of it: its model, a guardrail, and who is asked where the model knows. */
export function readArguments(args: readonly unknown[]): Partial<Pick<LlmRequest, 'model' | 'provider' | 'guardrail'>> {
  const objects = args.slice(0, maxArguments).flatMap((argument) => {
    const object = asObject(argument);
    const inner = object && ['input', 'params', 'request'].map((name) => asObject(property(object, name)));
    return object ? [object, ...inner!] : [];
  });
  const found: ReturnType<typeof readArguments> = {};
  for (const object of objects) {
    if (!object) continue;
    const model = readModel(object);
    if (model) found.model ??= model;
    const guardrail = readGuardrail(object);
    if (guardrail) found.guardrail ??= guardrail;
  }
  return found;
}

/** `model` may be a model itself, as with frameworks. */
function readModel(object: Json): string | undefined {
  for (const name of ['model', 'modelId', 'model_id', 'model_name', 'modelName']) {
    const value = property(object, name);
    const inner = asObject(value);
    const id = asString(value) ?? (inner && name === 'model' ? readModel(inner) : undefined);
    if (id) return id;
  }
  return undefined;
}

function readGuardrail(object: Json): LlmRequest['guardrail'] {
  const config = asObject(property(object, 'guardrailConfig')) ?? object;
  const id = asString(property(config, 'guardrailIdentifier'));
  const version = asString(property(config, 'guardrailVersion'));
  return id ? { id, ...(version && { version }) } : undefined;
}
