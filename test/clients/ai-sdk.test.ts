import { describe, expect, it } from 'vitest';
import { aiSdkMiddleware, aiSdkTelemetry } from '../../adapters/ai-sdk/index.ts';
import * as anthropic from './anthropic-wire.ts';
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

const installed = isInstalled('ai');
const sdks = installed
  ? {
      ...(await import('ai')),
      ...(await import('@ai-sdk/openai')),
      ...(await import('@ai-sdk/anthropic')),
      ...(await import('zod')),
    }
  : undefined!;

async function start(...given: Parameters<typeof startRun>) {
  const run = await startRun(...given);
  const provider = sdks.createOpenAI({ apiKey: 'k', baseURL: `${run.loopback.url}/v1`, fetch: run.fetch });
  return { ...run, provider, model: provider.chat('gpt-4o-mini'), run, ai: aiSdkTelemetry(run.telemetry) };
}

const weather = () =>
  sdks.tool({
    inputSchema: sdks.z.object({ city: sdks.z.string() }),
    execute: async ({ city }: { city: string }) => `Sun in ${city}`,
  });

describe.skipIf(!installed)(`the AI SDK ${versionOf('ai')} (${remedy})`, () => {
  describe.each(ways)('with %s', (way) => {
    it('makes a call of one span, under its operation', async () => {
      const { ai, model, run } = await start(way, [completion()]);
      const { text } = await sdks.generateText({ model, prompt: 'Hi', telemetry: { integrations: ai } });
      expect(text).toBe('Hello there.');
      expect(tree(run.telemetry.spans)).toEqual(['ai.generateText', 'ai.generateText > chat gpt-4o-mini']);
      expect(counted(run)).toEqual(countsOf(1));
      const [span] = modelSpans(run.telemetry.spans);
      expect(span).toMatchObject({
        kind: 2,
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'openai',
          'llm.provider': 'openai',
          'gen_ai.request.model': 'gpt-4o-mini',
          'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
          'gen_ai.usage.input_tokens': 1000,
          'gen_ai.usage.output_tokens': 500,
          'gen_ai.response.finish_reasons': ['stop'],
          'llm.cost_usd': 0.00045,
          'llm.operation': 'chat',
        },
      });
      // What only the wire tells.
      const isObserved = way === ways[0];
      expect(span?.attributes['http.response.status_code']).toBe(isObserved ? 200 : undefined);
      expect(span?.attributes['server.address']).toBe(isObserved ? '127.0.0.1' : undefined);
    });

    it('counts what the Responses API caches and thinks', async () => {
      const { ai, provider, run } = await start(way, [json(200, wire.response())]);
      await sdks.generateText({ model: provider('gpt-4o-mini'), prompt: 'Hi', telemetry: { integrations: ai } });
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]?.attributes).toMatchObject({
        'gen_ai.provider.name': 'openai',
        'gen_ai.response.id': 'resp_1',
        'gen_ai.usage.cache_read.input_tokens': 400,
        'gen_ai.usage.reasoning.output_tokens': 100,
      });
    });

    it('sees the first chunk and the end of a stream', async () => {
      const { ai, model, run } = await start(way, [chunks()]);
      const result = sdks.streamText({ model, prompt: 'Hi', telemetry: { integrations: ai } });
      let text = '';
      for await (const piece of result.textStream) text += piece;
      expect(text).toBe('Hello there.');
      expect(tree(run.telemetry.spans)).toEqual(['ai.streamText', 'ai.streamText > chat gpt-4o-mini']);
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]?.attributes).toMatchObject({
        'gen_ai.request.stream': true,
        'llm.operation': 'stream',
        'gen_ai.response.time_to_first_chunk': expect.any(Number),
        'gen_ai.response.finish_reasons': ['stop'],
      });
      expect(run.telemetry.metrics.value('llm_requests_total', { operation: 'stream' })).toBe(1);
    });

    it('shows a tool loop of two turns under the agent that `functionId` names', async () => {
      const { ai, model, run } = await start(way, [toolCalls('Lisbon'), completion()]);
      const tools = { get_weather: weather() };
      await sdks.generateText({
        model,
        tools,
        stopWhen: sdks.stepCountIs(5),
        prompt: 'Weather?',
        telemetry: { functionId: 'forecaster', integrations: ai },
      });
      expect(tree(run.telemetry.spans)).toEqual([
        'invoke_agent forecaster',
        'invoke_agent forecaster > chat gpt-4o-mini',
        'invoke_agent forecaster > chat gpt-4o-mini',
        'invoke_agent forecaster > execute_tool get_weather',
      ]);
      expect(counted(run)).toEqual(countsOf(2));
      const { metrics, spans } = run.telemetry;
      expect(metrics.value('llm_tokens_total', { agent: 'forecaster' })).toBe(3000);
      expect(metrics.value('llm_tool_calls_total', { tool_name: 'get_weather' })).toBe(1);
      expect(metrics.value('llm_tool_executions_total', { tool_name: 'get_weather', status: 'ok' })).toBe(1);
      expect(spans.find(({ name }) => name === 'execute_tool get_weather')?.attributes).toMatchObject({
        'gen_ai.tool.call.id': 'call_1',
        'gen_ai.agent.name': 'forecaster',
        'gen_ai.request.model': 'gpt-4o-mini-2024-07-18',
      });
      const agent = spans.find(({ name }) => name === 'invoke_agent forecaster');
      expect(agent).toMatchObject({ kind: 0, attributes: { 'edgespan.aggregated.model_calls': 2 } });
    });

    it('keeps parallel tools, and what they ask themselves, apart', async () => {
      const { ai, model, run } = await start(way, [
        toolCalls('Lisbon', 'Porto'),
        completion('Sun.'),
        completion('Rain.'),
        completion(),
      ]);
      const get_weather = sdks.tool({
        inputSchema: sdks.z.object({ city: sdks.z.string() }),
        execute: async ({ city }: { city: string }) => {
          const { text } = await sdks.generateText({ model, prompt: city, telemetry: { integrations: ai } });
          return text;
        },
      });
      const result = sdks.streamText({
        model: sdks.wrapLanguageModel({ model, middleware: sdks.simulateStreamingMiddleware() }),
        tools: { get_weather },
        stopWhen: sdks.stepCountIs(5),
        prompt: 'Weather?',
        telemetry: { integrations: ai },
      });
      await result.consumeStream();
      expect(counted(run)).toEqual(countsOf(4));
      expect(tree(run.telemetry.spans)).toEqual([
        'ai.streamText',
        'ai.streamText > chat gpt-4o-mini',
        'ai.streamText > chat gpt-4o-mini',
        'ai.streamText > execute_tool get_weather',
        'ai.streamText > execute_tool get_weather',
        'ai.streamText > execute_tool get_weather > ai.generateText',
        'ai.streamText > execute_tool get_weather > ai.generateText',
        'ai.streamText > execute_tool get_weather > ai.generateText > chat gpt-4o-mini',
        'ai.streamText > execute_tool get_weather > ai.generateText > chat gpt-4o-mini',
      ]);
    });

    it('tells a tool that fails from its operation', async () => {
      const { ai, model, run } = await start(way, [toolCalls('Lisbon'), completion()]);
      const get_weather = sdks.tool({
        inputSchema: sdks.z.object({ city: sdks.z.string() }),
        execute: async (): Promise<string> => {
          throw new RangeError('No sun.');
        },
      });
      const tools = { get_weather };
      const asked = { model, tools, stopWhen: sdks.stepCountIs(5), prompt: 'Weather?' };
      await sdks.generateText({ ...asked, telemetry: { integrations: ai } });
      const tool = run.telemetry.spans.find(({ name }) => name === 'execute_tool get_weather');
      expect(tool).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'RangeError' } });
      expect(run.telemetry.spans.filter(({ status }) => status.code === 2)).toHaveLength(1);
      expect(counted(run)).toEqual(countsOf(2));
    });

    it('counts a call that is tried twice once, with its tries as children', async () => {
      const { ai, model, run } = await start(way, [failure(500, 'server_error'), completion()]);
      await sdks.generateText({ model, prompt: 'Hi', telemetry: { integrations: ai } });
      expect(counted(run)).toEqual(countsOf(1));
      const call = 'ai.generateText > chat gpt-4o-mini';
      const tries = way === ways[0] ? [`${call} > POST`, `${call} > POST`] : [];
      expect(tree(run.telemetry.spans)).toEqual(['ai.generateText', call, ...tries]);
      const posts = run.telemetry.spans.filter(({ name }) => name === 'POST');
      const statuses = posts.map(({ attributes }) => attributes['http.response.status_code']);
      expect(statuses).toEqual(way === ways[0] ? [500, 200] : []);
    });

    it('makes an error of what the vendor refuses', async () => {
      const { ai, model, run } = await start(way, [failure(429, 'requests', 'rate_limit_exceeded')]);
      const asked = { model, prompt: 'Hi', maxRetries: 0, telemetry: { integrations: ai } };
      await expect(sdks.generateText(asked)).rejects.toThrow('No.');
      expect(counted(run)).toEqual(countsOf(1, { failed: 1, input: 0, output: 0 }));
      const [span] = modelSpans(run.telemetry.spans);
      expect(span).toMatchObject({ status: { code: 2 }, attributes: { 'edgespan.error_class': 'rate_limit' } });
      expect(run.telemetry.spans.find(({ name }) => name === 'ai.generateText')?.status.code).toBe(2);
    });

    it('makes an error of a stream that the vendor refuses, or breaks with one', async () => {
      const { ai, model, run } = await start(way, [failure(400), sse(wire.errorChunks())]);
      for (const prompt of ['Hi', 'Ho']) {
        const asked = { model, prompt, maxRetries: 0, onError: () => {}, telemetry: { integrations: ai } };
        await sdks.streamText(asked).consumeStream();
      }
      expect(counted(run)).toEqual(countsOf(2, { failed: 2, input: 0, output: 0 }));
      const spans = modelSpans(run.telemetry.spans);
      expect(spans.map(({ status }) => status.code)).toEqual([2, 2]);
      // A stream was asked for, whether or not one came; what stands in it is an object of the vendor's.
      expect(run.telemetry.metrics.value('llm_requests_total', { operation: 'stream' })).toBe(2);
      expect(spans[1]?.attributes['error.type']).toBe('server_error');
      expect(run.telemetry.spans).toHaveLength(4);
    });

    it('marks what its caller aborts, before the answer and in its middle', async () => {
      const { ai, model, run } = await start(way, [silence, sse(wire.chatChunks().slice(0, 2), 'open')]);
      const telemetry = { integrations: ai };
      const early = new AbortController();
      const first = sdks.generateText({ model, prompt: 'Hi', abortSignal: early.signal, telemetry });
      await expect.poll(() => run.loopback.requests.length).toBe(1);
      early.abort();
      await expect(first).rejects.toThrow('aborted');
      const late = new AbortController();
      const second = sdks.streamText({ model, prompt: 'Hi', abortSignal: late.signal, telemetry });
      for await (const _ of second.textStream) late.abort();
      await expect.poll(() => run.telemetry.spans.length).toBe(4);
      expect(counted(run)).toEqual(countsOf(2, { input: 0, output: 0, aborted: 2 }));
      expect(run.telemetry.spans.every(({ attributes }) => attributes['edgespan.aborted'] === true)).toBe(true);
      expect(run.telemetry.spans.every(({ status }) => status.code !== 2)).toBe(true);
    });

    it('counts embeddings, alone and many', async () => {
      const one = wire.embeddings();
      const many = { ...one, data: [0, 1].map((index) => ({ ...one.data[0], index })) };
      const { ai, provider, run } = await start(way, [json(200, one), json(200, many)]);
      const model = provider.embeddingModel('text-embedding-3-small');
      await sdks.embed({ model, value: 'Hi', telemetry: { integrations: ai } });
      await sdks.embedMany({ model, values: ['Hi', 'Ho'], telemetry: { integrations: ai } });
      expect(tree(run.telemetry.spans)).toEqual([
        'ai.embed',
        'ai.embed > embeddings text-embedding-3-small',
        'ai.embedMany',
        'ai.embedMany > embeddings text-embedding-3-small',
      ]);
      expect(counted(run)).toEqual(countsOf(2, { output: 0 }));
      expect(run.telemetry.metrics.value('llm_requests_total', { operation: 'embed' })).toBe(2);
    });

    it('counts embeddings of the same values that are asked for at once, and one that is tried again once', async () => {
      const again = json(429, wire.openaiError('requests', null, 'No.'), { 'retry-after-ms': '1' });
      const { ai, provider, run } = await start(way, [
        json(200, wire.embeddings()),
        json(200, wire.embeddings()),
        again,
        json(200, wire.embeddings()),
      ]);
      const whole = provider.embeddingModel('text-embedding-3-small');
      const model = Object.create(whole, { maxEmbeddingsPerCall: { value: 1 } }) as typeof whole;
      await sdks.embedMany({ model, values: ['Hi', 'Hi'], telemetry: { integrations: ai } });
      expect(counted(run)).toEqual(countsOf(2, { output: 0 }));
      await sdks.embed({ model, value: 'Ho', telemetry: { integrations: ai } });
      expect(counted(run)).toMatchObject({ requests: 3, input: 3000, failed: 0, odd: 0 });
    });

    it('counts a ranking, also one that is tried again', async () => {
      const { ai, run } = await start(way, []);
      let tries = 0;
      const model = {
        specificationVersion: 'v4' as const,
        provider: 'cohere.reranking',
        modelId: 'rerank-v3.5',
        async doRerank() {
          const headers = { 'retry-after-ms': '1' };
          const asked = { message: 'No.', url: '', requestBodyValues: {}, statusCode: 503, responseHeaders: headers };
          if (tries++ === 0) throw new sdks.APICallError(asked);
          return { ranking: [{ index: 1, relevanceScore: 0.9 }] };
        },
      };
      const documents = ['Sun', 'Rain'];
      const telemetry = { integrations: ai };
      const { rerankedDocuments } = await sdks.rerank({ model, query: 'Umbrella?', documents, telemetry });
      expect(rerankedDocuments).toEqual(['Rain']);
      expect(tree(run.telemetry.spans)).toEqual(['ai.rerank', 'ai.rerank > rerank rerank-v3.5']);
      expect(counted(run)).toEqual(countsOf(1, { input: 0, output: 0 }));
      expect(run.telemetry.metrics.value('llm_requests_total', { operation: 'other', provider: 'cohere' })).toBe(1);
    });

    it('counts a decision, and one that fails', async () => {
      const { ai, run } = await start(way, []);
      const model = (fails: boolean) => ({
        specificationVersion: 'v4' as const,
        provider: 'openai.decision',
        modelId: 'gpt-decide',
        supportedQuestionTypes: ['boolean' as const],
        async doDecide() {
          if (fails) throw new RangeError('No.');
          const answers = { rain: { type: 'boolean' as const, value: true, probability: 0.75 } };
          return { answers, usage: { inputTokens: 1000, outputTokens: 500 }, warnings: [] };
        },
      });
      const questions = { rain: { type: 'boolean' as const, instructions: 'Rain?' } };
      const telemetry = { integrations: ai };
      const decide = (fails: boolean) =>
        sdks.experimental_decide({
          model: model(fails) as never,
          state: 'Clouds',
          questions,
          telemetry,
          maxRetries: 0,
        });
      expect((await decide(false)).answers.rain.type).toBe('boolean');
      await expect(decide(true)).rejects.toThrow('No.');
      const each = ['ai.decide', 'ai.decide > decide gpt-decide'];
      expect(tree(run.telemetry.spans)).toEqual(each.flatMap((path) => [path, path]));
      const { metrics } = run.telemetry;
      const labels = { provider: 'openai', model: 'gpt-decide' };
      expect(metrics.value('llm_requests_total', { ...labels, operation: 'other', status: 'ok' })).toBe(1);
      expect(metrics.value('llm_requests_total', { ...labels, status: 'error' })).toBe(1);
      expect(metrics.value('llm_tokens_total', labels)).toBe(1500);
    });

    it('sees any vendor’s provider: Anthropic’s loop over two streams', async () => {
      const { ai, run } = await start(way, [sse(anthropic.toolEvents()), sse(anthropic.messageEvents())]);
      const provider = sdks.createAnthropic({ apiKey: 'k', baseURL: `${run.loopback.url}/v1`, fetch: run.fetch });
      const result = sdks.streamText({
        model: provider('claude-sonnet-4-6'),
        tools: { get_weather: weather() },
        stopWhen: sdks.stepCountIs(3),
        prompt: 'Weather?',
        telemetry: { functionId: 'forecaster', integrations: ai },
      });
      expect(await result.text).toBe('Hello there.');
      expect(tree(run.telemetry.spans)).toEqual([
        'invoke_agent forecaster',
        'invoke_agent forecaster > chat claude-sonnet-4-6',
        'invoke_agent forecaster > chat claude-sonnet-4-6',
        'invoke_agent forecaster > execute_tool get_weather',
      ]);
      expect(counted(run)).toEqual(countsOf(2));
      const [span] = modelSpans(run.telemetry.spans);
      expect(span?.attributes).toMatchObject({
        'gen_ai.provider.name': 'anthropic',
        'gen_ai.usage.cache_read.input_tokens': 300,
        'gen_ai.usage.cache_creation.input_tokens': 100,
      });
    });

    it('keeps calls apart that are made at once', async () => {
      const { ai, model, run } = await start(
        way,
        Array.from({ length: 6 }, () => completion()),
      );
      const ask = (name: string) =>
        run.telemetry.span(name, () =>
          sdks.generateText({ model, prompt: 'Hi', telemetry: { functionId: `of ${name}`, integrations: ai } }),
        );
      await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(ask));
      const trees = tree(run.telemetry.spans).filter((path) => path.includes('chat'));
      expect(trees).toEqual(
        ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name} > invoke_agent of ${name} > chat gpt-4o-mini`),
      );
      expect(counted(run)).toEqual(countsOf(6));
    });

    it('is told all twice where it is given twice, and counts it once', async () => {
      const { ai, model, run } = await start(way, [toolCalls('Lisbon'), completion()]);
      const telemetry = { integrations: [ai, ai] };
      const stopWhen = sdks.stepCountIs(3);
      await sdks.generateText({ model, tools: { get_weather: weather() }, stopWhen, prompt: 'Weather?', telemetry });
      const { odd, ...counts } = counted(run);
      expect({ ...counts, odd: 0 }).toEqual(countsOf(2));
      expect(odd).toBeGreaterThan(0);
      expect(run.telemetry.spans).toHaveLength(4);
      expect(run.telemetry.metrics.value('llm_tool_executions_total')).toBe(1);
    });

    it('leaves a call alone that says so, but for its request', async () => {
      const { ai, model, run } = await start(way, [completion()]);
      await sdks.generateText({ model, prompt: 'Hi', telemetry: { isEnabled: false, integrations: ai } });
      expect(tree(run.telemetry.spans)).toEqual(way === ways[0] ? ['chat gpt-4o-mini'] : []);
    });

    it('counts objects by the functions of older programs', async () => {
      const { ai, model, run } = await start(way, [completion('{"city":"Porto"}'), chunks(['{"city":', '"Porto"}'])]);
      const schema = sdks.z.object({ city: sdks.z.string() });
      const telemetry = { integrations: ai };
      const { object } = await sdks.generateObject({ model, schema, prompt: 'Where?', telemetry });
      const stream = sdks.streamObject({ model, schema, prompt: 'And then?', telemetry });
      for await (const _ of stream.partialObjectStream);
      expect(object).toEqual({ city: 'Porto' });
      await expect.poll(() => run.telemetry.spans.length).toBe(4);
      expect(tree(run.telemetry.spans)).toEqual([
        'ai.generateObject',
        'ai.generateObject > chat gpt-4o-mini',
        'ai.streamObject',
        'ai.streamObject > chat gpt-4o-mini',
      ]);
      expect(counted(run)).toEqual(countsOf(2));
    });

    it('counts once under a middleware, and inside of a function that is wrapped as a model call', async () => {
      const { ai, model, run } = await start(way, [completion()]);
      const wrapped = sdks.wrapLanguageModel({ model, middleware: aiSdkMiddleware(run.telemetry) });
      const ask = run.telemetry.llm(() =>
        sdks.generateText({ model: wrapped, prompt: 'Hi', telemetry: { integrations: ai } }),
      );
      await ask();
      const { spans, ...counts } = counted(run);
      expect(counts).toMatchObject({ requests: 1, input: 1000, output: 500 });
      expect(spans).toBe(2);
    });

    it('captures what is said where the program asks for it', async () => {
      const { ai, model, run } = await start(way, [toolCalls('Lisbon'), chunks()], {
        capture: { inputs: true, outputs: true },
      });
      const first = { model, tools: { get_weather: weather() }, prompt: 'Weather?', telemetry: { integrations: ai } };
      await sdks.generateText(first);
      await sdks.streamText({ model, prompt: 'Hi', telemetry: { integrations: ai } }).consumeStream();
      const [tools, text] = modelSpans(run.telemetry.spans).map(({ attributes }) => attributes);
      const parsed = (value: unknown) => JSON.parse(String(value));
      expect(parsed(tools?.['gen_ai.input.messages'])).toEqual([
        { role: 'user', parts: [{ type: 'text', content: 'Weather?' }] },
      ]);
      expect(parsed(tools?.['gen_ai.output.messages'])[0].parts).toEqual([
        { type: 'tool_call', id: 'call_1', name: 'get_weather', arguments: { city: 'Lisbon' } },
      ]);
      expect(parsed(text?.['gen_ai.output.messages'])[0].parts).toEqual([{ type: 'text', content: 'Hello there.' }]);
      const tool = run.telemetry.spans.find(({ name }) => name === 'execute_tool get_weather');
      expect(tool?.attributes).toMatchObject({
        'gen_ai.tool.call.arguments': '{"city":"Lisbon"}',
        'gen_ai.tool.call.result': '"Sun in Lisbon"',
      });
    });
  });

  it('keeps what is asked to itself by its own option, and by the call’s', async () => {
    const { model, run } = await start(ways[0], [completion(), completion()], {
      capture: { inputs: true, outputs: true },
    });
    const own = aiSdkTelemetry(run.telemetry, { recordInputs: false });
    await sdks.generateText({ model, prompt: 'secret', telemetry: { integrations: own } });
    const integrations = aiSdkTelemetry(run.telemetry);
    const telemetry = { integrations, recordInputs: false, recordOutputs: false };
    await sdks.generateText({ model, prompt: 'secret', telemetry });
    expect(JSON.stringify(run.telemetry.spans.map(({ attributes }) => attributes))).not.toContain('secret');
    const outputs = modelSpans(run.telemetry.spans).map(({ attributes }) => attributes['gen_ai.output.messages']);
    expect(outputs).toEqual([expect.stringContaining('Hello there.'), undefined]);
  });

  it('makes no call that a budget refuses, and settles what it came to', async () => {
    const { ai, model, run } = await start(ways[1], [completion(), completion()], {
      budget: { limits: { usd: 0.0009, window: 'session' }, estimateOutputTokens: 10 },
    });
    const asked = { model, prompt: 'Hi', maxOutputTokens: 500, telemetry: { integrations: ai } };
    await sdks.generateText(asked);
    const [status] = await run.telemetry.budget.status();
    expect(status?.spent.usd).toBeCloseTo(0.00045, 8);
    await sdks.generateText(asked);
    await expect(sdks.generateText(asked)).rejects.toMatchObject({ name: 'BudgetExceededError' });
    expect(run.loopback.requests).toHaveLength(2);
    expect(counted(run)).toEqual(countsOf(2));
  });

  it('reserves once where a request is observed underneath', async () => {
    const { ai, model, run } = await start(ways[0], [completion()], {
      budget: { limits: { usd: 1, window: 'session' } },
    });
    await sdks.generateText({ model, prompt: 'Hi', telemetry: { integrations: ai } });
    const [status] = await run.telemetry.budget.status();
    expect(status?.spent.usd).toBeCloseTo(0.00045, 8);
    expect(status?.reserved.usd).toBe(0);
  });

  it('flushes a stream’s operation with the request that it was in', async () => {
    const sent: string[] = [];
    const exporters = [(spans: readonly { name: string }[]) => void sent.push(...spans.map(({ name }) => name))];
    const { ai, model, run } = await start(ways[0], [chunks()], { exporters });
    const waiting: Promise<unknown>[] = [];
    const waitUntil = (promise: Promise<unknown>) => void waiting.push(promise);
    // The answer has begun; its rest is read by another.
    const ask = async () => {
      const result = sdks.streamText({ model, prompt: 'Hi', telemetry: { integrations: ai } });
      const pieces = result.textStream[Symbol.asyncIterator]();
      await pieces.next();
      return pieces;
    };
    const pieces = await run.telemetry.with({ waitUntil }, ask);
    while (!(await pieces.next()).done);
    await Promise.all(waiting);
    expect(sent.toSorted()).toEqual(['ai.streamText', 'chat gpt-4o-mini']);
  });

  it('serves as the integration of a whole program', async () => {
    const { model, run } = await start(ways[0], [completion()]);
    const scope = globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: unknown };
    const before = scope.AI_SDK_TELEMETRY_INTEGRATIONS;
    sdks.registerTelemetry(aiSdkTelemetry(run.telemetry));
    try {
      await run.telemetry.span('request', () => sdks.generateText({ model, prompt: 'Hi' }));
    } finally {
      scope.AI_SDK_TELEMETRY_INTEGRATIONS = before;
    }
    expect(tree(run.telemetry.spans)).toEqual([
      'request',
      'request > ai.generateText',
      'request > ai.generateText > chat gpt-4o-mini',
    ]);
  });

  it('passes through where telemetry is off', async () => {
    const { ai, model, run } = await start(ways[0], [completion()], { enabled: false });
    const { text } = await sdks.generateText({ model, prompt: 'Hi', telemetry: { integrations: ai } });
    expect(text).toBe('Hello there.');
    expect(run.telemetry.spans).toEqual([]);
  });
});
