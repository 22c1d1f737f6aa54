import { describe, expect, it } from 'vitest';
import { aiSdkTelemetry } from '../../adapters/ai-sdk/index.ts';
import { createCallbackHandler } from '../../adapters/langchain/index.ts';
import { instrumentMcpClient } from '../../adapters/mcp/index.ts';
import { createTraceProcessor } from '../../adapters/openai-agents/index.ts';
import type { Evaluator } from '../../src/index.ts';
import { completion, counted, countsOf, type FrameworkRun, startRun, toolCalls, tree, ways } from './framework-runs.ts';
import { isInstalled, remedy } from './installed.ts';
import { json } from './loopback.ts';
import * as wire from './openai-wire.ts';

const needed = ['@langchain/core', '@langchain/langgraph', '@langchain/mcp-adapters', '@openai/agents', 'ai'];
const installed = [...needed, '@modelcontextprotocol/sdk'].every(isInstalled);
const sdks = installed
  ? {
      ...(await import('@langchain/openai')),
      ...(await import('@langchain/langgraph')),
      ...(await import('@langchain/langgraph/prebuilt')),
      ...(await import('@langchain/mcp-adapters')),
      ...(await import('@modelcontextprotocol/sdk/client/index.js')),
      ...(await import('@modelcontextprotocol/sdk/inMemory.js')),
      ...(await import('@modelcontextprotocol/sdk/server/mcp.js')),
      z: (await import('zod')).z,
      lcTool: (await import('@langchain/core/tools')).tool,
      agents: await import('@openai/agents'),
      OpenAI: (await import('openai')).OpenAI,
      ai: await import('ai'),
      createOpenAI: (await import('@ai-sdk/openai')).createOpenAI,
    }
  : undefined!;

async function start(...given: Parameters<typeof startRun>) {
  const run = await startRun(...given);
  const baseURL = `${run.loopback.url}/v1`;
  const client = new sdks.OpenAI({ apiKey: 'k', maxRetries: 0, baseURL, fetch: run.fetch });
  const configuration = { baseURL, fetch: run.fetch };
  return {
    run,
    baseURL,
    client,
    /** A model of each. */
    langchain: () => new sdks.ChatOpenAI({ apiKey: 'k', maxRetries: 0, configuration, model: 'gpt-4o-mini' }),
    agents: (responses = false) => {
      sdks.agents.setTraceProcessors([createTraceProcessor(run.telemetry)]);
      sdks.agents.setTracingDisabled(false);
      const Model = responses ? sdks.agents.OpenAIResponsesModel : sdks.agents.OpenAIChatCompletionsModel;
      return new Model(client, 'gpt-4o-mini');
    },
    /** What the application does by itself, without a framework. */
    async ownWork(name: string) {
      const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: name }] });
      const headers = { 'content-type': 'application/json' };
      const ask = () => run.telemetry.fetch(`${baseURL}/chat/completions`, { method: 'POST', headers, body });
      await run.telemetry.span(`work of ${name}`, async () => (await ask()).text());
      return 'done';
    },
  };
}

const question = { messages: [{ role: 'user', content: 'Weather?' }] };
const city = () => sdks.z.object({ city: sdks.z.string() });
const described = { name: 'get_weather', description: 'The weather of a city.' };

/** A client of MCP, connected to a server in memory with one tool. */
async function connectTools(run: FrameworkRun) {
  const server = new sdks.McpServer({ name: 'tools', version: '1.0.0' });
  server.registerTool('get_weather', { inputSchema: city() as never }, (() => ({
    content: [{ type: 'text', text: 'Sun' }],
  })) as never);
  const client = instrumentMcpClient(new sdks.Client({ name: 'app', version: '1.0.0' }), run.telemetry);
  const [near, far] = sdks.InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far), client.connect(near)]);
  return client;
}

