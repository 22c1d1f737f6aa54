import { createTestTelemetry, type LlmRecord, llmRecords } from 'edgespan/testing';
import OpenAI from 'openai';

declare function test(name: string, fn: () => Promise<void>): void;
declare function expect(value: unknown): { toBe(other: unknown): void; toMatchObject(other: object): void };

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const answer = { id: 'x', object: 'chat.completion', model: 'gpt-4o', choices: [], usage };

test('a call is priced', async () => {
  const telemetry = createTestTelemetry({ fetch: async () => Response.json(answer) });
  const openai = new OpenAI({ apiKey: 'x', fetch: telemetry.fetch });
  await openai.chat.completions.create({ model: 'gpt-4o', messages: [] });

  const [span] = telemetry.spans;
  expect(span?.name).toBe('chat gpt-4o');
  expect(span?.attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 10, 'llm.cost_usd': 0.000075 });
  expect(telemetry.metrics.value('llm_requests_total', { provider: 'openai', model: 'gpt-4o' })).toBe(1);
  expect((await telemetry.prometheus()).includes('llm_cost_usd_total{')).toBe(true);

  const record: LlmRecord | undefined = llmRecords(telemetry)[0];
  expect(record).toMatchObject({ provider: 'openai', inputTokens: 10, outputTokens: 5, costUsd: 0.000075 });
  telemetry.clearSpans();
  expect(telemetry.spans.length).toBe(0);
});
