import { asArray, asObject } from '../../json.ts';
import { createProvider, type Format } from './format.ts';
import { createChatFold } from './openai-dialect.ts';
import { createOpenaiFormat } from './openai-format.ts';

const openai = createOpenaiFormat();

/** Their reply has no usage, which is no fault of it. https://docs.together.ai/reference/embeddings */
const embeddings: Format = {
  match: (pathname, url) => (openai.match(pathname, url) === 'embed' ? 'embed' : undefined),
  request: (request) => openai.request(request),
  always: () => ['model'],
  response(json) {
    const fold = createChatFold();
    fold.add(json);
    return fold.result();
  },
};

/** There is a place for the prompt whether it is echoed or not, and each choice has its seed. */
function isOurs(value: unknown): boolean {
  const body = asObject(value);
  const choice = asObject(asArray(body?.choices)[0]);
  return Array.isArray(body?.prompt) || (choice !== undefined && 'seed' in choice);
}

/**
 * Together: chat completions, legacy completions and embeddings on `api.together.xyz` and `api.together.ai`. Streams
 * have their usage without being asked.
 *
 * @example
 * createTelemetry({ providers: [together], prices: togetherPrices });
 */
export const together = createProvider({
  name: 'together',
  hosts: ['api.together.xyz', 'api.together.ai'],
  formats: [embeddings, openai],
  marks: isOurs,
});
