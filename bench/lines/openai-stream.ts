/** A streamed chat completion as OpenAI sends it, one event a chunk. */
const events = 400;

const base =
  '"id":"chatcmpl-CqJk2vXp7dSx0nTQ3w9bYfUe1LhRz","object":"chat.completion.chunk","created":1763720000,' +
  '"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_560af6e559"';
const words = ['The', ' quick', ' brown', ' fox', ' jumps', ' over', ' the', ' lazy', ' dog', '.'];
const choice = (delta: string, finish: string) =>
  `"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]`;

function createEvents(): string[] {
  const list = [
    `{${base},${choice('{"role":"assistant","content":"","refusal":null}', 'null')},"usage":null,"obfuscation":"x"}`,
  ];
  for (let i = 0; i < events; i++) {
    const word = words[i % words.length];
    list.push(
      `{${base},${choice(`{"content":"${word}"}`, 'null')},"usage":null,"obfuscation":"${'Rk4Zq9'.slice(i % 6)}"}`,
    );
  }
  list.push(`{${base},${choice('{}', '"stop"')},"usage":null,"obfuscation":"Yb"}`);
  const usage =
    '{"prompt_tokens":42,"completion_tokens":400,"total_tokens":442,' +
    '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}';
  return [...list, `{${base},"choices":[],"usage":${usage},"obfuscation":"Qh3"}`, '[DONE]'];
}

const encoder = new TextEncoder();
export const chunks: readonly Uint8Array<ArrayBuffer>[] = createEvents().map((event) =>
  encoder.encode(`data: ${event}\n\n`),
);
export const outputTokens = 400;

/** A body that gives a chunk a pull. */
export function createBody(): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = 0;
  return new ReadableStream(
    {
      pull(controller) {
        const chunk = chunks[next++];
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

export async function drain(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  while (!(await reader.read()).done);
}
