import { describe, expect, it } from 'vitest';
import { createTestTelemetry } from '../../../src/testing.ts';

const openai = 'https://api.openai.com/v1';
const anthropic = 'https://api.anthropic.com/v1/messages';
const google = 'https://generativelanguage.googleapis.com/v1beta';
const gemini = `${google}/models/gemini-2.5-flash:generateContent`;
const interactions = `${google}/interactions`;
const bedrock = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0';
const cohere = 'https://api.cohere.com/v2/chat';
const ollama = 'http://127.0.0.1:11434/api/chat';
const schema = { type: 'json_schema', name: 'x', schema: {} };

/** What a span says from its start on. */
async function ask(url: string, body: object) {
  const telemetry = createTestTelemetry({ fetch: async () => new Response(null, { status: 500 }) });
  await telemetry.fetch(url, { method: 'POST', body: JSON.stringify({ model: 'm', ...body }) });
  return telemetry.spans[0]!.attributes;
}

/** https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md */
describe('gen_ai.output.type', () => {
  it.each<[string, string, object, string | undefined]>([
    ['nobody asks for one', `${openai}/chat/completions`, {}, undefined],
    ['chat completions by a schema', `${openai}/chat/completions`, { response_format: schema }, 'json'],
    ['chat completions as JSON', `${openai}/chat/completions`, { response_format: { type: 'json_object' } }, 'json'],
    ['chat completions as text', `${openai}/chat/completions`, { response_format: { type: 'text' } }, 'text'],
    ['chat completions aloud', `${openai}/chat/completions`, { modalities: ['text', 'audio'] }, 'speech'],
    ['Responses by a schema', `${openai}/responses`, { text: { format: schema } }, 'json'],
    ['Anthropic by a schema', anthropic, { output_config: { format: schema } }, 'json'],
    ['Anthropic’s beta by a schema', anthropic, { output_format: schema }, 'json'],
    ['Gemini as JSON', gemini, { generationConfig: { responseMimeType: 'application/json' } }, 'json'],
    ['Gemini as a picture', gemini, { generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } }, 'image'],
    ['Interactions aloud', interactions, { response_modalities: ['audio'] }, 'speech'],
    ['Converse by a schema', `${bedrock}/converse`, { outputConfig: { textFormat: schema } }, 'json'],
    ['InvokeModel as JSON', `${bedrock}/invoke`, { response_format: { type: 'json_object' } }, 'json'],
    ['Cohere as JSON', cohere, { response_format: { type: 'json_object' } }, 'json'],
    ['Ollama as JSON', ollama, { format: 'json' }, 'json'],
    ['Ollama by a schema', ollama, { format: { type: 'array' } }, 'json'],
    ['a format of another type', `${openai}/chat/completions`, { response_format: [null, 7] }, undefined],
  ])('%s', async (_name, url, body, expected) => {
    expect((await ask(url, body))['gen_ai.output.type']).toBe(expected);
  });
});

describe('what a request goes on with', () => {
  it('is a conversation or an answer, where it names one', async () => {
    const responses = `${openai}/responses`;
    expect(await ask(responses, { conversation: 'conv_1', previous_response_id: 'resp_1' })).toMatchObject({
      'gen_ai.conversation.id': 'conv_1',
      'gen_ai.request.previous_response.id': 'resp_1',
    });
    expect(await ask(responses, { conversation: { id: 'conv_1' } })).toMatchObject({
      'gen_ai.conversation.id': 'conv_1',
    });
    expect(await ask(interactions, { previous_interaction_id: 'int_1' })).toMatchObject({
      'gen_ai.request.previous_response.id': 'int_1',
    });
    const attributes = await ask(responses, { conversation: {}, previous_response_id: null });
    expect(Object.keys(attributes).filter((name) => /conversation|previous/.test(name))).toEqual([]);
  });
});
