import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChatReader } from '../../../src/llm/providers/openai-dialect.ts';

const base = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm' };
const first = { ...base, choices: [{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null }] };

const text = fc.oneof(fc.string(), fc.constantFrom('{', '}', ']', '"finish_reason":null', '{"usage":{}}', 'a}]'));
const call = fc.record({
  index: fc.nat(2),
  id: fc.string(),
  function: fc.record({ name: fc.string({ minLength: 1 }) }),
});
const delta = fc.oneof(
  fc.record({ content: text }),
  fc.record({ content: text, tool_calls: fc.array(call, { maxLength: 2 }) }, { requiredKeys: [] }),
);
const reason = fc.constantFrom(null, 'stop', 'length', 'tool_calls', 'l');
const usage = fc.constantFrom(null, undefined, { prompt_tokens: 3, completion_tokens: 5 });
const choice = fc.oneof(
  fc.record({ index: fc.constant(0), delta, logprobs: fc.constant(null), finish_reason: reason }),
  fc.record({ finish_reason: reason, index: fc.constant(0), delta }),
  fc.record({ index: fc.constant(0), delta, finish_reason: reason, stop_reason: fc.constant(null), usage }),
);
const chunk = fc.oneof(
  fc.record({ choices: fc.tuple(choice), usage }).map((fields) => ({ ...base, ...fields })),
  fc.record({ usage, choices: fc.tuple(choice) }).map((fields) => ({ ...fields, ...base })),
  fc.record({ error: fc.record({ message: text, code: text }), choices: fc.tuple(choice) }),
);

/** Folds the chunks; `skips` leaves out those that do not matter, as the reply reader does. */
function fold(chunks: readonly unknown[], skips: boolean) {
  const reader = createChatReader();
  reader.event({ json: first });
  for (const json of chunks) {
    const data = JSON.stringify(json);
    if (!skips || reader.matters!(data, undefined)) reader.event({ json: JSON.parse(data) });
  }
  return reader.result();
}

describe('chunks that do not matter', () => {
  it('change nothing in the result', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
        expect(fold(chunks, true)).toEqual(fold(chunks, false));
      }),
      { numRuns: 2000 },
    );
  });

  it('are most of what OpenAI sends', () => {
    const reader = createChatReader();
    const plain = (content: string, reason: string) =>
      `{"id":"c1","choices":[{"index":0,"delta":{"content":"${content}"},"logprobs":null,"finish_reason":${reason}}],"usage":null}`;
    expect(reader.matters!(plain('word', 'null'), undefined)).toBe(false);
    expect(reader.matters!(plain('{"a":[1]}'.replaceAll('"', '\\"'), 'null'), undefined)).toBe(false);
    expect(reader.matters!(plain('', '"stop"'), undefined)).toBe(true);
  });
});
