import type { LlmUsage } from './provider.ts';

/**
 * Attributes of other tracers: OpenTelemetry's conventions, older and newer, OpenInference, OpenLLMetry, OpenLIT,
 * Langfuse, the AI SDK's own, Anthropic's, and Rastir's.
 */

/** Names by which tracers say one thing; the first that is there holds. */
export type Names = readonly string[];

export const operationNames = [
  'openinference.span.kind',
  'llm.request.type',
  'traceloop.span.kind',
  'langfuse.observation.type',
];
export const toolNames = ['gen_ai.tool.name', 'tool.name', 'traceloop.entity.name'];
export const agentNames = ['gen_ai.agent.name', 'agent.name', 'traceloop.entity.name'];
export const vendorNames = [
  'gen_ai.provider.name',
  'gen_ai.system',
  'ai.model.provider',
  'llm.provider',
  'llm.system',
  'llm.vendor',
];
export const requestModels = [
  'gen_ai.request.model',
  'ai.model.id',
  'llm.model_name',
  'embedding.model_name',
  'llm.request.model',
  'langfuse.observation.model.name',
];
export const responseModels = ['gen_ai.response.model', 'ai.response.model', 'llm.response.model'];
export const serviceTiers = [
  'openai.response.service_tier',
  'gen_ai.openai.response.service_tier',
  'anthropic.response.service_tier',
  'edgespan.service_tier',
];
export const streamed = ['gen_ai.request.stream', 'gen_ai.request.is_stream', 'llm.is_streaming'];
export const finishReasons = [
  'gen_ai.response.finish_reasons',
  'ai.response.finishReason',
  'anthropic.message.stop_reason',
  'llm.finish_reason',
];
export const replyIds = ['gen_ai.response.id', 'ai.response.id'];
export const firstTokenSeconds = ['gen_ai.response.time_to_first_chunk', 'gen_ai.client.operation.time_to_first_chunk'];
export const firstTokenMs = ['ai.response.msToFirstChunk', 'ai.stream.msToFirstChunk'];
export const reckonedCosts = ['gen_ai.usage.cost', 'llm.cost.total'];
export const guardrailIds = ['llm.guardrail.id', 'rastir.guardrail_id'];
export const guardrailActions = ['llm.guardrail.action', 'rastir.guardrail_action'];
export const capturedCalls = ['ai.response.toolCalls', 'gen_ai.output.messages'];
export const usageNames: Readonly<Record<string, Names>> = {
  input: [
    'gen_ai.usage.input_tokens',
    'gen_ai.usage.prompt_tokens',
    'ai.usage.inputTokens',
    'ai.usage.promptTokens',
    'ai.usage.tokens',
    'llm.token_count.prompt',
    'llm.usage.prompt_tokens',
  ],
  output: [
    'gen_ai.usage.output_tokens',
    'gen_ai.usage.completion_tokens',
    'ai.usage.outputTokens',
    'ai.usage.completionTokens',
    'llm.token_count.completion',
    'llm.usage.completion_tokens',
  ],
  total: ['gen_ai.usage.total_tokens', 'ai.usage.totalTokens', 'llm.token_count.total', 'llm.usage.total_tokens'],
  cacheRead: [
    'gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.cache_read_input_tokens',
    'ai.usage.inputTokenDetails.cacheReadTokens',
    'ai.usage.cachedInputTokens',
    'llm.token_count.prompt_details.cache_read',
  ],
  cacheWrite: [
    'gen_ai.usage.cache_write.input_tokens',
    'gen_ai.usage.cache_creation.input_tokens',
    'gen_ai.usage.cache_creation_input_tokens',
    'ai.usage.inputTokenDetails.cacheWriteTokens',
    'llm.token_count.prompt_details.cache_write',
  ],
  cacheWrite1h: ['anthropic.usage.cache_creation.ephemeral_1h_input_tokens'],
  reasoning: [
    'gen_ai.usage.reasoning.output_tokens',
    'gen_ai.usage.reasoning_tokens',
    'ai.usage.outputTokenDetails.reasoningTokens',
    'ai.usage.reasoningTokens',
    'llm.token_count.completion_details.reasoning',
  ],
  audioInput: ['gen_ai.usage.audio.input_tokens', 'llm.token_count.prompt_details.audio'],
  audioCacheRead: ['gen_ai.usage.audio.cache_read.input_tokens'],
  audioOutput: ['gen_ai.usage.audio.output_tokens', 'llm.token_count.completion_details.audio'],
} satisfies Partial<Record<keyof LlmUsage, Names>>;
