import { createTelemetry, instrument } from 'edgespan/workers';

interface Env {
  AI: Ai;
}

const telemetry = createTelemetry({ inMemory: true });
const model = '@cf/meta/llama-3.1-8b-instruct';
const messages = [{ role: 'user', content: 'Hi' }];

/** The ways in which a Worker may have its binding observed. */
const ways: Readonly<Record<string, (ai: Ai) => Ai['run']>> = {
  wrap: (ai) => {
    const wrapped = telemetry.wrap(ai, { type: 'llm' });
    return ((...args: Parameters<Ai['run']>) => wrapped.run(...args)) as Ai['run'];
  },
  llm: (ai) => telemetry.llm((...args: Parameters<Ai['run']>) => ai.run(...args)) as Ai['run'],
  'llm around a call': (ai) =>
    ((...args: Parameters<Ai['run']>) =>
      telemetry.llm({ provider: 'cloudflare', model: args[0] as string }, () => ai.run(...args))()) as Ai['run'],
};

/** What the types of an unlisted model do not say. */
const stream = (run: Ai['run']) => run(model, { messages, stream: true }) as unknown as Promise<ReadableStream>;

const calls: Readonly<Record<string, (run: Ai['run']) => Promise<unknown>>> = {
  plain: (run) => run(model, { messages }),
  tools: (run) => run(model, { messages, tools: [] }),
  embed: (run) => run('@cf/baai/bge-base-en-v1.5', { text: ['Hi'] }),
  stream: async (run) => new Response(await stream(run)).text(),
  'stream to nobody': async (run) => {
    const reader = (await stream(run)).getReader();
    await reader.read();
    await reader.cancel();
  },
  busy: (run) => run(model, { prompt: 'busy' }),
};

export default instrument(
  {
    async fetch(request: Request, env: Env): Promise<Response> {
      telemetry.clearSpans();
      const { searchParams } = new URL(request.url);
      const run = ways[searchParams.get('way')!]!(env.AI);
      const outcome = await calls[searchParams.get('call')!]!(run).then(
        (returned) => ({ returned }),
        (thrown: Error) => ({ thrown: `${thrown.name}: ${thrown.message}` }),
      );
      const spans = telemetry.spans.map(({ name, status, attributes }) => ({ name, status: status.code, attributes }));
      return Response.json({ outcome, spans });
    },
  },
  telemetry,
);
