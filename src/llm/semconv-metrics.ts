import type { Attributes } from '@opentelemetry/api';
import type { TraceRef } from '../metrics/instrument.ts';
import type { NumberInstrument } from '../metrics/number.ts';
import type { Registry } from '../metrics/registry.ts';
import type { CallOutcome, WorkOutcome } from './instruments.ts';
import type { LlmUsage } from './provider.ts';
import { agentBuckets, callBuckets, durationBuckets, isInference, type SemconvNames, tokenBuckets } from './semconv.ts';

/** The metrics of the GenAI conventions, by the names of one of their versions. */
export interface SemconvMetrics {
  call(outcome: CallOutcome): void;
  /** `attributes` are the same object for all chunks of a call. */
  chunk(seconds: number, attributes: Attributes, trace: TraceRef | null): void;
  /** What is no model call: only the latest version has a word for it. */
  work(done: WorkOutcome): void;
}

/** `sender` is on all of them, of a collector that many send to. */
export function createSemconvMetrics(
  registry: Registry,
  { isLatest, inference: prefix }: SemconvNames,
  buckets: Readonly<Record<string, readonly number[]>>,
  sender?: Attributes,
): SemconvMetrics {
  function histogram(name: string, unit: string, bounds: readonly number[], help: string) {
    return registry.defineHistogram(name, [], { help, unit, buckets: buckets[name] ?? bounds });
  }
  const seconds = (name: string, help: string) => histogram(name, 's', durationBuckets, help);

  /** One histogram told apart by `gen_ai.token.type`, or one for each kind. */
  const tokens = (type: string) => {
    const name = isLatest ? `${prefix}.operation.${type}_tokens` : 'gen_ai.client.token.usage';
    return histogram(name, '{token}', tokenBuckets, 'Tokens used.');
  };
  const calls = (kind: string) =>
    histogram(`gen_ai.invoke_agent.${kind}_calls`, `{${kind}_call}`, callBuckets, 'Calls of an agent.');

  const inference = seconds(`${prefix}.duration`, 'GenAI operation duration.');
  const otherwise = seconds('gen_ai.client.operation.duration', 'GenAI operation duration.');
  const firstChunk = seconds(`${prefix}.time_to_first_chunk`, 'Time to the first chunk.');
  const perChunk = seconds(`${prefix}.time_per_output_chunk`, 'Time per chunk after the first.');
  const inputTokens = tokens('input');
  const outputTokens = tokens('output');
  const latest = isLatest && {
    countTokens: createUsageCounters(registry, `${prefix}.usage`),
    agent: histogram('gen_ai.invoke_agent.duration', 's', agentBuckets, 'Duration of an agent.'),
    inferenceCalls: calls('inference'),
    toolCalls: calls('tool'),
    tool: seconds('gen_ai.execute_tool.duration', 'Duration of a tool.'),
  };
  const chunkRecorders = new WeakMap<Attributes, ReturnType<typeof perChunk.bind>>();

  function recordUsage(used: LlmUsage, attributes: Attributes, trace: TraceRef | null): void {
    const { input, output } = used;
    const typed = (type: string) => (isLatest ? attributes : { ...attributes, 'gen_ai.token.type': type });
    if (input !== undefined) inputTokens.recordTo(input, typed('input'), trace);
    if (output !== undefined) outputTokens.recordTo(output, typed('output'), trace);
    if (latest) latest.countTokens(used, attributes, trace);
  }

  return {
    call({ attributes: given, errorType, seconds, firstTokenSeconds, usage, counted, trace }) {
      const attributes = sender ? { ...given, ...sender } : given;
      const isKnownWord = !isLatest || isInference(attributes['gen_ai.operation.name']);
      const failed = errorType ? { ...attributes, 'error.type': errorType } : attributes;
      if (!counted) (isKnownWord ? inference : otherwise).recordTo(seconds, failed, trace);
      // The latest version counts the tokens and chunks of inference alone.
      if (!isKnownWord) return;
      if (firstTokenSeconds !== undefined) firstChunk.recordTo(firstTokenSeconds, attributes, trace);
      if (usage) recordUsage(usage, attributes, trace);
    },
    chunk(seconds, attributes, trace) {
      let record = chunkRecorders.get(attributes);
      if (!record) {
        record = perChunk.bind(attributes);
        chunkRecorders.set(attributes, record);
      }
      record(seconds, trace);
    },
    work({ type, agent, tool, calls, seconds, errorType, semconvProvider, trace }) {
      if (!latest) return;
      const failed = errorType ? { 'error.type': errorType } : {};
      const named = { ...sender, ...(agent && { 'gen_ai.agent.name': agent }) };
      if (type === 'agent') latest.agent.recordTo(seconds, { ...named, ...failed }, trace);
      if (calls) {
        latest.inferenceCalls.recordTo(calls.inferenceCalls, named, trace);
        latest.toolCalls.recordTo(calls.toolCalls, named, trace);
      }
      if (type === 'tool') {
        const attributes = { 'gen_ai.tool.name': tool ?? '', 'gen_ai.tool.type': 'function', ...named, ...failed };
        latest.tool.recordTo(seconds, attributes, trace);
      }
      if (type === 'retrieval') {
        const provider = semconvProvider ? { 'gen_ai.provider.name': semconvProvider } : {};
        otherwise.recordTo(seconds, { ...sender, 'gen_ai.operation.name': 'retrieval', ...provider, ...failed }, trace);
      }
    },
  };
}

/** Counters of the latest version, apart by modality: audio, where the vendor says so; of the rest nobody knows. */
function createUsageCounters(registry: Registry, prefix: string) {
  const counter = (name: string) =>
    registry.define(`${prefix}.${name}`, 'counter', [], { help: 'Tokens used.', unit: '{token}', integer: true });
  const input = counter('input_tokens');
  const output = counter('output_tokens');
  const cacheRead = counter('cache_read.input_tokens');
  const cacheWrite = counter('cache_write.input_tokens');
  const reasoning = counter('reasoning.output_tokens');

  return (used: LlmUsage, attributes: Attributes, trace: TraceRef | null): void => {
    function add(to: NumberInstrument, tokens: number | undefined, audio = 0): void {
      if (tokens === undefined) return;
      const spoken = Math.min(audio, tokens);
      const of = (modality: string) => ({ ...attributes, 'gen_ai.token.modality': modality });
      if (spoken > 0) to.addTo(spoken, of('audio'), trace);
      if (tokens > spoken || tokens === 0) to.addTo(tokens - spoken, of('unknown'), trace);
    }
    add(input, used.input, used.audioInput);
    add(output, used.output, used.audioOutput);
    add(cacheRead, used.cacheRead, used.audioCacheRead);
    add(cacheWrite, used.cacheWrite);
    add(reasoning, used.reasoning);
  };
}
