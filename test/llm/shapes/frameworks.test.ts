import { describe, expect, it } from 'vitest';
import { chatCompletion, createAlsTelemetry } from '../../support/telemetry.ts';

const usage_metadata = {
  input_tokens: 100,
  output_tokens: 50,
  total_tokens: 150,
  input_token_details: { cache_read: 30, cache_creation: 10 },
  output_token_details: { reasoning: 20 },
};
const response_metadata = {
  model_provider: 'anthropic',
  model_name: 'claude-sonnet-4-6',
  finish_reason: 'stop',
  id: 'msg_1',
};
const calls = { tool_calls: [{ id: 't1', name: 'search', args: {} }], invalid_tool_calls: [] };
const none = { tool_calls: [], invalid_tool_calls: [] };
const ai = { type: 'ai', id: 'run-1', content: 'Hello', response_metadata, usage_metadata, ...calls };
const human = { type: 'human', content: 'Hi', response_metadata: {}, additional_kwargs: {} };
const tool = { type: 'tool', content: 'found', tool_call_id: 't1', response_metadata: {} };

const said = {
  'llm.provider': 'anthropic',
  'gen_ai.response.model': 'claude-sonnet-4-6',
  'gen_ai.response.id': 'msg_1',
  'gen_ai.response.finish_reasons': ['stop'],
  'gen_ai.usage.input_tokens': 100,
  'gen_ai.usage.cache_read.input_tokens': 30,
  'gen_ai.usage.output_tokens': 50,
  'gen_ai.usage.reasoning.output_tokens': 20,
  'llm.tool_names': ['search'],
};

async function attributesOf(value: unknown) {
  const telemetry = createAlsTelemetry();
  expect(await telemetry.llm(async () => value)()).toBe(value);
  return telemetry.spans[0]!.attributes;
}

async function attributesOfStream(items: readonly unknown[]) {
  const telemetry = createAlsTelemetry();
  async function* stream() {
    yield* items;
  }
  for await (const _ of telemetry.llm(stream)());
  return telemetry.spans[0]!.attributes;
}

describe('LangChain', () => {
  it.each([
    ['a message', ai],
    ['a message whose class knows its type by a method', { ...ai, type: undefined }],
    ['a chat result', { generations: [{ text: 'Hello', message: ai }], llmOutput: {} }],
    ['an LLM result', { generations: [[{ text: 'Hello', message: ai, generationInfo: {} }]], llmOutput: {} }],
    ['a generation', { text: 'Hello', message: ai }],
  ])('%s', async (_, value) => {
    expect(await attributesOf(value)).toMatchObject(said);
  });

  it('counts each prompt of a batch, and of its generations the first', async () => {
    const value = { generations: [[{ message: ai }, { message: ai }], [{ message: ai }]] };
    expect(await attributesOf(value)).toMatchObject({ 'gen_ai.usage.input_tokens': 200 });
  });

  it('has the sum beside the texts where the messages have none, and no estimate', async () => {
    const generations = [[{ text: 'Hello', generationInfo: { finish_reason: 'length' } }]];
    const tokenUsage = { promptTokens: 7, completionTokens: 3, totalTokens: 10 };
    expect(await attributesOf({ generations, llmOutput: { tokenUsage } })).toMatchObject({
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.response.finish_reasons': ['length'],
    });
    const estimate = { generations, llmOutput: { estimatedTokenUsage: tokenUsage } };
    expect(await attributesOf(estimate)).not.toHaveProperty('gen_ai.usage.input_tokens');
  });

  it('adds up what the chunks of a message say', async () => {
    const chunk = { ...human, type: 'ai', ...none, tool_call_chunks: [] as object[] };
    const items = [
      { ...chunk, content: '', usage_metadata: { input_tokens: 100, output_tokens: 0, total_tokens: 100 } },
      { ...chunk, tool_call_chunks: [{ id: 't1', name: 'search', args: '', index: 0 }] },
      { ...chunk, tool_call_chunks: [{ args: '{}', index: 0 }] },
      { ...chunk, response_metadata, usage_metadata: { input_tokens: 0, output_tokens: 50, total_tokens: 50 } },
    ];
    expect(await attributesOfStream(items)).toMatchObject({
      'llm.operation': 'stream',
      'llm.provider': 'anthropic',
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 50,
      'llm.tool_names': ['search'],
    });
  });

  it('leaves alone what a person said', async () => {
    expect(await attributesOf(human)).toMatchObject({ 'llm.provider': 'unknown' });
  });
});

describe('LangGraph', () => {
  const messages = [human, ai, tool, { ...ai, ...none }];
  const counts = { langgraph_message_count: 4, langgraph_ai_message_count: 2, langgraph_tool_message_count: 1 };

  it.each([
    ['a state', { messages, next: 'end' }],
    ['a snapshot of one', { values: { messages }, next: [], config: {} }],
  ])('%s has its message counts and what the newest answer took', async (_, state) => {
    expect(await attributesOf(state)).toMatchObject({ ...said, ...counts, 'llm.tool_names': [] });
  });

  it('streams states, of which the last counts', async () => {
    const items = [{ messages: [human] }, { messages: [human, ai] }, { messages }];
    expect(await attributesOfStream(items)).toMatchObject({ ...counts, 'gen_ai.usage.input_tokens': 100 });
  });

  it('streams chunks beside what the graph knows of them', async () => {
    const about = { langgraph_node: 'agent', ls_provider: 'openai', ls_model_name: 'gpt-5' };
    const items = [
      [{ ...ai, response_metadata: {}, usage_metadata: undefined }, about],
      [{ ...ai, response_metadata: {}, ...none }, about],
    ];
    expect(await attributesOfStream(items)).toMatchObject({
      'llm.provider': 'openai',
      'gen_ai.response.model': 'gpt-5',
      'gen_ai.usage.input_tokens': 100,
    });
  });

  it('streams what its nodes add, which is summed up', async () => {
    const items = [{ agent: { messages: [ai] } }, { tools: { messages: [tool] } }, { agent: { messages: [ai] } }];
    expect(await attributesOfStream(items)).toMatchObject({ 'gen_ai.usage.input_tokens': 200 });
  });

  it('leaves alone a state whose messages are none of LangChain’s', async () => {
    const attributes = await attributesOf({ messages: [{ role: 'user', content: 'Hi' }] });
    expect(attributes).not.toHaveProperty('langgraph_message_count');
  });
});

describe('LlamaIndex', () => {
  const openai = {
    'llm.provider': 'openai',
    'gen_ai.usage.input_tokens': 10,
    'gen_ai.response.model': 'gpt-4o-2024-08-06',
  };

  it('a chat response is read by what the vendor sent', async () => {
    const value = {
      message: { role: 'assistant', content: '', options: { toolCall: [{ id: 't1', name: 'search', input: {} }] } },
      raw: chatCompletion(),
    };
    expect(await attributesOf(value)).toMatchObject({ ...openai, 'llm.tool_names': ['search'] });
  });

  it('an engine’s response says how many sources it has', async () => {
    const value = {
      message: { role: 'assistant', content: 'Hello' },
      raw: chatCompletion(),
      sourceNodes: [{ score: 1 }, { score: 0.5 }],
    };
    expect(await attributesOf(value)).toMatchObject({ ...openai, llamaindex_source_node_count: 2 });
  });

  it('without the vendor’s reply the tokens are unknown', async () => {
    const attributes = await attributesOf({ message: { role: 'assistant', content: 'Hello' }, raw: null });
    expect(attributes).toMatchObject({ 'llm.provider': 'unknown' });
    expect(attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
  });
});
