import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../support/bundle.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const usage = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
const frames = [
  ...['Hello', ' there', '.'].map((response) => ({ response, p: 'abcdef' })),
  { response: '', usage: { ...usage, neurons: 63.2 } },
];

/**
 * A stand-in for the binding, which itself needs Cloudflare's network. Like that it is an object made by a module of the
 * runtime's, with private fields, that asks a service and hands its stream on; it answers what the vendor's documentation
 * shows. https://developers.cloudflare.com/workers-ai/configuration/bindings/
 */
const binding = `
  const usage = ${JSON.stringify(usage)};
  const sse = ${JSON.stringify([...frames.map((frame) => JSON.stringify(frame)), '[DONE]'])}
    .map((data) => 'data: ' + data + '\\n\\n');

  class Ai {
    #answered = 0;
    lastRequestId = null;
    async run(model, inputs, options) {
      this.#answered++;
      if (inputs.prompt === 'busy') {
        const error = new Error('3040: Capacity temporarily exceeded, please try again.');
        error.name = 'InferenceUpstreamError';
        throw error;
      }
      if (inputs.text) return { shape: [1, 3], data: [[0.25, 0.5, 0.75]], pooling: 'mean' };
      if (inputs.tools) {
        return { response: null, tool_calls: [{ name: 'get_weather', arguments: { city: 'Lisbon' } }], usage };
      }
      if (!inputs.stream) return { response: 'Hello there.', usage: { ...usage, neurons: 63.2 } };
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      const bytes = new TextEncoder();
      (async () => {
        for (const text of sse) await writer.write(bytes.encode(text));
        await writer.close();
      })().catch(() => {});
      return readable;
    }
  }

  export default () => new Ai();
`;

interface Told {
  readonly outcome: { readonly returned?: unknown; readonly thrown?: string };
  readonly spans: readonly { name: string; status: number; attributes: Record<string, unknown> }[];
}

describe('the binding of Workers AI', () => {
  let worker: StartedWorker;
  beforeAll(async () => {
    const app = await bundle("export { default } from './test/runtimes/workers/ai.worker.ts';", 'workerd');
    worker = await startWorker('export default {};', {
      workers: [
        {
          name: 'app',
          modules: true,
          script: app,
          compatibilityDate: '2026-08-03',
          compatibilityFlags: ['nodejs_als', 'enable_request_signal'],
          wrappedBindings: { AI: 'ai' },
        },
        { name: 'ai', modules: true, script: binding },
      ],
    } as never);
  });
  afterAll(() => worker.stop());

  async function call(way: string, name: string): Promise<Told> {
    const response = await worker.miniflare.dispatchFetch(
      `http://localhost/?way=${encodeURIComponent(way)}&call=${encodeURIComponent(name)}`,
    );
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text) as Told;
  }

  /** The one model call, beside the request that it was made for. */
  function only({ spans }: Told) {
    const models = spans.filter(({ attributes }) => attributes['llm.operation'] !== undefined);
    expect(models).toHaveLength(1);
    const { status, attributes } = models[0]!;
    return {
      status,
      provider: attributes['llm.provider'],
      model: attributes['llm.model'],
      operation: attributes['llm.operation'],
      usage: [attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.output_tokens']],
      cost: attributes['llm.cost_usd'],
      neurons: attributes['edgespan.usage.neurons'],
      tools: attributes['llm.tool_names'],
    };
  }

  const chat = {
    status: 0,
    provider: 'cloudflare',
    model: '@cf/meta/llama-3.1-8b-instruct',
    operation: 'chat',
    usage: [1000, 500],
    // 1,000 × $0.282 and 500 × $0.827 a million
    cost: 0.0006955,
    neurons: 63.2,
    tools: [],
  };

  describe.each(['wrap', 'llm', 'llm around a call'])('by %s', (way) => {
    it('answers, and is counted', async () => {
      const told = await call(way, 'plain');
      expect(told.outcome.returned).toEqual({ response: 'Hello there.', usage: { ...usage, neurons: 63.2 } });
      expect(only(told)).toEqual(chat);
    });

    it('asks for tools', async () => {
      const told = await call(way, 'tools');
      expect(only(told)).toEqual({ ...chat, tools: ['get_weather'], neurons: undefined });
    });

    it('streams the same bytes', async () => {
      const told = await call(way, 'stream');
      const lines = [...frames.map((frame) => JSON.stringify(frame)), '[DONE]'].map((data) => `data: ${data}\n\n`);
      expect(told.outcome.returned).toBe(lines.join(''));
      expect(only(told)).toEqual({ ...chat, operation: 'stream' });
    });

    it('may be left in the middle of a stream', async () => {
      const told = await call(way, 'stream to nobody');
      expect(only(told)).toMatchObject({ status: 0, operation: 'stream', usage: [undefined, undefined] });
    });

    it('embeds, which has no count', async () => {
      const told = await call(way, 'embed');
      expect(told.outcome.returned).toMatchObject({ shape: [1, 3] });
      expect(only(told)).toMatchObject({
        status: 0,
        operation: 'embed',
        model: '@cf/baai/bge-base-en-v1.5',
        usage: [undefined, undefined],
        cost: undefined,
      });
    });

    it('throws what the binding throws', async () => {
      const told = await call(way, 'busy');
      expect(told.outcome.thrown).toMatch(/^InferenceUpstreamError: 3040/);
      expect(only(told)).toMatchObject({ status: 2, model: chat.model });
      const { attributes } = told.spans.find(({ status }) => status === 2)!;
      expect(attributes['edgespan.error_class']).toBe('rate_limit');
    });
  });
});
