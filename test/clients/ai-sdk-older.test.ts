import { describe, expect, it } from 'vitest';
import { aiSdkMiddleware } from '../../adapters/ai-sdk/index.ts';
import {
  chunks,
  completion,
  counted,
  countsOf,
  failure,
  modelSpans,
  startRun,
  toolCalls,
  toolChunks,
  tree,
  ways,
} from './framework-runs.ts';
import { isInstalled, remedy, versionOf } from './installed.ts';
import { json, silence, sse } from './loopback.ts';
import * as wire from './openai-wire.ts';

const installed = isInstalled('ai5') && isInstalled('ai6');
const { z } = installed ? await import('zod') : undefined!;
type Seven = typeof import('ai') & typeof import('@ai-sdk/openai');

/** Each major version with its own copy of OpenAI's provider; they agree in what is used here. */
async function load(ai: string, openai: string) {
  return { version: versionOf(ai), sdks: { ...(await import(ai)), ...(await import(openai)) } as Seven };
}

const versions = installed
  ? await Promise.all([load('ai5', 'ai-sdk-openai2'), load('ai6', 'ai-sdk-openai3'), load('ai', '@ai-sdk/openai')])
  : [{ version: '5', sdks: undefined! }];

describe.skipIf(!installed).each(versions)(`the middleware of the AI SDK $version (${remedy})`, ({ sdks }) => {
  async function start(...given: Parameters<typeof startRun>) {
    const run = await startRun(...given);
    const provider = sdks.createOpenAI({ apiKey: 'k', baseURL: `${run.loopback.url}/v1`, fetch: run.fetch });
    const middleware = aiSdkMiddleware(run.telemetry);
    const wrap = (model: ReturnType<typeof provider.chat>) => sdks.wrapLanguageModel({ model, middleware });
    return { run, provider, wrap, model: wrap(provider.chat('gpt-4o-mini')) };
  }

  const tool = (execute: (given: { city: string }) => Promise<string>) =>
    sdks.tool({ inputSchema: z.object({ city: z.string() }), execute });

  describe.each(ways)('with %s', (way) => {
    it('makes a call of one span, in the span around it', async () => {
      const { model, run } = await start(way, [completion()]);
      const { text } = await run.telemetry.span('request', () => sdks.generateText({ model, prompt: 'Hi' }));
      expect(text).toBe('Hello there.');
      expect(tree(run.telemetry.spans)).toEqual(['request', 'request > chat gpt-4o-mini']);
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]).toMatchObject({
        kind: 2,
        attributes: {
          'gen_ai.provider.name': 'openai',
          'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
          'gen_ai.response.id': expect.stringMatching(/^chatcmpl-/),
          'llm.cost_usd': 0.00045,
        },
      });
    });

    it('reads what the Responses API caches and thinks', async () => {
      const { provider, wrap, run } = await start(way, [json(200, wire.response())]);
      await sdks.generateText({ model: wrap(provider('gpt-4o-mini') as never), prompt: 'Hi' });
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]?.attributes).toMatchObject({
        'gen_ai.usage.cache_read.input_tokens': 400,
        'gen_ai.usage.reasoning.output_tokens': 100,
      });
    });

    it('sees a stream to its end, also one that asks for tools', async () => {
      const { model, run } = await start(way, [toolChunks(), chunks()]);
      const tools = { get_weather: tool(async () => 'Sun') };
      const result = sdks.streamText({ model, tools, stopWhen: sdks.stepCountIs(3), prompt: 'Weather?' });
      let text = '';
      for await (const piece of result.textStream) text += piece;
      expect(text).toBe('Hello there.');
      expect(counted(run)).toEqual(countsOf(2));
      const [first, second] = modelSpans(run.telemetry.spans).map(({ attributes }) => attributes);
      expect(first).toMatchObject({ 'llm.tool_names': ['get_weather'], 'llm.operation': 'stream' });
      expect(second?.['gen_ai.response.time_to_first_chunk']).toBeGreaterThanOrEqual(0);
    });

    it('counts each turn of a tool loop with parallel tools, under an agent of one’s own', async () => {
      const { model, run } = await start(way, [toolCalls('Lisbon', 'Porto'), completion()]);
      const get_weather = tool(run.telemetry.tool({ name: 'get_weather' }, async ({ city }) => `Sun in ${city}`));
      const agent = run.telemetry.agent({ name: 'forecaster' }, (prompt: string) =>
        sdks.generateText({ model, tools: { get_weather }, stopWhen: sdks.stepCountIs(3), prompt }),
      );
      await agent('Weather?');
      expect(tree(run.telemetry.spans)).toEqual([
        'invoke_agent forecaster',
        'invoke_agent forecaster > chat gpt-4o-mini',
        'invoke_agent forecaster > chat gpt-4o-mini',
        'invoke_agent forecaster > execute_tool get_weather',
        'invoke_agent forecaster > execute_tool get_weather',
      ]);
      expect(counted(run)).toEqual(countsOf(2));
      expect(run.telemetry.metrics.value('llm_requests_total', { agent: 'forecaster' })).toBe(2);
    });

    it('tells what fails from what is left', async () => {
      const { model, run } = await start(way, [failure(429, 'requests', 'rate_limit_exceeded'), silence]);
      const failing = sdks.generateText({ model, prompt: 'Hi', maxRetries: 0 });
      await expect(failing).rejects.toThrow('No.');
      const controller = new AbortController();
      const leaving = sdks.generateText({ model, prompt: 'Hi', maxRetries: 0, abortSignal: controller.signal });
      await expect.poll(() => run.loopback.requests.length).toBe(2);
      controller.abort();
      await expect(leaving).rejects.toThrow('aborted');
      expect(counted(run)).toEqual(countsOf(2, { failed: 1, input: 0, output: 0, aborted: 1 }));
      const [failed, left] = modelSpans(run.telemetry.spans);
      expect(failed).toMatchObject({ status: { code: 2 }, attributes: { 'edgespan.error_class': 'rate_limit' } });
      expect(left).toMatchObject({ status: { code: 0 }, attributes: { 'edgespan.aborted': true } });
    });

    it('makes no call that a budget refuses, be it streamed', async () => {
      const { model, run } = await start(way, [completion(), chunks()], {
        budget: { limits: { usd: 0.0009, window: 'session' }, estimateOutputTokens: 10 },
      });
      const asked = { model, prompt: 'Hi', maxOutputTokens: 500 };
      await sdks.generateText(asked);
      await sdks.streamText(asked).consumeStream();
      const [status] = await run.telemetry.budget.status();
      expect(status?.spent.usd).toBeCloseTo(0.0009, 8);
      expect(status?.reserved.usd).toBe(0);
      await expect(sdks.generateText(asked)).rejects.toMatchObject({ name: 'BudgetExceededError' });
      let refused: unknown;
      const onError = ({ error }: { error: unknown }) => {
        refused = error;
      };
      await sdks.streamText({ ...asked, onError }).consumeStream();
      expect(refused).toMatchObject({ name: 'BudgetExceededError' });
      expect(run.loopback.requests).toHaveLength(2);
      expect(counted(run)).toEqual(countsOf(2));
    });

    it('tells a stream that is refused from a call that is', async () => {
      const { model, run } = await start(way, [failure(500)]);
      await sdks.streamText({ model, prompt: 'Hi', maxRetries: 0, onError: () => {} }).consumeStream();
      const labels = { operation: 'stream', status: 'error' };
      expect(run.telemetry.metrics.value('llm_requests_total', labels)).toBe(1);
    });

    it('tells a stream that is aborted from one that breaks', async () => {
      const { model, run } = await start(way, [sse(wire.chatChunks().slice(0, 2), 'open'), sse(wire.errorChunks())]);
      const controller = new AbortController();
      const left = sdks.streamText({ model, prompt: 'Hi', abortSignal: controller.signal });
      for await (const _ of left.textStream) controller.abort();
      await sdks.streamText({ model, prompt: 'Hi', onError: () => {} }).consumeStream();
      await expect.poll(() => run.telemetry.spans.length).toBe(2);
      expect(counted(run)).toEqual(countsOf(2, { failed: 1, input: 0, output: 0, aborted: 1 }));
    });
  });
});
