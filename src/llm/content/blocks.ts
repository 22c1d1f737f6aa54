import { asNumber, type Json } from '../../json.ts';
import { ellipsis } from './clean.ts';
import { maxItems } from './message.ts';

/** Characters of all texts of one streamed reply. */
export const maxReplyText = 1024 * 1024;

/** The blocks of a message that come piece by piece, rebuilt as the unstreamed reply has them. */
export interface Blocks {
  /** The block of a key, made where it is new; one that is too many is seen by nobody. */
  get(key: unknown): Json;
  /** Adds to a text of a block, up to its bound. */
  append(key: unknown, field: string, text: unknown): void;
  clear(): void;
  /** In the order of their numbers, else in the order they came. */
  list(): Json[];
}

export function createBlocks(maxText: number): Blocks {
  const blocks = new Map<unknown, Json>();
  let left = Math.max(maxReplyText, maxText);

  function get(key: unknown): Json {
    const block = blocks.get(key) ?? {};
    if (blocks.size < maxItems) blocks.set(key, block);
    return block;
  }

  return {
    get,
    append(key, field, text) {
      const block = get(key);
      if (typeof text !== 'string') return;
      const known = typeof block[field] === 'string' ? block[field] : '';
      const more = text.slice(0, Math.max(0, maxText - known.length));
      left -= more.length;
      // Half of a JSON text would keep what it should not from those who know names.
      block[field] = left < 0 ? ellipsis : known + more;
    },
    clear: () => blocks.clear(),
    list: () => [...blocks].sort(([a], [b]) => (asNumber(a) ?? 0) - (asNumber(b) ?? 0)).map(([, block]) => block),
  };
}
