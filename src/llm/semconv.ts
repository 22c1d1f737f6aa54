/**
 * The names of the GenAI conventions that two of its versions spell differently; all others are written where they are
 * used. `1.41` is what `@opentelemetry/semantic-conventions` exports and backends read, `latest` the conventions' own
 * repository. https://github.com/open-telemetry/semantic-conventions-genai
 */
export interface SemconvNames {
  readonly cacheWriteTokens: string;
  /** Of inference: chats and the like. */
  readonly callDuration: string;
  /** Of all other operations that ask somebody: embeddings, retrievals. */
  readonly otherDuration: string;
  readonly timeToFirstChunk: string;
  readonly timePerOutputChunk: string;
  /** One histogram told apart by `gen_ai.token.type`, or one for each kind. */
  readonly inputTokens: string;
  readonly outputTokens: string;
  readonly tokenType: boolean;
  /** What stands before the names of token counters, where there are such; inference has names of its own then. */
  readonly usage: string | undefined;
  readonly agentDuration: string | undefined;
  readonly toolDuration: string | undefined;
}

export type SemconvVersion = '1.41' | 'latest';

export function semconvNames(version: SemconvVersion): SemconvNames {
  if (version === 'latest') {
    return {
      cacheWriteTokens: 'gen_ai.usage.cache_write.input_tokens',
      callDuration: 'gen_ai.client.inference.duration',
      otherDuration: 'gen_ai.client.operation.duration',
      timeToFirstChunk: 'gen_ai.client.inference.time_to_first_chunk',
      timePerOutputChunk: 'gen_ai.client.inference.time_per_output_chunk',
      inputTokens: 'gen_ai.client.inference.operation.input_tokens',
      outputTokens: 'gen_ai.client.inference.operation.output_tokens',
      tokenType: false,
      usage: 'gen_ai.client.inference.usage',
      agentDuration: 'gen_ai.invoke_agent.duration',
      toolDuration: 'gen_ai.execute_tool.duration',
    };
  }
  return {
    cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
    callDuration: 'gen_ai.client.operation.duration',
    otherDuration: 'gen_ai.client.operation.duration',
    timeToFirstChunk: 'gen_ai.client.operation.time_to_first_chunk',
    timePerOutputChunk: 'gen_ai.client.operation.time_per_output_chunk',
    inputTokens: 'gen_ai.client.token.usage',
    outputTokens: 'gen_ai.client.token.usage',
    tokenType: true,
    usage: undefined,
    agentDuration: undefined,
    toolDuration: undefined,
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

/** Seconds; the bounds the conventions advise for durations of model calls. */
export const durationBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/** Tokens; the bounds the conventions advise. */
export const tokenBuckets = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
/** Seconds; the bounds the conventions advise for agents. */
export const agentBuckets = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6];
