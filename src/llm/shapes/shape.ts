import { asNumber } from '../../json.ts';
import type { ContentFormat } from '../content/message.ts';
import type { ItemReader, LlmResponse, LlmUsage, Provider } from '../provider.ts';
import { present } from '../providers/wire.ts';

export interface ShapeOptions {
  readonly name: string;
  readonly priority: number;
  readonly accepts: (value: unknown) => boolean;
  readonly read: (value: unknown) => LlmResponse;
  readonly items?: (first: unknown) => ItemReader | undefined;
  readonly content?: ContentFormat;
}

/** A framework whose values are read, and who is asked at no address. */
/* @__NO_SIDE_EFFECTS__ */
export function createShape({ name, priority, accepts, read, items, content }: ShapeOptions): Provider {
  return {
    name,
    priority,
    isFramework: true,
    match: () => undefined,
    request: () => ({}),
    response: read,
    accepts,
    read,
    ...(items && { items }),
    ...(content && {
      content: { at: () => undefined, of: (value) => (accepts(value) ? content : undefined), all: [content] },
    }),
  };
}

const fields = [
  'input',
  'cacheRead',
  'cacheWrite',
  'output',
  'reasoning',
  'total',
  'audioInput',
  'audioOutput',
] as const;

/** Field by field; one that nobody tells stays unknown. */
export function sumUsage(usages: readonly (LlmUsage | undefined)[]): LlmUsage | undefined {
  const sum: Partial<Record<(typeof fields)[number], number>> = {};
  for (const usage of usages) {
    for (const field of fields) {
      const count = asNumber(usage?.[field]);
      if (count !== undefined) sum[field] = (sum[field] ?? 0) + count;
    }
  }
  return present(sum) as LlmUsage | undefined;
}
