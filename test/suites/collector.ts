import type * as Collector from '../../src/collector/index.ts';
import { equal, ok } from './assert.ts';

/** What holds of the collector on every runtime. */
export interface CollectorEnv {
  readonly collector: typeof Collector;
}

export interface CollectorTest {
  readonly name: string;
  run(env: CollectorEnv): Promise<void>;
}

const traceId = 'ab'.repeat(16);
const attribute = (key: string, value: object) => ({ key, value });

const body = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [attribute('service.name', { stringValue: 'shop' })] },
      scopeSpans: [
        {
          spans: [
            {
              ...{ traceId, spanId: '0'.repeat(15) + 1, name: 'chat gpt-4o', kind: 3 },
              ...{ startTimeUnixNano: '1700000000000000000', endTimeUnixNano: '1700000001500000000' },
              attributes: [
                attribute('gen_ai.operation.name', { stringValue: 'chat' }),
                attribute('gen_ai.provider.name', { stringValue: 'openai' }),
                attribute('gen_ai.request.model', { stringValue: 'gpt-4o' }),
                attribute('gen_ai.usage.input_tokens', { intValue: '100' }),
              ],
            },
          ],
        },
      ],
    },
  ],
});

type App = ReturnType<(typeof Collector)['createCollector']>;

async function send(app: App, headers: Record<string, string> = {}, given: BodyInit = body): Promise<Response> {
  const all = { 'content-type': 'application/json', ...headers };
  return app.request('/v1/traces', { method: 'POST', headers: all, body: given });
}

function gzip(text: string): Promise<ArrayBuffer> {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
}

async function get(app: App, path: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await app.request(path, { headers });
  const text = await response.text();
  equal(response.status, 200, `${path}: ${text}`);
  return text;
}

export const collectorSuite: readonly CollectorTest[] = [
  {
    name: 'spans that are posted are there, and count',
    async run({ collector }) {
      const app = collector.createCollector();
      equal((await send(app)).status, 200);
      const { traces } = JSON.parse(await get(app, '/v1/traces?service=shop'));
      equal(traces.length, 1);
      equal(traces[0].trace_id, traceId);
      const { spans } = JSON.parse(await get(app, `/v1/traces/${traceId}`));
      equal(spans[0].attributes['gen_ai.usage.input_tokens'], 100);
      ok(
        /llm_requests_total\{provider="openai",model="gpt-4o".*service="shop".*\} 1\n/.test(await get(app, '/metrics')),
        'the call is counted',
      );
      await app.shutdown();
      equal((await send(app)).status, 503);
    },
  },
  {
    name: 'bodies are unpacked, and no further than their limit',
    async run({ collector }) {
      const app = collector.createCollector({ limits: { inflatedBytes: 10_000 } });
      equal((await send(app, { 'content-encoding': 'gzip' }, await gzip(body))).status, 200);
      const bomb = await gzip(' '.repeat(1_000_000));
      equal((await send(app, { 'content-encoding': 'gzip' }, bomb)).status, 413);
      equal((await send(app, { 'content-encoding': 'gzip' }, body)).status, 400);
    },
  },
  {
    name: 'a gzip may have several members',
    async run({ collector }) {
      const app = collector.createCollector();
      const parts = [body.slice(0, 300), '', body.slice(300)];
      const members = new Blob(await Promise.all(parts.map(gzip)));
      equal((await send(app, { 'content-encoding': 'gzip' }, members)).status, 200);
      equal(JSON.parse(await get(app, '/v1/traces')).traces[0].trace_id, traceId);
    },
  },
  {
    name: 'keys keep tenants apart',
    async run({ collector }) {
      const app = collector.createCollector({ keys: { 'key-a': 'a', 'key-b': 'b' } });
      equal((await send(app)).status, 401);
      equal((await send(app, { 'x-api-key': 'key-a' })).status, 200);
      const other = { authorization: 'Bearer key-b' };
      equal(await get(app, '/v1/traces', other), '{"traces":[]}');
      equal((await app.request(`/v1/traces/${traceId}`, { headers: other })).status, 404);
    },
  },
  {
    name: 'the live feed tells of what comes in',
    async run({ collector }) {
      const app = collector.createCollector();
      const response = await app.request('/v1/live');
      const reader = response.body!.getReader();
      await send(app);
      let text = '';
      while (!text.includes(traceId)) text += new TextDecoder().decode((await reader.read()).value);
      ok(/event: trace\ndata: \{"trace_id"/.test(text), text);
      await reader.cancel();
    },
  },
  {
    name: 'it is one app among others',
    async run({ collector }) {
      const app = collector.createCollector({ telemetry: { onError: () => {} } });
      equal(await get(app, '/health'), '{"status":"ok"}');
      equal((await app.request('/v1/nothing')).status, 404);
      const bad = await send(app, {}, '{');
      equal(bad.status, 400);
      equal(JSON.parse(await bad.text()).error.code, 'bad_request');
    },
  },
];
