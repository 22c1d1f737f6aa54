/** Ollama's wire format, spoken by the stand-in: https://docs.ollama.com/api */
import type { Answer, StreamEnd } from './loopback.ts';

export const model = 'llama3.2';

const created_at = '2026-11-21T12:00:00Z';
const end = {
  done: true,
  done_reason: 'stop',
  total_duration: 5_000_000_000,
  load_duration: 1_000_000_000,
  prompt_eval_count: 1000,
  prompt_eval_duration: 500_000_000,
  eval_count: 500,
  eval_duration: 3_000_000_000,
};
export const toolCall = { function: { name: 'get_weather', arguments: { city: 'Lisbon' } } };

const line = (message: object, more: object = { done: false }) => ({
  model,
  created_at,
  message: { role: 'assistant', content: '', ...message },
  ...more,
});

export const chat = (message: object = { content: 'Hello there.' }) => line(message, end);
export const generated = { model, created_at, response: 'Hello there.', context: [1, 2], ...end };
export const embedded = {
  model: 'nomic-embed-text',
  embeddings: [[0.1, 0.2, 0.3]],
  total_duration: 1,
  prompt_eval_count: 9,
};
export const missing = { error: `model "${model}" not found, try pulling it first` };

export const chatLines = [
  ...['Hello', ' there', '.'].map((content) => line({ content })),
  chat({ content: '' }),
] as const;
export const toolLines = [line({ thinking: 'Hm.' }), line({ tool_calls: [toolCall] }), chat({ content: '' })] as const;
export const failingLines = [line({ content: 'Hel' }), { error: 'an error was encountered while running the model' }];

/** One JSON text a line. */
export function ndjson(lines: readonly unknown[], how: StreamEnd = 'end'): Answer {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    for (const value of lines) {
      await new Promise<void>((resolve) => response.write(`${JSON.stringify(value)}\n`, () => resolve()));
    }
    if (how === 'end') response.end();
    if (how === 'broken') response.destroy();
  };
}
