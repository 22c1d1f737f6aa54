import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, type Json } from '../../json.ts';

/** Stop sequences kept of one request. */
const maxStops = 16;

/** `gen_ai.request.*` of the numbers that a request has: the vendor's names, each with the convention's. */
export function readParameters(request: Json, names: Readonly<Record<string, string>>): Attributes {
  const parameters: Attributes = {};
  for (const [field, name] of Object.entries(names)) {
    const value = asNumber(request[field]);
    if (value !== undefined) parameters[`gen_ai.request.${name}`] = value;
  }
  return parameters;
}

/** The sequences that end an answer, one or several, as the attribute that they are. */
export function readStops(value: unknown): Attributes {
  const stops = (typeof value === 'string' ? [value] : asArray(value)).filter((stop) => typeof stop === 'string');
  return stops.length > 0 ? { 'gen_ai.request.stop_sequences': stops.slice(0, maxStops) } : {};
}

const outputTypes = { speech: /audio/i, image: /image/i, json: /json|object/i, text: /text/i };

/** `gen_ai.output.type` by what a request says of the answer's form: names of it, lists of them, formats with a type. */
export function readOutputType(...wishes: readonly unknown[]): Attributes {
  const said = wishes.flat().map((wish) => asObject(wish)?.type ?? wish);
  const [type] = Object.entries(outputTypes).find(([, words]) => words.test(said.join())) ?? [];
  return type ? { 'gen_ai.output.type': type } : {};
}
