import { describe, expect, it } from 'vitest';
import { createCallbackHandler } from '../../adapters/langchain/index.ts';
import {
  chunks,
  completion,
  counted,
  countsOf,
  failure,
  modelSpans,
  startRun,
  toolCalls,
  tree,
  ways,
} from './framework-runs.ts';
import { isInstalled, remedy, versionOf } from './installed.ts';
import { json, silence, sse } from './loopback.ts';
import * as wire from './openai-wire.ts';

const installed = isInstalled('@langchain/core') && isInstalled('@langchain/langgraph');
const sdks = installed
  ? {
      ...(await import('@langchain/openai')),
      ...(await import('@langchain/langgraph')),
      ...(await import('@langchain/langgraph/prebuilt')),
      ...(await import('@langchain/core/tools')),
      ...(await import('@langchain/core/caches')),
      ...(await import('@langchain/core/runnables')),
      ...(await import('@langchain/core/prompts')),
      ...(await import('@langchain/core/retrievers')),
      ...(await import('@langchain/core/documents')),
      ...(await import('zod')),
    }
  : undefined!;

const versions = `LangChain.js ${versionOf('@langchain/core')} and LangGraph.js ${versionOf('@langchain/langgraph')}`;

async function start(...given: Parameters<typeof startRun>) {
  const run = await startRun(...given);
  const client = { apiKey: 'k', maxRetries: 0, configuration: { baseURL: `${run.loopback.url}/v1`, fetch: run.fetch } };
  const model = new sdks.ChatOpenAI({ ...client, model: 'gpt-4o-mini', temperature: 0.5 });
  return { run, client, model, callbacks: [createCallbackHandler(run.telemetry)] };
}

const weather = (forecast = async (city: string) => `Sun in ${city}`) =>
  sdks.tool(async ({ city }: { city: string }) => forecast(city), {
    name: 'get_weather',
    description: 'The weather of a city.',
    schema: sdks.z.object({ city: sdks.z.string() }),
  });

const ask = { messages: [{ role: 'user', content: 'Weather?' }] };

