import { ignore, safely } from '../errors.ts';
import { asObject, asString, type Json } from '../json.ts';
import type { ItemReader, LlmRequest, LlmResponse, Provider } from './provider.ts';
import { shortProviderName } from './provider-names.ts';

/** SDKs and frameworks hand a reply on inside of one of these. */
const wrappings = ['data', 'response', 'result', 'output', 'raw', 'body', 'message', 'value', 'return_value'];
/** A reply is looked for so deep. */
export const maxUnwraps = 5;
/** Of the arguments so many are looked at. */
const maxArguments = 4;

/**
 * What a returned value says of the call, by its shape: of the value itself or of what it wraps, by the first provider
 * that accepts it, `vendor` before the others. One that tells neither model nor tokens is looked into further.
 * `undefined` where nobody knows it.
 */
export function readValue(
  value: unknown,
  providers: readonly Provider[],
  vendor?: string | undefined,
): LlmResponse | undefined {
  let known: LlmResponse | undefined;
  let level: unknown[] = [value];
  const seen = new Set<unknown>();
  for (let depth = 0; depth <= maxUnwraps && level.length > 0; depth++) {
    for (const candidate of level) {
      seen.add(candidate);
      const response = readOne(candidate, providers, vendor);
      if (!response) continue;
      known = merge(response, known);
      if (response.usage || response.model) return known;
    }
    level = level.flatMap(unwrap).filter((inner) => !seen.has(inner));
  }
  return known;
}

/** What was said of the outer one stays, as far as the inner one does not say it. */
function merge(inner: LlmResponse, outer: LlmResponse | undefined): LlmResponse {
  if (!outer) return inner;
  const attributes = { ...outer.attributes, ...inner.attributes };
  return { ...outer, ...inner, ...(Object.keys(attributes).length > 0 && { attributes }) };
}

function readOne(value: unknown, providers: readonly Provider[], vendor: string | undefined): LlmResponse | undefined {
  if (typeof value !== 'object' || value === null || isLazy(value)) return undefined;
  const provider = select(providers, vendor, (one, isKnown) => safely(() => one.accepts?.(value, isKnown), ignore));
  const response = provider && safely(() => provider.read?.(value), ignore);
  return response && named(response, provider!);
}

/** The reader for what a stream yields, by the first item that tells. */
export function readItems(
  first: unknown,
  providers: readonly Provider[],
  vendor?: string | undefined,
): ItemReader | undefined {
  if (typeof first !== 'object' || first === null) return undefined;
  let reader: ItemReader | undefined;
  const provider = select(providers, vendor, (one, isKnown) => {
    reader = safely(() => one.items?.(first, isKnown), ignore);
    return reader !== undefined;
  });
  return (
    provider && {
      item: (value) => safely(() => reader!.item(value), ignore),
      result: () => named(safely(() => reader!.result(), ignore) ?? {}, provider),
    }
  );
}

/** The vendor itself where it is known, then all in their order. */
function select(
  providers: readonly Provider[],
  vendor: string | undefined,
  isIt: (provider: Provider, isKnown: boolean) => boolean | undefined,
): Provider | undefined {
  const known = vendor === undefined ? undefined : providers.find(({ name }) => name === vendor);
  return known && isIt(known, true) ? known : providers.find((provider) => isIt(provider, false));
}

/** With the name of who read it, where it names nobody itself. */
function named(response: LlmResponse, { name, isFramework }: Provider): LlmResponse {
  return isFramework || response.provider ? response : { ...response, provider: name };
}

/** The AI SDK's result of a stream: to ask for any of its promises is to read the stream. */
export function isLazy(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return safely(() => 'fullStream' in value, ignore) ?? true;
}

/** What a value may have a reply inside of. */
export function unwrap(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || isLazy(value)) return [];
  const inner = Array.isArray(value) ? value.slice(-1) : wrappings.map((name) => field(value, name));
  return inner.filter((item) => typeof item === 'object' && item !== null && !(item instanceof Promise));
}

/** What an object holds itself: a getter may be the start of some work. */
function field(value: object, name: string): unknown {
  return safely(() => Object.getOwnPropertyDescriptor(value, name)?.value as unknown, ignore);
}

/** What a property holds; a getter that throws holds nothing. */
function property(value: Json, name: string): unknown {
  return safely(() => value[name], ignore);
}

const requestFields = ['input', 'params', 'request', 'chatRequest', 'responsesRequest', 'requestBody'];

/** An argument, and what SDKs have the request inside of. */
export function listRequests(argument: Json): Json[] {
  const inner = requestFields.map((name) => asObject(property(argument, name)));
  return [argument, ...inner.filter((part) => part !== undefined)];
}

/** What the arguments of a call tell of it: its model, a guardrail, and who is asked where the model knows. */
export function readArguments(args: readonly unknown[]): Partial<Pick<LlmRequest, 'model' | 'provider' | 'guardrail'>> {
  const found: ReturnType<typeof readArguments> = {};
  for (const argument of args.slice(0, maxArguments)) {
    // Workers AI has the model stand alone: `run('@cf/…', { messages })`.
    if (typeof argument === 'string' && /^@(cf|hf)\//.test(argument)) found.model ??= argument;
    const object = asObject(argument);
    if (!object) continue;
    for (const part of listRequests(object)) Object.assign(found, { ...readAsked(part), ...found });
  }
  return found;
}

function readAsked(object: Json): ReturnType<typeof readArguments> {
  const asked = readModel(object);
  const guardrail = readGuardrail(object);
  return { ...asked, ...(guardrail && { guardrail }) };
}

/** `model` may be a model itself, as with frameworks: that knows whose it is. */
function readModel(object: Json): { model: string; provider?: string } | undefined {
  const model = readModelId(object);
  if (model) return { model };
  const inner = asObject(property(object, 'model'));
  const id = inner && readModelId(inner);
  if (!id) return undefined;
  const provider = asString(property(inner, 'provider'));
  return { model: id, ...(provider && { provider: shortProviderName(provider) }) };
}

function readModelId(object: Json): string | undefined {
  const names = ['model', 'modelId', 'model_id', 'model_name', 'modelName'];
  return names.map((name) => asString(property(object, name))).find(Boolean);
}

function readGuardrail(object: Json): LlmRequest['guardrail'] {
  const config = asObject(property(object, 'guardrailConfig')) ?? object;
  const id = asString(property(config, 'guardrailIdentifier'));
  const version = asString(property(config, 'guardrailVersion'));
  return id ? { id, ...(version && { version }) } : undefined;
}
