import { TelemetryError } from '../../errors.ts';
import { asObject } from '../../json.ts';
import { readCount } from '../faults.ts';
import type { LlmUsage, Provider } from '../provider.ts';
import { createProvider } from './format.ts';
import { type Dialect, readUsage } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { present } from './wire.ts';

/**
 * What gateways in front of Anthropic say of its cache, by its names: LiteLLM counts it in the prompt, Portkey beside
 * that, as the total shows. https://docs.litellm.ai/docs/completion/prompt_caching
 */
function addCache(usage: LlmUsage, value: unknown): LlmUsage | undefined {
  const { prompt_tokens_details, ...wire } = asObject(value) ?? {};
  const { input, output, total, cacheRead = readCount(wire.cache_read_input_tokens) } = usage;
  const { cacheWrite = readCount(wire.cache_creation_input_tokens) } = usage;
  const hourly = asObject(asObject(prompt_tokens_details)?.cache_creation_token_details)?.ephemeral_1h_input_tokens;
  const cached = (cacheRead ?? 0) + (cacheWrite ?? 0);
  const isBeside = input !== undefined && output !== undefined && total === input + output + cached;
  const cacheWrite1h = readCount(hourly);
  return present<LlmUsage>({ ...usage, input: isBeside ? input + cached : input, cacheRead, cacheWrite, cacheWrite1h });
}

const dialect: Dialect = {
  /** llama.cpp says in every last chunk what it did, and its usage only on request. */
  usage(body) {
    const usage = readUsage(body, {});
    const timings = asObject(body.timings);
    if (usage) return addCache(usage, body.usage);
    if (!timings) return undefined;
    const cached = readCount(timings.cache_n);
    const fresh = readCount(timings.prompt_n);
    const input = fresh === undefined ? undefined : fresh + (cached ?? 0);
    return present<LlmUsage>({ input, cacheRead: cached, output: readCount(timings.predicted_n) });
  },
  usageOnRequest: true,
};

/**
 * A gateway or server of one's own that speaks OpenAI's API: `hosts` are names as `ai.corp.internal`, `*.corp.internal`
 * for every host below it, or `:8080` for a port of any host. `name` is the label `provider` and the key of its prices.
 * Throws a `TelemetryError` for a name or a host that is none.
 *
 * @example
 * createTelemetry({ providers: [openaiCompatible({ name: 'gateway', hosts: ['ai.corp.internal'] })] });
 */
export function openaiCompatible({ name, hosts }: { name: string; hosts: readonly string[] }): Provider {
  if (typeof name !== 'string' || name === '') throw invalid('name', 'a non-empty string');
  if (!Array.isArray(hosts) || hosts.length === 0) throw invalid('hosts', `a list of ${allowedHost}`);
  return createProvider({ name, hosts: hosts.map(readHost), formats: [createOpenaiFormat(dialect)] });
}

const allowedHost = 'hosts, as "ai.corp.internal", "*.corp.internal" or ":8080"';

/** A name or an address, of version 6 in its brackets. */
const hostPattern = /^(\[[\da-f:.]+\]|[^\s/:@?#\\*%[\]]+)$/i;

/** A host as URLs have it. What is shown of a wrong one is never more than its host: a URL may hold a secret. */
function readHost(host: unknown): string {
  if (typeof host !== 'string') throw invalid('hosts', `a list of ${allowedHost}`);
  if (/^:\d{1,5}$/.test(host) && Number(host.slice(1)) < 65_536) return host;
  const below = host.startsWith('*.') ? '*.' : '';
  const name = host.slice(below.length);
  const known = parseHost(name.includes('://') ? name : `http://${name}`);
  if (known && hostPattern.test(name)) return below + known;
  throw invalid('hosts', `a list of ${allowedHost}${known ? ` (is it "${below}${known}"?)` : ''}`);
}

function parseHost(url: string): string | undefined {
  try {
    return new URL(url).hostname;
  } catch {
    return undefined;
  }
}

function invalid(option: string, allowed: string): TelemetryError {
  return new TelemetryError('invalid_option', `openaiCompatible: ${option} must be ${allowed}`, { option });
}
