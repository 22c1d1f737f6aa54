/**
 * The names of the GenAI conventions that two of its versions spell differently; all others are written where they are
 * used. `1.41` is what `@opentelemetry/semantic-conventions` exports and backends read, `latest` the conventions' own
 * repository. https://github.com/open-telemetry/semantic-conventions-genai
 */
export interface SemconvNames {
  readonly isLatest: boolean;
  readonly cacheWriteTokens: string;
  /** What stands before the names of the metrics of inference: chats and the like. */
  readonly inference: string;
}

export type SemconvVersion = '1.41' | 'latest';

export function semconvNames(version: SemconvVersion): SemconvNames {
  const isLatest = version === 'latest';
  return {
    isLatest,
    cacheWriteTokens: `gen_ai.usage.cache_${isLatest ? 'write' : 'creation'}.input_tokens`,
    inference: `gen_ai.client.${isLatest ? 'inference' : 'operation'}`,
  };
}

/** `gen_ai.operation.name` for what a provider's `match` answers. */
export function semconvOperation(operation: string): string {
  switch (operation) {
    case 'stream':
      return 'chat';
    case 'embed':
      return 'embeddings';
    default:
      return operation;
  }
}

const inferences: readonly unknown[] = ['chat', 'generate_content', 'text_completion'];

export function isInference(semconvOperation: unknown): boolean {
  return inferences.includes(semconvOperation);
}

/** `llm.operation`: a streamed chat is a `stream`, and Gemini's content a chat. */
export function llmOperation(operation: string, stream: boolean): string {
  const kind = operation === 'generate_content' ? 'chat' : operation;
  return stream && kind !== 'embed' ? 'stream' : kind;
}

/** The label's values are few: what else a user names counts as `other`. */
export function operationLabel(operation: string): string {
  return operation === 'chat' || operation === 'stream' || operation === 'embed' ? operation : 'other';
}

/** The bounds that the conventions advise: each so many times the one before. */
function grow(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first * factor ** i);
}

/** Seconds of model calls, to 81.92. */
export const durationBuckets = /* @__PURE__ */ grow(0.01, 2, 14);
/** Tokens, to 67,108,864. */
export const tokenBuckets = /* @__PURE__ */ grow(1, 4, 14);
/** Seconds of agents, to 409.6. */
export const agentBuckets = /* @__PURE__ */ grow(0.1, 2, 13);
/** What an agent does in one go, to 128. */
export const callBuckets = /* @__PURE__ */ grow(1, 2, 8);
