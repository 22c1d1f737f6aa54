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

const fields: readonly (keyof LlmUsage)[] = [
  'input',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'output',
  'reasoning',
  'total',
  'audioInput',
  'audioCacheRead',
  'audioOutput',
  'webSearches',
  'requests',
];

/** Field by field; one that nobody tells stays unknown. */
export function sumUsage(usages: readonly (LlmUsage | undefined)[]): LlmUsage | undefined {
  const sum: LlmUsage = {};
  for (const usage of usages) {
    for (const field of fields) {
      const count = asNumber(usage?.[field]);
      if (count !== undefined) sum[field] = (sum[field] ?? 0) + count;
    }
  }
  return present(sum);
}

/** Several replies that are one call of the application's: their sum, and what the last one says of itself. */
export function sumReplies(replies: readonly LlmResponse[]): LlmResponse {
  const { costUsd: _, ...last } = replies.at(-1) ?? {};
  const toolCalls = replies.flatMap((reply) => reply.toolCalls ?? []);
  const usage = sumUsage(replies.map((reply) => reply.usage));
  const costs = replies.map((reply) => reply.costUsd).filter((cost) => cost !== undefined);
  const isPriced = costs.length > 0 && costs.length === replies.length;
  return {
    ...last,
    ...(usage && { usage }),
    ...(isPriced && { costUsd: costs.reduce((sum, cost) => sum + cost, 0) }),
    ...(toolCalls.length > 0 && { toolCalls }),
  };
}
