import { asArray, asObject, asString, type Json } from '../../json.ts';
import { interactionsContent } from '../content/interactions.ts';
import { fault, readCount, sumCounts } from '../faults.ts';
import type { LlmRequest, LlmResponse, LlmUsage, ProviderRequest, StreamReader } from '../provider.ts';
import type { Format } from './format.ts';
import { describeRequest, parseConfig } from './gemini-address.ts';
import { countAudio, overlay, parseGoogleError } from './gemini-usage.ts';
import { readOutputType } from './parameters.ts';
import { readAskedTier } from './tier.ts';
import { maxItems, present } from './wire.ts';

type ToolCall = { id?: string; name: string };

/** Thoughts stand beside the output, and what tools of Google's gave to the model beside the input. */
function parseUsage(usage: Json): LlmUsage | undefined {
  const input = readCount(usage.total_input_tokens);
  const searches = asArray(usage.grounding_tool_count)
    .map(asObject)
    .filter((tool) => tool?.type === 'google_search');
  return present<LlmUsage>({
    input: input === undefined ? undefined : sumCounts([input, usage.total_tool_use_tokens]),
    cacheRead: readCount(usage.total_cached_tokens),
    output: sumCounts([usage.total_output_tokens, usage.total_thought_tokens]),
    reasoning: readCount(usage.total_thought_tokens),
    total: readCount(usage.total_tokens),
    audioInput: countAudio(usage.input_tokens_by_modality, 'tokens'),
    audioCacheRead: countAudio(usage.cached_tokens_by_modality, 'tokens'),
    audioOutput: countAudio(usage.output_tokens_by_modality, 'tokens'),
    webSearches: sumCounts(searches.map((tool) => tool?.count)),
  });
}

function parseToolCall(value: unknown): ToolCall | undefined {
  const step = asObject(value);
  const name = step?.type === 'function_call' ? asString(step.name) : undefined;
  return name === undefined ? undefined : present({ id: asString(step?.id), name });
}

/** Of an interaction that failed, the first of the errors it lists. */
function parseFailure(body: Json): LlmResponse['error'] {
  return parseGoogleError(body.status === 'failed' ? { error: body.error ?? asArray(body.errors)[0] ?? {} } : body);
}

/** An interaction; `missing` stands for the end that never came. */
function parseInteraction(json: unknown, missing?: string): LlmResponse {
  const body = asObject(Array.isArray(json) ? json[0] : json) ?? {};
  const usage = asObject(body.usage);
  const status = asString(body.status);
  const isRunning = status === 'in_progress' || status === 'queued';
  const reason = isRunning ? missing : (status ?? missing);
  const toolCalls = asArray(body.steps).slice(0, maxItems).map(parseToolCall).filter(isKnown);
  const counts = usage && parseUsage(usage);
  const error = parseFailure(body);
  const isOdd = status === undefined ? !missing : status === 'completed' && lacksFields(body, counts);
  if (!error && isOdd) fault();
  return (
    present<LlmResponse>({
      id: asString(body.id),
      model: asString(body.model),
      usage: counts,
      finishReasons: reason ? [reason] : undefined,
      toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
      attributes: present({ 'edgespan.service_tier': asString(body.service_tier) }),
      error,
    }) ?? {}
  );
}

/** Whether something is missing that is in every interaction that came to its end; what is not stored has no id. */
function lacksFields({ model, agent }: Json, counts: LlmUsage | undefined): boolean {
  const isNamed = (asString(model) ?? asString(agent)) !== undefined;
  return !isNamed || counts?.input === undefined || counts.output === undefined;
}

/** A list that has something in it. */
function list(value: unknown): readonly unknown[] | undefined {
  return asArray(value).length > 0 ? asArray(value) : undefined;
}

function isKnown<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** Rebuilds the interaction that the unstreamed call would have given, without its texts. */
function createReader(): StreamReader {
  let interaction: Json | undefined;
  let usage: Json | undefined;
  let error: LlmResponse['error'];
  const steps = new Map<unknown, Json>();

  function update(value: unknown): void {
    interaction = overlay(interaction, value);
    usage = overlay(usage, asObject(value)?.usage);
  }

  return {
    event({ type, json }) {
      const body = asObject(json) ?? {};
      switch (type ?? body.event_type) {
        case 'interaction.created':
          update(body.interaction);
          return;
        case 'interaction.completed':
          update(body.interaction);
          return 'end';
        case 'interaction.status_update':
          update({ status: body.status, usage: body.usage });
          return;
        case 'step.start': {
          const { type, id, name, content } = asObject(body.step) ?? {};
          if (steps.size < maxItems) steps.set(body.index, { type, id, name });
          return asArray(content).length > 0 ? 'content' : undefined;
        }
        case 'step.delta':
          usage = overlay(usage, asObject(body.metadata)?.total_usage);
          return asObject(body.delta)?.type === 'thought_signature' ? undefined : 'content';
        case 'step.stop':
          usage = overlay(usage, body.usage);
          return;
        case 'error':
          error = parseGoogleError(body);
          return 'end';
      }
    },
    result(isWhole) {
      const whole = interaction && { ...interaction, steps: list(interaction.steps) ?? [...steps.values()], usage };
      return (
        present({
          ...(whole && parseInteraction(whole, isWhole && !error ? undefined : 'error')),
          ...(error && { error }),
        }) ?? {}
      );
    },
  };
}

/** An agent may stand in the place of a model. */
function parseRequest({ body }: ProviderRequest): Partial<LlmRequest> {
  const request = asObject(body);
  const agent = asString(request?.agent);
  const model = asString(request?.model)?.replace(/^models\//, '') ?? agent;
  const previous = asString(request?.previous_interaction_id);
  return describeRequest(model, request?.stream === true, {
    ...parseConfig(request?.generation_config),
    ...readOutputType(request?.response_modalities, request?.response_mime_type),
    ...(previous && { 'gen_ai.request.previous_response.id': previous }),
    ...(agent && { 'gen_ai.agent.name': agent }),
    ...readAskedTier(request ?? {}),
  });
}

/** Google's Interactions API, streamed or not. https://ai.google.dev/api/interactions-api */
export const geminiInteractions: Format = {
  match: (pathname) => (/\/interactions\/?$/.test(pathname) ? 'chat' : undefined),
  request: parseRequest,
  response: (json) => parseInteraction(json),
  stream: createReader,
  content: interactionsContent,
  acceptsItem: (item) => asString(asObject(item)?.event_type)?.startsWith('interaction.') === true,
  accepts(value) {
    const body = asObject(value);
    const isNamed = asString(body?.id) !== undefined || body?.object === 'interaction';
    return isNamed && asString(body?.status) !== undefined && Array.isArray(body?.steps);
  },
};
