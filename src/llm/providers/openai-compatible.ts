import type { Provider } from '../provider.ts';
import { createProvider } from './format.ts';
import { createOpenaiFormat } from './openai-format.ts';

/**
 * A gateway or server of one's own that speaks OpenAI's API: `hosts` are names as `ai.corp.internal`, `*.corp.internal`
 * for every host below it, or `:8080` for a port of any host. `name` is the label `provider` and the key of its prices.
 *
 * @example
 * createTelemetry({ providers: [openaiCompatible({ name: 'gateway', hosts: ['ai.corp.internal'] })] });
 */
export function openaiCompatible({ name, hosts }: { name: string; hosts: readonly string[] }): Provider {
  return createProvider({ name, hosts, formats: [createOpenaiFormat({ usageOnRequest: true })] });
}
