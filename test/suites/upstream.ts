const encoder = new TextEncoder();

/** Bytes cut at places that a seed decides, so that a failure can be seen again. */
export function cutUp(bytes: Uint8Array, seed: number): Uint8Array<ArrayBuffer>[] {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let state = seed;
  for (let at = 0; at < bytes.length; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const end = at + 1 + ((state >>> 16) % 40);
    chunks.push(bytes.slice(at, end));
    at = end;
  }
  return chunks;
}

export interface Source {
  readonly body: ReadableStream<Uint8Array>;
  /** Chunks that were asked for. */
  pulls: number;
  cancelled: unknown;
}

/** A body that gives one chunk for each it is asked for, and nothing ahead of that. */
export function createSource(
  chunks: readonly (string | Uint8Array<ArrayBuffer> | Error)[],
  onPull: (index: number) => void = () => {},
): Source {
  const source: { -readonly [K in keyof Source]: Source[K] } = { body: null as never, pulls: 0, cancelled: undefined };
  source.body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const index = source.pulls++;
        onPull(index);
        const chunk = chunks[index];
        if (chunk === undefined) controller.close();
        else if (chunk instanceof Error) controller.error(chunk);
        else controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk);
      },
      cancel(reason) {
        source.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return source;
}

export const sse = { 'content-type': 'text/event-stream' };

export function event(data: unknown, type?: string): string {
  return `${type ? `event: ${type}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

const chunk = (delta: unknown, finish_reason: string | null = null) =>
  event({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, delta, finish_reason }],
  });

/** A chat completion as OpenAI streams it: 12 tokens in, 7 out. */
export const chatStream: readonly string[] = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Grüße, ' }),
  chunk({ content: '世界 🌍' }),
  chunk({}, 'stop'),
  event({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-4o-mini-2024-07-18',
    choices: [],
    usage: { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 },
  }),
  event('[DONE]'),
];

/** The same, unstreamed. */
export const chatCompletion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-mini-2024-07-18',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Grüße, 世界 🌍' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 },
};

/** A message with a tool call as Anthropic streams it: 100 tokens in (20 of them read from the cache), 30 out. */
export const messageStream: readonly string[] = [
  event(
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5-20250929',
        content: [],
        usage: { input_tokens: 80, cache_read_input_tokens: 20, cache_creation_input_tokens: 0, output_tokens: 1 },
      },
    },
    'message_start',
  ),
  event(
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
    },
    'content_block_start',
  ),
  event(
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{}' } },
    'content_block_delta',
  ),
  event({ type: 'content_block_stop', index: 0 }, 'content_block_stop'),
  event({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 30 } }, 'message_delta'),
  event({ type: 'message_stop' }, 'message_stop'),
];

export function post(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
