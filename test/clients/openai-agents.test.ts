import { describe, expect, it } from 'vitest';
import { createTraceProcessor } from '../../adapters/openai-agents/index.ts';
import type { TelemetryOptions } from '../../src/index.ts';
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
  type Way,
  ways,
} from './framework-runs.ts';
import { isInstalled, remedy, versionOf } from './installed.ts';
import { type Answer, json, silence } from './loopback.ts';
import * as wire from './openai-wire.ts';

const installed = isInstalled('@openai/agents');
const sdks = installed
  ? { ...(await import('@openai/agents')), OpenAI: (await import('openai')).OpenAI, ...(await import('zod')) }
  : undefined!;

async function start(way: Way, script: readonly Answer[], options: TelemetryOptions & { responses?: boolean } = {}) {
  const { responses = false, ...rest } = options;
  const run = await startRun(way, script, rest);
  // Alone: the SDK's own processor sends its traces to OpenAI.
  sdks.setTraceProcessors([createTraceProcessor(run.telemetry)]);
  sdks.setTracingDisabled(false);
  const client = new sdks.OpenAI({ apiKey: 'k', maxRetries: 0, baseURL: `${run.loopback.url}/v1`, fetch: run.fetch });
  const modelProvider = new sdks.OpenAIProvider({ openAIClient: client, useResponses: responses });
  return { run, runner: new sdks.Runner({ modelProvider, model: 'gpt-4o-mini' }) };
}

const weather = () =>
  sdks.tool({
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: sdks.z.object({ city: sdks.z.string() }),
    execute: async ({ city }: { city: string }) => `Sun in ${city}`,
  });

/** Without its request nobody tells which model a response was asked of. */
const respondingName = (way: Way) => (way === ways[0] ? 'chat gpt-4o-mini' : 'chat gpt-4o-mini-2024-07-18');

const response = (over: object = {}) => json(200, { ...wire.response(), ...over });

