import { asArray, asObject, type Json } from '../../json.ts';
import { toSnake } from '../field-names.ts';

/** So deep does a reply go, as far as it is read. */
const maxDepth = 8;
/** So many objects of a value get new names; what is beyond them keeps its own. */
const maxObjects = 4096;

/** The value with its fields named as on the wire, where an SDK spells them its own way: `promptTokens`. */
export function toSnakeCase(value: unknown): unknown {
  let objects = 0;

  function rename(part: unknown, depth: number): unknown {
    if (depth > maxDepth || objects > maxObjects) return part;
    // Vectors are lists of what has no names.
    if (Array.isArray(part)) return asObject(part[0]) ? part.map((item) => rename(item, depth + 1)) : part;
    const object = asObject(part);
    if (!object || !isPlain(object)) return part;
    objects++;
    return Object.fromEntries(Object.entries(object).map(([name, field]) => [toSnake(name), rename(field, depth + 1)]));
  }

  return isCamelCase(value) ? rename(value, 0) : value;
}

/** JSON is; a date or bytes that an SDK made of it are not. */
function isPlain(object: Json): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

const telling = /[a-z][A-Z]/;

/** Whether an SDK has renamed the fields of a reply, or of a part of a stream: one name of the first few tells. */
export function isCamelCase(value: unknown): boolean {
  const body = asObject(value);
  if (!body) return false;
  const first = asObject(asArray(body.choices)[0]) ?? asObject(asArray(body.outputs)[0]);
  const parts = [body, asObject(body.usage), first, asObject(asObject(body.response)?.usage)];
  return parts.some((part) => part && Object.keys(part).some((name) => telling.test(name)));
}
