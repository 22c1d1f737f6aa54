/**
 * The names of the GenAI conventions that two of its versions spell differently; all others are written where they are
 * used. `1.41` is what `@opentelemetry/semantic-conventions` exports and backends read, `latest` the conventions' own
 * repository. https://github.com/open-telemetry/semantic-conventions-genai
 */
export interface SemconvNames {
  readonly cacheWriteTokens: string;
  readonly callDuration: string;
  readonly timeToFirstChunk: string;
  readonly timePerOutputChunk: string;
  /** One histogram told apart by `gen_ai.token.type`, or one for each kind. */
  readonly inputTokens: string;
  readonly outputTokens: string;
  readonly tokenType: boolean;
}

export type SemconvVersion = '1.41' | 'latest';

export function semconvNames(version: SemconvVersion): SemconvNames {
  if (version === 'latest') {
    return {
      cacheWriteTokens: 'gen_ai.usage.cache_write.input_tokens',
      callDuration: 'gen_ai.client.inference.duration',
      timeToFirstChunk: 'gen_ai.client.inference.time_to_first_chunk',
      timePerOutputChunk: 'gen_ai.client.inference.time_per_output_chunk',
      inputTokens: 'gen_ai.client.inference.operation.input_tokens',
      outputTokens: 'gen_ai.client.inference.operation.output_tokens',
      tokenType: false,
    };
  }
  return {
    cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
    callDuration: 'gen_ai.client.operation.duration',
    timeToFirstChunk: 'gen_ai.client.operation.time_to_first_chunk',
    timePerOutputChunk: 'gen_ai.client.operation.time_per_output_chunk',
    inputTokens: 'gen_ai.client.token.usage',
    outputTokens: 'gen_ai.client.token.usage',
    tokenType: true,
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

/** `llm.operation`: a streamed chat is a `stream`. */
export function llmOperation(operation: string, stream: boolean): string {
  return stream && operation !== 'embed' ? 'stream' : operation;
}

/** The label's values are few: what else a user names counts as `other`. */
export function operationLabel(operation: string): string {
  return operation === 'chat' || operation === 'stream' || operation === 'embed' ? operation : 'other';
}

/** Seconds; the bounds the conventions advise for durations of model calls. */
export const durationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/** Tokens; the bounds the conventions advise. */
export const tokenBuckets = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