describe.skipIf(!installed)(`what runs in a framework (${remedy})`, () => {
  describe.each(ways)('with %s', (way) => {
    it('LangGraph: is in its node or its tool, where that is no framework’s too', async () => {
      const { run, langchain, ownWork } = await start(way, [
        toolCalls('Lisbon', 'Porto'),
        completion(),
        completion(),
        completion(),
        completion(),
      ]);
      const tool = sdks.lcTool(({ city }: { city: string }) => ownWork(city), { ...described, schema: city() });
      const agent = sdks.createReactAgent({ llm: langchain(), tools: [tool], name: 'forecaster' });
      const callbacks = [createCallbackHandler(run.telemetry)];
      await run.telemetry.span('request', () => agent.invoke(question, { callbacks }));
      const graph = 'request > invoke_agent forecaster';
      expect(tree(run.telemetry.spans).filter((path) => path.includes('work'))).toEqual([
        `${graph} > tools > execute_tool get_weather > work of Lisbon`,
        `${graph} > tools > execute_tool get_weather > work of Lisbon > chat gpt-4o`,
        `${graph} > tools > execute_tool get_weather > work of Porto`,
        `${graph} > tools > execute_tool get_weather > work of Porto > chat gpt-4o`,
      ]);
      expect(counted(run)).toEqual(countsOf(4));
      expect(run.telemetry.metrics.value('llm_tokens_total', { agent: 'forecaster' })).toBe(6000);
    });

    it('LangGraph: a model asked in a span of the node’s own is in that span', async () => {
      const { run, langchain } = await start(way, [completion(), completion()]);
      const state = sdks.Annotation.Root({ said: sdks.Annotation<string> });
      const model = langchain();
      const node = (name: string) => async () => {
        const { content } = await run.telemetry.span(`think ${name}`, () => model.invoke('Weather?'));
        return { said: String(content) };
      };
      const graph = new sdks.StateGraph(state)
        .addNode('a', node('a'))
        .addNode('b', node('b'))
        .addEdge(sdks.START, 'a')
        .addEdge('a', 'b')
        .addEdge('b', sdks.END)
        .compile({ name: 'flow' });
      await graph.invoke({ said: '' }, { callbacks: [createCallbackHandler(run.telemetry)] });
      expect(tree(run.telemetry.spans)).toEqual([
        'invoke_agent flow',
        'invoke_agent flow > a',
        'invoke_agent flow > a > think a',
        'invoke_agent flow > a > think a > chat gpt-4o-mini',
        'invoke_agent flow > b',
        'invoke_agent flow > b > think b',
        'invoke_agent flow > b > think b > chat gpt-4o-mini',
      ]);
      expect(counted(run)).toEqual(countsOf(2));
    });

    it('Agents SDK: is in its tool', async () => {
      const { run, agents, ownWork } = await start(way, [toolCalls('Lisbon'), completion(), completion()]);
      const execute = ({ city }: { city: string }) => ownWork(city);
      const tool = sdks.agents.tool({ ...described, parameters: city(), execute });
      const agent = new sdks.agents.Agent({ name: 'forecaster', model: agents(), tools: [tool] });
      await sdks.agents.run(agent, 'Weather?');
      const inTool = 'Agent workflow > invoke_agent forecaster > execute_tool get_weather > work of Lisbon';
      expect(tree(run.telemetry.spans)).toEqual(expect.arrayContaining([inTool, `${inTool} > chat gpt-4o`]));
      expect(counted(run)).toEqual(countsOf(3));
    });

    it('LangGraph: a tool of MCP has one span and one run, in the trace of its caller', async () => {
      const { run, langchain } = await start(way, [toolCalls('Lisbon', 'Porto'), completion()]);
      const client = await connectTools(run);
      const tools = await sdks.loadMcpTools('weather', client as never);
      run.telemetry.clearSpans();
      const agent = sdks.createReactAgent({ llm: langchain(), tools, name: 'forecaster' });
      await agent.invoke(question, { callbacks: [createCallbackHandler(run.telemetry)] });
      await client.close();
      expect(tree(run.telemetry.spans).filter((path) => /get_weather$/.test(path))).toEqual([
        'invoke_agent forecaster > tools > execute_tool get_weather',
        'invoke_agent forecaster > tools > execute_tool get_weather',
      ]);
      const ran = run.telemetry.spans.filter(({ name }) => name === 'execute_tool get_weather');
      for (const { attributes } of ran)
        expect(attributes).toMatchObject({ 'mcp.method.name': 'tools/call', remote: true });
      expect(new Set(ran.map(({ attributes }) => attributes['jsonrpc.request.id'])).size).toBe(2);
      expect(run.telemetry.metrics.value('llm_tool_executions_total')).toBe(2);
      expect(counted(run)).toEqual(countsOf(2));
    });

    it('Agents SDK: a tool of MCP has one span and one run, in the trace of its caller', async () => {
      const { run, agents } = await start(way, [toolCalls('Lisbon'), completion()]);
      const client = await connectTools(run);
      const tool = sdks.agents.tool({
        ...described,
        parameters: city(),
        execute: async (args) => JSON.stringify(await client.callTool({ name: 'get_weather', arguments: args })),
      });
      run.telemetry.clearSpans();
      await sdks.agents.run(new sdks.agents.Agent({ name: 'forecaster', model: agents(), tools: [tool] }), 'Weather?');
      await client.close();
      const tools = run.telemetry.spans.filter(({ name }) => /get_weather$/.test(name));
      expect(tools.map(({ name, attributes }) => [name, attributes['mcp.method.name']])).toEqual([
        ['execute_tool get_weather', 'tools/call'],
      ]);
      expect(run.telemetry.metrics.value('llm_tool_executions_total')).toBe(1);
      expect(counted(run)).toEqual(countsOf(2));
    });

    it('is told twice by two listeners of one telemetry, and counted once', async () => {
      const { run, langchain, agents } = await start(way, [completion(), completion()]);
      const callbacks = [createCallbackHandler(run.telemetry), createCallbackHandler(run.telemetry)];
      await langchain().invoke('Hi', { callbacks });
      const model = agents();
      sdks.agents.setTraceProcessors([createTraceProcessor(run.telemetry), createTraceProcessor(run.telemetry)]);
      await sdks.agents.run(new sdks.agents.Agent({ name: 'a', model }), 'Hi');
      const { odd, ...counts } = counted(run);
      expect({ ...counts, odd: 0 }).toEqual(countsOf(2));
      expect(odd).toBeGreaterThan(0);
      expect(run.telemetry.spans).toHaveLength(4);
    });

    it('is judged, though nothing of it is captured', async () => {
      const seen: unknown[] = [];
      const keeper: Evaluator = {
        name: 'kept',
        evaluate({ prompt, completion }) {
          seen.push([prompt, completion]);
          return { score: 1 };
        },
      };
      const script = [completion(), completion(), json(200, wire.response()), completion('{"city":"Porto"}')];
      const options = { evaluation: { evaluators: [keeper] } };
      const { run, baseURL, langchain, agents } = await start(way, script, options);
      await langchain().invoke('One?', { callbacks: [createCallbackHandler(run.telemetry)] });
      await sdks.agents.run(new sdks.agents.Agent({ name: 'a', model: agents() }), 'Two?');
      await sdks.agents.run(new sdks.agents.Agent({ name: 'a', model: agents(true) }), 'Three?');
      const model = sdks.createOpenAI({ apiKey: 'k', baseURL, fetch: run.fetch }).chat('gpt-4o-mini');
      const telemetry = { integrations: aiSdkTelemetry(run.telemetry) };
      await sdks.ai.generateObject({ model, prompt: 'Four?', schema: city(), telemetry });
      await run.telemetry.flush();
      expect(seen.toSorted()).toEqual([
        ['Four?', '{"city":"Porto"}'],
        ['One?', 'Hello there.'],
        ['Three?', 'Hello there.'],
        ['Two?', 'Hello there.'],
      ]);
      const parents = tree(run.telemetry.spans).filter((path) => path.endsWith('evaluate kept'));
      expect(parents.every((path) => / ?chat [^>]+ > evaluate kept$/.test(path))).toBe(true);
      expect(JSON.stringify(run.telemetry.spans.map(({ attributes }) => attributes))).not.toContain('Three?');
    });
  });
});
