import type { Telemetry } from '../../src/index.ts';
import { equal, ok, thrown } from './assert.ts';
import { createTelemetry, type Suite, tick } from './suite.ts';
import { chatCompletion, chatStream, post } from './upstream.ts';

const prices = { 'gpt-4o-mini': { input: 1, output: 10 } };
const url = 'https://api.openai.com/v1/chat/completions';
const ask = post({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'My mail is jane@example.com' }] });

/** A client as SDKs make them: private fields, parts, a stream of what was parsed. */
class Completions {
  readonly #answer = chatCompletion;
  async create(_request: { model: string }) {
    await tick();
    return this.#answer;
  }
  async stream(_request: { model: string }) {
    await tick();
    return new Chunks();
  }
}

class Chunks {
  async *[Symbol.asyncIterator]() {
    for (const text of chatStream) {
      await tick();
      const data = text.replace(/^data: /, '').trim();
      if (data !== '[DONE]') yield JSON.parse(data) as object;
    }
  }
}

class Client {
  readonly completions = new Completions();
}

function tokens(telemetry: Telemetry) {
  return telemetry.spans.map(({ attributes }) => [
    attributes['gen_ai.usage.input_tokens'],
    attributes['gen_ai.usage.output_tokens'],
    attributes['llm.cost_usd'],
  ]);
}

// 12 × $1 + 7 × $10 a million
const known = [12, 7, 0.000082];

export const values: Suite = [
  {
    name: 'values: a function that answers what an SDK returns needs no extractor',
    async run(env) {
      const telemetry = createTelemetry(env, { prices });
      const create = telemetry.llm((request: { model: string }) => new Completions().create(request));
      equal(await create({ model: 'gpt-4o-mini' }), chatCompletion, 'result');
      equal(tokens(telemetry), [known], 'tokens and cost');
      equal(telemetry.spans[0]?.attributes['gen_ai.request.model'], 'gpt-4o-mini', 'asked');
    },
  },
  {
    name: 'values: a stream that a function returned is read as it is read by its caller',
    async run(env) {
      const telemetry = createTelemetry(env, { prices });
      const chunks = await telemetry.llm(() => new Completions().stream({ model: 'gpt-4o-mini' }))();
      ok(chunks instanceof Chunks, 'the same stream');
      equal(telemetry.spans.length, 0, 'spans before its end');
      let items = 0;
      for await (const _ of chunks) items++;
      equal([items, tokens(telemetry)], [5, [known]], 'items, tokens and cost');
    },
  },
  {
    name: 'values: calls at the same time on one wrapped client keep apart',
    async run(env) {
      const telemetry = createTelemetry(env, { prices });
      const client = telemetry.wrap(new Client(), { type: 'llm', provider: 'openai' });
      ok(client instanceof Client, 'instanceof');
      await Promise.all(['a', 'b', 'c'].map((model) => client.completions.create({ model })));
      equal(
        telemetry.spans.map(({ attributes }) => attributes['gen_ai.request.model']),
        ['a', 'b', 'c'],
        'asked',
      );
      equal(telemetry.metrics.value('llm_requests_total', { provider: 'openai' }), 3, 'counted');
    },
  },
  {
    name: 'values: a wrapped object runs on itself, and throws what it throws',
    async run(env) {
      const telemetry = createTelemetry(env);
      class Store {
        readonly #size = 2;
        get size() {
          return this.#size;
        }
        fail(): never {
          throw new RangeError('no');
        }
      }
      const store = telemetry.wrap(new Store());
      equal(store.size, 2, 'getter over a private field');
      ok((await thrown(() => store.fail())) instanceof RangeError, 'the error');
      equal([telemetry.spans[0]?.name, telemetry.spans[0]?.status.code], ['Store.fail', 2], 'span');
    },
  },
  {
    name: 'values: a session counts what goes through its fetch, without async context too',
    async run(env) {
      const telemetry = createTelemetry(env, { prices, fetch: async () => Response.json(chatCompletion) });
      const session = telemetry.session();
      for (const fetch of [session.fetch, session.fetch, telemetry.fetch]) await (await fetch(url, ask)).text();
      equal([session.usage().calls, session.usage().totalTokens], [2, 38], 'calls and tokens');
      equal(session.costs()[0]?.costUsd, 0.000082, 'cost of one');
    },
  },
  {
    name: 'values: what is said is kept where it is wanted, and secrets are not',
    async run(env) {
      const telemetry = createTelemetry(env, {
        fetch: async () => Response.json(chatCompletion),
        capture: { inputs: true, outputs: true },
        redact: /\S+@example\.com/,
      });
      await (await telemetry.fetch(url, ask)).text();
      const { attributes } = telemetry.spans[0]!;
      const [input, output] = ['input', 'output'].map((name) => String(attributes[`gen_ai.${name}.messages`]));
      equal(JSON.parse(input!)[0].parts, [{ type: 'text', content: 'My mail is [REDACTED]' }], 'input');
      equal(JSON.parse(output!)[0].parts, [{ type: 'text', content: 'Grüße, 世界 🌍' }], 'output');
    },
  },
  {
    name: 'values: a call made elsewhere counts like any other',
    run(env) {
      const telemetry = createTelemetry(env, { prices });
      const call = { provider: 'openai', model: 'gpt-4o-mini', latencyMs: 250, inputTokens: 12, outputTokens: 7 };
      telemetry.recordLlmCall(call);
      telemetry.recordLlmCall({ ...call, cacheHit: 'exact' });
      equal(tokens(telemetry), [known, [0, 0, 0]], 'tokens and cost');
      equal(telemetry.metrics.value('llm_cache_hits_total', { cache_type: 'exact' }), 1, 'hits');
    },
  },
  {
    name: 'values: tools know whom their agent asked, by the telemetry that a function is handed',
    async run(env) {
      const telemetry = createTelemetry(env, { fetch: async () => Response.json(chatCompletion) });
      await telemetry.span('research', { type: 'agent' }, async (_span, inside) => {
        await (await inside.fetch(url, ask)).text();
        await inside.span('search', { type: 'tool' }, () => tick());
      });
      const tool = telemetry.spans.find(({ name }) => name === 'execute_tool search');
      equal(
        ['gen_ai.agent.name', 'llm.provider', 'llm.model'].map((name) => tool?.attributes[name]),
        ['research', 'openai', 'gpt-4o-mini-2024-07-18'],
        'inherited',
      );
    },
  },
];
