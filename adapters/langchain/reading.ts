import { asArray, asNumber, asObject, asString, type Json, parseJson } from '../../src/json.ts';
import type { CallStart } from '../../src/llm/call.ts';
import { isAbort } from '../../src/llm/error-class.ts';
import type { LlmRequest, Provider } from '../../src/llm/provider.ts';
import { semconvNameOf, shortProviderName } from '../../src/llm/provider-names.ts';
import { readParameters, readStops } from '../../src/llm/providers/parameters.ts';
import { readAskedTier } from '../../src/llm/providers/tier.ts';

/** What a run tells of itself at its start, as callbacks hand it on. */
export interface RunInfo {
  readonly id: unknown;
  readonly parent: unknown;
  readonly tags: unknown;
  readonly metadata: unknown;
  readonly name: unknown;
}

/** What a chain is to its user. */
export type ChainKind = 'graph' | 'node' | 'chain' | 'hidden';

/** Where a class comes from: `['langgraph', 'pregel', 'CompiledStateGraph']`. */
function readClass(serialized: unknown): readonly string[] {
  return asArray(asObject(serialized)?.id).filter((part) => typeof part === 'string');
}

export function nameOf(serialized: unknown, { name }: Pick<RunInfo, 'name'>): string {
  return asString(name) ?? asString(asObject(serialized)?.name) ?? readClass(serialized).at(-1) ?? 'unknown';
}

/** What a node is made of, and what graphs do to themselves, is not shown. */
export function kindOf(serialized: unknown, info: RunInfo): ChainKind {
  const tags = asArray(info.tags);
  if (tags.includes('langsmith:hidden')) return 'hidden';
  const [home, part] = readClass(serialized);
  if (home === 'langgraph' && part === 'pregel') return 'graph';
  const node = nodeOf(info);
  if (node === undefined) return 'chain';
  const isStep = tags.some((tag) => typeof tag === 'string' && tag.startsWith('graph:step:'));
  return isStep && node === info.name ? 'node' : 'hidden';
}

export function nodeOf({ metadata }: Pick<RunInfo, 'metadata'>): string | undefined {
  return asString(asObject(metadata)?.langgraph_node);
}

/** The name of an agent, where the run is one. */
export function agentOf(serialized: unknown, info: RunInfo, kind: ChainKind): string | undefined {
  if (kind === 'graph') return info.name === 'LangGraph' ? undefined : asString(info.name);
  return readClass(serialized).at(-1) === 'AgentExecutor' ? nameOf(serialized, info) : undefined;
}

const parameters = {
  temperature: 'temperature',
  top_p: 'top_p',
  topP: 'top_p',
  top_k: 'top_k',
  max_tokens: 'max_tokens',
  max_completion_tokens: 'max_tokens',
  max_output_tokens: 'max_tokens',
  frequency_penalty: 'frequency_penalty',
  presence_penalty: 'presence_penalty',
  seed: 'seed',
};

/** Whom a model asks. Its integration names the vendor; some name the model alone. */
export function readAsked(
  operation: string,
  llm: unknown,
  extra: unknown,
  given: unknown,
  providers: readonly Provider[],
): Pick<CallStart, 'semconvProvider'> & { request: LlmRequest } {
  const metadata = asObject(given) ?? {};
  const invocation = asObject(asObject(extra)?.invocation_params) ?? {};
  const named = asString(metadata.ls_provider);
  const home = readClass(llm);
  const vendor = named ?? (home[1] === 'chat_models' || home[1] === 'llms' ? home[2] : undefined);
  const provider = vendor ? shortProviderName(vendor) : 'unknown';
  const model = [invocation.model, invocation.modelName, invocation.model_name, metadata.ls_model_name].find(asString);
  const maxTokens = asNumber(metadata.ls_max_tokens);
  return {
    semconvProvider: semconvNameOf(provider, providers),
    request: {
      provider,
      model: asString(model),
      operation,
      stream: invocation.stream === true,
      ...(maxTokens !== undefined && { maxTokens }),
      parameters: {
        ...readParameters(invocation, parameters),
        ...readStops(invocation.stop),
        ...readAskedTier(invocation),
      },
    },
  };
}

/** Tools get their input as JSON. */
export function readInput(input: unknown): unknown {
  const text = asString(input);
  return text === undefined ? input : (parseJson(text) ?? text);
}

/** A `ToolMessage`, or whatever a tool answers. */
export function readOutput(output: unknown): unknown {
  const message = asObject(output);
  return message && 'tool_call_id' in message ? message.content : output;
}

/** LangGraph throws these to pause and to go elsewhere: they are no errors. */
export function isControlFlow(thrown: unknown): boolean {
  const error = asObject(thrown) as Json | undefined;
  return (
    error?.is_bubble_up === true ||
    ['GraphInterrupt', 'NodeInterrupt', 'ParentCommand', 'GraphBubbleUp'].includes(String(error?.name))
  );
}

/** The caller gave up. Of some of LangChain's errors the message alone says so. */
export function isLeft(thrown: unknown): boolean {
  const message = asObject(thrown)?.message;
  return isAbort(thrown) || message === 'AbortError' || message === 'Aborted';
}
