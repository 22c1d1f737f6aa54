import { ignore, safely } from '../errors.ts';
import { asObject, type Json } from '../json.ts';

/** Where stores, indexes and rerankers keep what they found. */
const lists = [
  'documents',
  'results',
  'matches',
  'hits',
  'data',
  'points',
  'objects',
  'nodes',
  'sourceNodes',
  'source_nodes',
  'source_documents',
  'sourceDocuments',
];
/** One document is a text with this name. */
const texts = ['page_content', 'pageContent'];
/** Lists are looked for so deep: a search engine has its hits in `hits.hits`. */
const maxDepth = 3;

/**
 * How many documents a retrieval found, by the shape of what it returned: a list, a list by one of its usual names, or
 * a single document. `undefined` where nobody can tell.
 */
export function countDocuments(value: unknown, depth = 0): number | undefined {
  if (Array.isArray(value)) return countList(value);
  const object = asObject(value);
  if (!object || depth > maxDepth) return undefined;
  if (texts.some((name) => typeof property(object, name) === 'string')) return 1;
  for (const name of lists) {
    const count = countDocuments(property(object, name), depth + 1);
    if (count !== undefined) return count;
  }
  return undefined;
}

/** The documents that a retrieval found, as `countDocuments` finds them. */
export function listDocuments(value: unknown, depth = 0): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  const object = asObject(value);
  if (!object || depth > maxDepth) return undefined;
  if (texts.some((name) => typeof property(object, name) === 'string')) return [value];
  for (const name of lists) {
    const found = listDocuments(property(object, name), depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** Asked for several questions at once, a store answers a list for each. */
function countList(list: readonly unknown[]): number {
  // A pair of a document and its score is no list of two.
  const isNested = list.length > 0 && list.every((inner) => Array.isArray(inner) && !inner.some(isNumber));
  return isNested ? (list as unknown[][]).reduce((sum, inner) => sum + inner.length, 0) : list.length;
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}

function property(value: Json, name: string): unknown {
  return safely(() => value[name], ignore);
}