describe.skipIf(!installed)(`${versions} (${remedy})`, () => {
  describe.each(ways)('with %s', (way) => {
    it('makes a call of one span, in the span around it', async () => {
      const { model, callbacks, run } = await start(way, [completion()]);
      const answer = await run.telemetry.span('request', () => model.invoke('Hi', { callbacks }));
      expect(answer.content).toBe('Hello there.');
      expect(tree(run.telemetry.spans)).toEqual(['request', 'request > chat gpt-4o-mini']);
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]).toMatchObject({
        kind: 2,
        attributes: {
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'gpt-4o-mini',
          'gen_ai.request.temperature': 0.5,
          'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
          'gen_ai.response.id': expect.stringMatching(/^chatcmpl-/),
          'gen_ai.response.finish_reasons': ['stop'],
          'llm.cost_usd': 0.00045,
        },
      });
    });

    it('sees the first token and the end of a stream', async () => {
      const { model, callbacks, run } = await start(way, [chunks()]);
      let text = '';
      for await (const { content } of await model.stream('Hi', { callbacks })) text += content;
      expect(text).toBe('Hello there.');
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]?.attributes).toMatchObject({
        'llm.operation': 'stream',
        'gen_ai.response.time_to_first_chunk': expect.any(Number),
      });
    });

    it('counts what the Responses API caches and thinks', async () => {
      const { client, callbacks, run } = await start(way, [json(200, wire.response())]);
      const model = new sdks.ChatOpenAI({ ...client, model: 'gpt-4o-mini', useResponsesApi: true });
      await model.invoke('Hi', { callbacks });
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]?.attributes).toMatchObject({
        'gen_ai.usage.cache_read.input_tokens': 400,
        'gen_ai.usage.reasoning.output_tokens': 100,
      });
    });

    it('shows an agent’s loop of two turns, its nodes and its tools', async () => {
      const { model, callbacks, run } = await start(way, [toolCalls('Lisbon'), completion()]);
      const agent = sdks.createReactAgent({ llm: model, tools: [weather()], name: 'forecaster' });
      await run.telemetry.span('request', () => agent.invoke(ask, { callbacks }));
      expect(tree(run.telemetry.spans)).toEqual([
        'request',
        'request > invoke_agent forecaster',
        'request > invoke_agent forecaster > agent',
        'request > invoke_agent forecaster > agent',
        'request > invoke_agent forecaster > agent > chat gpt-4o-mini',
        'request > invoke_agent forecaster > agent > chat gpt-4o-mini',
        'request > invoke_agent forecaster > tools',
        'request > invoke_agent forecaster > tools > execute_tool get_weather',
      ]);
      expect(counted(run)).toEqual(countsOf(2));
      const { metrics, spans } = run.telemetry;
      expect(metrics.value('llm_tokens_total', { agent: 'forecaster' })).toBe(3000);
      expect(metrics.value('llm_tool_calls_total', { tool_name: 'get_weather' })).toBe(1);
      expect(metrics.value('llm_tool_executions_total', { tool_name: 'get_weather', status: 'ok' })).toBe(1);
      expect(spans.find(({ name }) => name === 'agent')?.attributes['langgraph.node']).toBe('agent');
      expect(spans.find(({ name }) => name === 'execute_tool get_weather')?.attributes).toMatchObject({
        'gen_ai.tool.call.id': 'call_1',
        'gen_ai.agent.name': 'forecaster',
        'gen_ai.request.model': 'gpt-4o-mini-2024-07-18',
      });
    });

    it('streams an agent, its tools in parallel and one of them failing', async () => {
      const { model, callbacks, run } = await start(way, [toolCalls('Lisbon', 'Porto'), completion()]);
      const forecast = async (city: string) => {
        if (city === 'Porto') throw new RangeError('No sun.');
        return 'Sun';
      };
      const agent = sdks.createReactAgent({ llm: model, tools: [weather(forecast)] });
      const seen = [];
      for await (const step of await agent.stream(ask, { callbacks, streamMode: 'updates' })) seen.push(step);
      expect(seen).toHaveLength(3);
      expect(counted(run)).toEqual(countsOf(2));
      const tools = run.telemetry.spans.filter(({ name }) => name === 'execute_tool get_weather');
      expect(tools.map(({ status }) => status.code).toSorted()).toEqual([0, 2]);
      expect(tree(run.telemetry.spans)).toContain('LangGraph > tools > execute_tool get_weather');
    });

    it('keeps two agents apart that ask the same at once', async () => {
      const { model, callbacks, run } = await start(way, [completion(), completion()]);
      const agents = ['one', 'two'].map((name) => sdks.createReactAgent({ llm: model, tools: [], name }));
      await Promise.all(agents.map((agent) => agent.invoke(ask, { callbacks })));
      expect(counted(run)).toEqual(countsOf(2));
      expect(tree(run.telemetry.spans)).toEqual([
        'invoke_agent one',
        'invoke_agent one > agent',
        'invoke_agent one > agent > chat gpt-4o-mini',
        'invoke_agent two',
        'invoke_agent two > agent',
        'invoke_agent two > agent > chat gpt-4o-mini',
      ]);
      expect(run.telemetry.metrics.value('llm_requests_total', { agent: 'one' })).toBe(1);
    });

    it('tells what fails from what is left', async () => {
      const { model, callbacks, run } = await start(way, [failure(429, 'requests', 'rate_limit_exceeded'), silence]);
      await expect(model.invoke('Hi', { callbacks })).rejects.toThrow('No.');
      const controller = new AbortController();
      const leaving = model.invoke('Ho', { callbacks, signal: controller.signal });
      await expect.poll(() => run.loopback.requests.length).toBe(2);
      controller.abort();
      await expect(leaving).rejects.toThrow(/abort/i);
      await expect.poll(() => run.telemetry.spans.length).toBe(2);
      expect(counted(run)).toEqual(countsOf(2, { failed: 1, input: 0, output: 0, aborted: 1 }));
      const [failed, left] = modelSpans(run.telemetry.spans);
      expect(failed).toMatchObject({ status: { code: 2 }, attributes: { 'edgespan.error_class': 'rate_limit' } });
      expect(left).toMatchObject({ status: { code: 0 }, attributes: { 'edgespan.aborted': true } });
    });

    it('tells a stream that is aborted from one that breaks', async () => {
      const { model, callbacks, run } = await start(way, [
        sse(wire.chatChunks().slice(0, 2), 'open'),
        sse(wire.errorChunks()),
      ]);
      const controller = new AbortController();
      const left = async () => {
        const stream = await model.stream('Hi', { callbacks, signal: controller.signal });
        for await (const { content } of stream) if (content) controller.abort();
      };
      await expect(left()).rejects.toThrow(/abort/i);
      const broken = async () => {
        for await (const _ of await model.stream('Ho', { callbacks }));
      };
      await expect(broken()).rejects.toThrow();
      await expect.poll(() => run.telemetry.spans.length).toBe(2);
      expect(counted(run)).toMatchObject({ requests: 2, failed: 1, aborted: 1, spans: 2, odd: 0 });
    });

    it('knows an answer of LangChain’s cache, which costs nothing', async () => {
      const { client, callbacks, run } = await start(way, [completion()]);
      const model = new sdks.ChatOpenAI({ ...client, model: 'gpt-4o-mini', cache: new sdks.InMemoryCache() });
      for (let turn = 0; turn < 2; turn++)
        expect((await model.invoke('Hi', { callbacks })).content).toBe('Hello there.');
      expect(modelSpans(run.telemetry.spans).map(({ attributes }) => attributes)).toMatchObject([
        { 'llm.cache_hit': 'miss', 'llm.operation': 'chat', 'llm.input_tokens': 1000 },
        { 'llm.cache_hit': 'exact', 'llm.operation': 'chat', 'llm.input_tokens': 0, 'llm.cost_usd': 0 },
      ]);
      expect(counted(run)).toMatchObject({ requests: 2, input: 1000 });
      expect(run.telemetry.metrics.value('llm_cache_hits_total', { cache_type: 'exact' })).toBe(1);
    });

    it('counts what LangChain tries again once', async () => {
      const { client, callbacks, run } = await start(way, [failure(500, 'server_error'), completion()]);
      const model = new sdks.ChatOpenAI({ ...client, model: 'gpt-4o-mini', maxRetries: 1 });
      await model.invoke('Hi', { callbacks });
      const { spans, ...counts } = counted(run);
      expect(counts).toMatchObject({ requests: 1, failed: 0, input: 1000, output: 500 });
      // As with bare requests, each attempt is a span.
      expect(spans).toBe(way === ways[0] ? 2 : 1);
    });

    it('counts the documents of a retriever, in its chain', async () => {
      const { model, callbacks, run } = await start(way, [completion()]);
      class Archive extends sdks.BaseRetriever {
        lc_namespace = ['test'];
        override async _getRelevantDocuments(query: string) {
          return [1, 2, 3].map((page) => new sdks.Document({ pageContent: `${query} ${page}` }));
        }
      }
      const retriever = new Archive();
      const prompt = sdks.ChatPromptTemplate.fromTemplate('{question}');
      const chain = sdks.RunnableSequence.from([
        { question: retriever.pipe((found) => found.map(({ pageContent }) => pageContent).join()) },
        prompt,
        model,
      ]);
      await chain.invoke('Where?', { callbacks, runName: 'answer' });
      const retrieval = run.telemetry.spans.find(({ name }) => name === 'retrieval Archive');
      expect(retrieval?.attributes.retrieved_documents_count).toBe(3);
      expect(tree(run.telemetry.spans)).toContain('answer > chat gpt-4o-mini');
      expect(run.telemetry.metrics.value('llm_retrievals_total')).toBe(1);
      expect(counted(run)).toEqual(countsOf(1));
    });

    it('counts completions of older models', async () => {
      const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
      const choices = [{ text: 'Hello.', index: 0, logprobs: null, finish_reason: 'stop' }];
      const model = 'gpt-3.5-turbo-instruct';
      const answer = { id: 'cmpl-1', object: 'text_completion', created: 1, model, choices, usage };
      const { client, callbacks, run } = await start(way, [json(200, answer)]);
      await new sdks.OpenAI({ ...client, model }).invoke('Hi', { callbacks });
      expect(counted(run)).toEqual(countsOf(1));
      expect(tree(run.telemetry.spans)).toEqual([`text_completion ${model}`]);
    });

    it('takes a pause and a jump for no error', async () => {
      const { callbacks, run } = await start(way, []);
      const graph = new sdks.StateGraph(sdks.MessagesAnnotation)
        .addNode('ask', () => {
          sdks.interrupt('Sure?');
          return {};
        })
        .addEdge(sdks.START, 'ask')
        .compile({ checkpointer: new sdks.MemorySaver(), name: 'careful' });
      await graph.invoke(ask as never, { callbacks, configurable: { thread_id: 't' } });
      expect(tree(run.telemetry.spans)).toEqual(['invoke_agent careful', 'invoke_agent careful > ask']);
      expect(run.telemetry.spans.every(({ status }) => status.code !== 2)).toBe(true);
      expect(counted(run)).toEqual(countsOf(0));
    });

    it('captures what is said where the program asks for it', async () => {
      const { model, callbacks, run } = await start(way, [toolCalls('Lisbon'), completion()], {
        capture: { inputs: true, outputs: true },
      });
      const agent = sdks.createReactAgent({ llm: model, tools: [weather()] });
      await agent.invoke(ask, { callbacks });
      const [first, second] = modelSpans(run.telemetry.spans).map(({ attributes }) => attributes);
      const parsed = (value: unknown) => JSON.parse(String(value));
      expect(parsed(first?.['gen_ai.input.messages'])).toEqual([
        { role: 'user', parts: [{ type: 'text', content: 'Weather?' }] },
      ]);
      expect(parsed(first?.['gen_ai.output.messages'])[0].parts).toEqual([
        { type: 'tool_call', id: 'call_1', name: 'get_weather', arguments: { city: 'Lisbon' } },
      ]);
      expect(parsed(second?.['gen_ai.input.messages']).map(({ role }: { role: string }) => role)).toEqual([
        'user',
        'assistant',
        'tool',
      ]);
      const tool = run.telemetry.spans.find(({ name }) => name === 'execute_tool get_weather');
      expect(tool?.attributes).toMatchObject({
        'gen_ai.tool.call.arguments': '{"city":"Lisbon"}',
        'gen_ai.tool.call.result': '"Sun in Lisbon"',
      });
    });
  });

  it('counts embeddings by their request: LangChain tells callbacks of none', async () => {
    const { client, run } = await start(ways[0], [json(200, wire.embeddings())]);
    await new sdks.OpenAIEmbeddings({ ...client, model: 'text-embedding-3-small' }).embedQuery('Hi');
    expect(counted(run)).toEqual(countsOf(1, { output: 0 }));
  });
});