describe.skipIf(!installed)(`the OpenAI Agents SDK ${versionOf('@openai/agents')} (${remedy})`, () => {
  describe.each(ways)('with %s', (way) => {
    it('shows a run, its agent and its call', async () => {
      const { run, runner } = await start(way, [completion()]);
      const agent = new sdks.Agent({ name: 'helper', instructions: 'Help.' });
      const result = await run.telemetry.span('request', () => runner.run(agent, 'Hi'));
      expect(result.finalOutput).toBe('Hello there.');
      expect(tree(run.telemetry.spans)).toEqual([
        'request',
        'request > Agent workflow',
        'request > Agent workflow > invoke_agent helper',
        'request > Agent workflow > invoke_agent helper > chat gpt-4o-mini',
      ]);
      expect(counted(run)).toEqual(countsOf(1));
      expect(modelSpans(run.telemetry.spans)[0]).toMatchObject({
        kind: 2,
        attributes: {
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'gpt-4o-mini',
          'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
          'gen_ai.response.id': expect.stringMatching(/^chatcmpl-/),
          'gen_ai.response.finish_reasons': ['stop'],
          'llm.cost_usd': 0.00045,
        },
      });
      expect(run.telemetry.metrics.value('llm_tokens_total', { agent: 'helper' })).toBe(1500);
    });

    it('counts a call of the Responses API, with what it caches and thinks', async () => {
      const { run, runner } = await start(way, [response()], { responses: true });
      await runner.run(new sdks.Agent({ name: 'helper' }), 'Hi');
      expect(counted(run)).toEqual(countsOf(1));
      expect(tree(run.telemetry.spans)).toContain(`Agent workflow > invoke_agent helper > ${respondingName(way)}`);
      expect(modelSpans(run.telemetry.spans)[0]?.attributes).toMatchObject({
        'gen_ai.response.id': 'resp_1',
        'gen_ai.usage.cache_read.input_tokens': 400,
        'gen_ai.usage.reasoning.output_tokens': 100,
      });
    });

    it.each([false, true])('counts a stream (Responses API: %s)', async (responses) => {
      const script = responses ? streamOf(wire.responseEvents()) : chunks();
      const { run, runner } = await start(way, [script], { responses });
      const result = await runner.run(new sdks.Agent({ name: 'helper' }), 'Hi', { stream: true });
      let text = '';
      for await (const piece of result.toTextStream()) text += piece;
      await result.completed;
      expect(text).toBe('Hello there.');
      await expect.poll(() => run.telemetry.spans.length).toBe(3);
      expect(counted(run)).toEqual(countsOf(1));
      const name = responses ? respondingName(way) : 'chat gpt-4o-mini';
      expect(tree(run.telemetry.spans)).toContain(`Agent workflow > invoke_agent helper > ${name}`);
    });

    it('shows a loop of two turns with parallel tools', async () => {
      const { run, runner } = await start(way, [toolCalls('Lisbon', 'Porto'), completion()]);
      await runner.run(new sdks.Agent({ name: 'forecaster', tools: [weather()] }), 'Weather?');
      const agent = 'Agent workflow > invoke_agent forecaster';
      expect(tree(run.telemetry.spans)).toEqual([
        'Agent workflow',
        agent,
        `${agent} > chat gpt-4o-mini`,
        `${agent} > chat gpt-4o-mini`,
        `${agent} > execute_tool get_weather`,
        `${agent} > execute_tool get_weather`,
      ]);
      expect(counted(run)).toEqual(countsOf(2));
      const { metrics } = run.telemetry;
      expect(metrics.value('llm_tool_calls_total', { tool_name: 'get_weather' })).toBe(2);
      expect(metrics.value('llm_tool_executions_total', { tool_name: 'get_weather', status: 'ok' })).toBe(2);
    });

    it('keeps two agents apart that ask at once', async () => {
      const { run, runner } = await start(way, [response({ id: 'resp_a' }), response({ id: 'resp_b' })], {
        responses: true,
      });
      await Promise.all(['one', 'two'].map((name) => runner.run(new sdks.Agent({ name }), 'Hi')));
      expect(counted(run)).toEqual(countsOf(2));
      expect(tree(run.telemetry.spans)).toEqual([
        'Agent workflow',
        'Agent workflow',
        'Agent workflow > invoke_agent one',
        `Agent workflow > invoke_agent one > ${respondingName(way)}`,
        'Agent workflow > invoke_agent two',
        `Agent workflow > invoke_agent two > ${respondingName(way)}`,
      ]);
    });

    it('shows a handoff, and whose call came after it', async () => {
      const call = { id: 'call_1', type: 'function', function: { name: 'transfer_to_expert', arguments: '{}' } };
      const { run, runner } = await start(way, [completion(null, [call]), completion()]);
      const expert = new sdks.Agent({ name: 'expert' });
      await runner.run(sdks.Agent.create({ name: 'desk', handoffs: [expert] }), 'Hi');
      expect(tree(run.telemetry.spans)).toEqual([
        'Agent workflow',
        'Agent workflow > invoke_agent desk',
        'Agent workflow > invoke_agent desk > chat gpt-4o-mini',
        'Agent workflow > invoke_agent desk > handoff expert',
        'Agent workflow > invoke_agent expert',
        'Agent workflow > invoke_agent expert > chat gpt-4o-mini',
      ]);
      const handoff = run.telemetry.spans.find(({ name }) => name === 'handoff expert');
      expect(handoff?.attributes).toMatchObject({ 'edgespan.handoff.from': 'desk', 'edgespan.handoff.to': 'expert' });
      expect(counted(run)).toEqual(countsOf(2));
      expect(run.telemetry.metrics.value('llm_requests_total', { agent: 'expert' })).toBe(1);
    });

    it('counts what a guardrail stops', async () => {
      const { run, runner } = await start(way, [completion()]);
      const guardrail = {
        name: 'no_homework',
        execute: async () => ({ tripwireTriggered: true, outputInfo: {} }),
        runInParallel: false,
      };
      const agent = new sdks.Agent({ name: 'helper', inputGuardrails: [guardrail] });
      await expect(runner.run(agent, 'Hi')).rejects.toThrow('guardrail');
      const { metrics, spans } = run.telemetry;
      const span = spans.find(({ name }) => name === 'guardrail no_homework');
      expect(span?.attributes['edgespan.guardrail.triggered']).toBe(true);
      expect(metrics.value('llm_guardrail_violations_total', { guardrail_id: 'no_homework' })).toBe(1);
    });

    it('tells what fails from what is left', async () => {
      const { run, runner } = await start(way, [failure(429, 'requests', 'rate_limit_exceeded'), silence]);
      const agent = new sdks.Agent({ name: 'helper' });
      await expect(runner.run(agent, 'Hi')).rejects.toThrow('No.');
      const controller = new AbortController();
      const leaving = runner.run(agent, 'Ho', { signal: controller.signal });
      await expect.poll(() => run.loopback.requests.length).toBe(2);
      controller.abort();
      await expect(leaving).rejects.toThrow(/abort/i);
      await expect.poll(() => run.telemetry.spans.length).toBe(6);
      expect(counted(run)).toEqual(countsOf(2, { failed: 1, input: 0, output: 0, aborted: 1 }));
      const [failed] = modelSpans(run.telemetry.spans);
      expect(failed).toMatchObject({ status: { code: 2 }, attributes: { 'edgespan.error_class': 'rate_limit' } });
    });

    it('tells a tool that fails', async () => {
      const { run, runner } = await start(way, [toolCalls('Lisbon'), completion()]);
      const get_weather = sdks.tool({
        name: 'get_weather',
        description: 'The weather of a city.',
        parameters: sdks.z.object({ city: sdks.z.string() }),
        execute: async () => {
          throw new RangeError('No sun.');
        },
      });
      await runner.run(new sdks.Agent({ name: 'forecaster', tools: [get_weather] }), 'Weather?');
      const tool = run.telemetry.spans.find(({ name }) => name === 'execute_tool get_weather');
      expect(tool?.status.code).toBe(2);
      expect(counted(run)).toEqual(countsOf(2));
    });
  });

  it('captures what tools are given where the program asks for it', async () => {
    const { run, runner } = await start(ways[0], [toolCalls('Lisbon'), completion()], {
      capture: { inputs: true, outputs: true },
    });
    await runner.run(new sdks.Agent({ name: 'forecaster', tools: [weather()] }), 'Weather?');
    const tool = run.telemetry.spans.find(({ name }) => name === 'execute_tool get_weather');
    expect(tool?.attributes).toMatchObject({
      'gen_ai.tool.call.arguments': '{"city":"Lisbon"}',
      'gen_ai.tool.call.result': '"Sun in Lisbon"',
    });
  });
});

function streamOf(frames: readonly string[]): Answer {
  return (reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.end(frames.join(''));
  };
}
