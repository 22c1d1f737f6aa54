import type { Attributes } from '@opentelemetry/api';
import { asCount, asNumber, asObject, asString, parseJson } from '../json.ts';
import type { LlmUsage } from './provider.ts';
import { parseUsage } from './providers/openai-dialect.ts';
import { present } from './providers/wire.ts';

/**
 * What a generation of Langfuse used: OpenAI's own words, or one count a kind of token, where `input` is what no other
 * kind of input has. A total below the sum of all shows that `input` and `output` have their parts in them.
 * https://langfuse.com/docs/observability/features/token-and-cost-tracking
 */
export function readLangfuseUsage(attributes: Attributes): LlmUsage | undefined {
  const details = readDetails(attributes, 'usage_details');
  if (!details) return undefined;
  if (details.prompt_tokens !== undefined || asObject(details.input_tokens_details)) return parseUsage(details);
  const kinds = Object.keys(details);
  const sum = (...words: string[]) => {
    const counts = kinds
      .filter((kind) => words.every((word) => kind.includes(word)))
      .flatMap((kind) => asCount(details[kind]) ?? []);
    return counts.length > 0 ? counts.reduce((all, count) => all + count) : undefined;
  };
  const total = asCount(details.total);
  const [input, output] = [sum('input'), sum('output')];
  const isTwice = total !== undefined && total < (input ?? 0) + (output ?? 0);
  return present<LlmUsage>({
    input: isTwice ? asCount(details.input) : input,
    output: isTwice ? asCount(details.output) : output,
    cacheRead: sum('input', 'cache_read') ?? sum('input', 'cached'),
    cacheWrite: sum('input', 'cache_creation'),
    reasoning: sum('output', 'reasoning'),
    total,
  });
}

/** US dollars. */
export function readLangfuseCost(attributes: Attributes): number | undefined {
  return asNumber(readDetails(attributes, 'cost_details')?.total);
}

/** When the first token of a stream came, in epoch milliseconds; `NaN` of what is none. */
export function readLangfuseStart(attributes: Attributes): number {
  const said = asString(attributes['langfuse.observation.completion_start_time']);
  return said === undefined ? Number.NaN : Date.parse(said.replaceAll('"', ''));
}

function readDetails(attributes: Attributes, name: string) {
  return asObject(parseJson(asString(attributes[`langfuse.observation.${name}`]) ?? ''));
}
