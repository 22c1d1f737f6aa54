/** Cloudflare's wire formats, spoken by the stand-in: https://developers.cloudflare.com/workers-ai/ */

export const model = '@cf/meta/llama-3.1-8b-instruct';

const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };

/** https://developers.cloudflare.com/workers-ai/get-started/rest-api/ */
export function envelope(result: unknown) {
  return { result, success: true, errors: [], messages: [] };
}

export const answer = envelope({ response: 'Hello there.', usage });

/** https://developers.cloudflare.com/workers-ai/features/function-calling/traditional/ */
export const toolAnswer = envelope({
  response: null,
  tool_calls: [{ name: 'get_weather', arguments: { city: 'Lisbon' } }],
  usage,
});

/** https://developers.cloudflare.com/workers-ai/models/bge-base-en-v1.5/ */
export const embeddings = envelope({ shape: [1, 3], data: [[0.1, 0.2, 0.3]], pooling: 'mean' });

/** https://developers.cloudflare.com/workers-ai/platform/errors/ */
export const busy = {
  result: {},
  success: false,
  errors: [{ code: 3040, message: 'Capacity temporarily exceeded, please try again.' }],
  messages: [],
};

const frame = (data: unknown) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

export function answerEvents(words: readonly string[] = ['Hello', ' there', '.']): string[] {
  return [
    ...words.map((response) => frame({ response, p: 'abcdef' })),
    frame({ response: '', usage }),
    frame('[DONE]'),
  ];
}

/** Chunks that each count for themselves, and the sum of all in an event of another shape. */
export function chunkEvents(words: readonly string[] = ['Hello', ' there', '.']): string[] {
  const chunk = (delta: object, input: number, output: number, finish_reason: string | null = null) =>
    frame({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_763_700_000,
      model,
      choices: [{ index: 0, delta, finish_reason }],
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    });
  return [
    chunk({ role: 'assistant', content: '' }, 1000, 0),
    ...words.map((content, i) => chunk({ content }, 0, i === 0 ? 498 : 1)),
    chunk({}, 0, 0, 'stop'),
    frame({ response: '', usage }),
    frame('[DONE]'),
  ];
}
