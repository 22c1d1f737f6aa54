import { asArray, asObject, asString, type Json } from '../../json.ts';
import type { LlmResponse } from '../provider.ts';
import { createProvider } from './format.ts';
import { createOpenaiFormat } from './openai-format.ts';
import { readTimes } from './reported-times.ts';
import { parseError, present } from './wire.ts';

/** The error of a status is the body itself; that of a stream stands under `error`. */
function readFlatError(body: Json): LlmResponse['error'] {
  const isError = asString(body.message) && asString(body.type) && asArray(body.choices).length === 0;
  return isError ? parseError({ error: body }) : undefined;
}

/** https://inference-docs.cerebras.ai/api-reference/chat-completions */
const format = createOpenaiFormat({
  extras(body) {
    const attributes = present(readTimes('cerebras', body.time_info));
    return present<Partial<LlmResponse>>({ attributes, error: readFlatError(body) }) ?? {};
  },
});

/**
 * Cerebras: chat completions and legacy completions, streamed or not. Streams have their usage without being asked. How
 * long a call waited and was worked on is in the attributes `cerebras.*_time`, in seconds.
 *
 * @example
 * createTelemetry({ providers: [cerebras], prices: cerebrasPrices });
 */
export const cerebras = createProvider({
  name: 'cerebras',
  hosts: ['api.cerebras.ai'],
  formats: [format],
  marks: (value) => asObject(asObject(value)?.time_info) !== undefined,
});
