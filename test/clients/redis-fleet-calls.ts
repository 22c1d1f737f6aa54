/** What the processes of the fleet ask for, and what it costs, known beforehand by the number of the call. */
export const url = 'https://api.openai.com/v1/chat/completions';
/** US dollars per million tokens: 123 and 4,567 nano-dollars a token. */
export const prices = { 'acme-1': { input: 0.123, output: 4.567 } };

export interface Usage {
  readonly input: number;
  readonly output: number;
}

export function usageOf(number: number): Usage {
  return { input: 1 + (number % 97), output: 1 + (number % 89) };
}

export function nanoUsdOf({ input, output }: Usage): number {
  return 123 * input + 4567 * output;
}

export function completion({ input, output }: Usage): Record<string, unknown> {
  return {
    object: 'chat.completion',
    model: 'acme-1',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Shoes.' } }],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  };
}

/** How a call ends: whole, as a stream, as a stream that its reader leaves, or by an upstream that breaks. */
export type How = 'json' | 'stream' | 'cancelled' | 'failed';

export function howOf(number: number): How {
  return (['json', 'stream', 'cancelled', 'failed'] as const)[number % 4]!;
}

/** Less than any estimate of the call. */
const small: Usage = { input: 1, output: 3 };
export const smallNanoUsd = nanoUsdOf(small);

export function answer(number: number): Response {
  const how = howOf(number);
  if (how === 'failed') throw new TypeError('the connection broke');
  if (how === 'json') return Response.json(completion(small));
  const chunk = (rest: object) => ({ object: 'chat.completion.chunk', model: 'acme-1', ...rest });
  const said = chunk({ choices: [{ index: 0, delta: { content: 'Shoes.' }, finish_reason: null }] });
  const end = chunk({ choices: [], usage: completion(small).usage });
  const frames = [said, end].map((frame) => `data: ${JSON.stringify(frame)}\n\n`);
  const source = {
    pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const frame = frames.shift();
      if (frame === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(frame));
    },
  };
  const headers = { 'content-type': 'text/event-stream' };
  return new Response(new ReadableStream(source, { highWaterMark: 0 }), { headers });
}
