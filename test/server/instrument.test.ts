import { describe, expect, it } from 'vitest';
import { createTelemetry, instrument } from '../../adapters/node/index.ts';
import type { TelemetryOptions } from '../../src/index.ts';
import { createSource } from '../suites/upstream.ts';

function setUp(options: TelemetryOptions = {}) {
  return createTelemetry({ inMemory: true, ...options, runtime: { env: {}, ...options.runtime } });
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const request = (init: RequestInit = {}) => new Request('http://localhost:3000/path', init);

describe('instrument', () => {
  it('hands arguments and this on, and keeps the response as it is', async () => {
    const telemetry = setUp();
    const server = {
      name: 'mine',
      handle: instrument(function (this: unknown, _: Request, info: { port: number }, more: string) {
        const { name } = this as { name: string };
        return new Response(`${name} ${info.port} ${more}`, { status: 201, headers: { 'x-a': '1' } });
      }, telemetry),
    };
    const response = await server.handle(request(), { port: 1 }, 'more');
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, '1', 'mine 1 more']);
  });

  it('links the caller’s trace, and continues it where it is trusted', async () => {
    const headers = { traceparent };
    const linked = setUp();
    await (await instrument(() => new Response('ok'), linked)(request({ headers }))).text();
    expect(linked.spans[0]?.spanContext().traceId).not.toBe('0af7651916cd43dd8448eb211c80319c');
    expect(linked.spans[0]?.links[0]?.context).toMatchObject({ spanId: 'b7ad6b7169203331' });
    for (const trustIncoming of [true, () => true]) {
      const trusting = setUp({ propagation: { trustIncoming } });
      await (await instrument(() => new Response('ok'), trusting)(request({ headers }))).text();
      expect(trusting.spans[0]?.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
      expect(trusting.spans[0]?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
      expect(trusting.spans[0]?.links).toEqual([]);
    }
    const doubting = setUp({
      propagation: {
        trustIncoming: () => {
          throw new Error('x');
        },
      },
    });
    await (await instrument(() => new Response('ok'), doubting)(request({ headers }))).text();
    expect(doubting.spans[0]?.links).toHaveLength(1);
  });

  it('names methods that nobody knows HTTP and _OTHER', async () => {
    const telemetry = setUp();
    await instrument(() => new Response(null), telemetry)(request({ method: 'BREW' }));
    expect(telemetry.spans[0]).toMatchObject({
      name: 'HTTP',
      attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
    });
    await instrument(() => new Response(null), telemetry)(request());
    expect(telemetry.spans[1]?.attributes).not.toHaveProperty('http.request.method_original');
  });

  it('makes what the handler throws an error, sync or async, and throws it on', async () => {
    const telemetry = setUp();
    const boom = new RangeError('boom');
    const fails = () => {
      throw boom;
    };
    await expect(instrument(fails, telemetry)(request())).rejects.toBe(boom);
    await expect(instrument(async () => fails(), telemetry)(request())).rejects.toBe(boom);
    expect(telemetry.spans.map(({ status }) => status)).toEqual([
      { code: 2, message: 'boom' },
      { code: 2, message: 'boom' },
    ]);
    const { metrics } = await telemetry.metrics.collect();
    const [total] = metrics.find(({ name }) => name === 'http.server.request.duration')!.points;
    expect([total?.count, total?.labels['error.type']]).toEqual([2, 'RangeError']);
  });

  it('measures in the buckets of metrics.buckets, else in those that the conventions advise', async () => {
    const telemetry = setUp({ metrics: { buckets: { 'http.server.request.duration': [1, 2] } } });
    await (await instrument(() => new Response('ok'), telemetry)(request())).text();
    const { metrics } = await telemetry.metrics.collect();
    const boundsOf = (family: string) => metrics.find(({ name }) => name === family)!.bounds;
    expect(boundsOf('http.server.request.duration')).toEqual([1, 2]);
    expect(boundsOf('http.server.time_to_headers')).toHaveLength(14);
  });

  it('makes a body that fails an error, and 500 one without a message', async () => {
    const telemetry = setUp();
    const source = createSource(['a', new Error('cut off')]);
    const response = await instrument(() => new Response(source.body), telemetry)(request());
    await expect(response.text()).rejects.toThrow('cut off');
    await (await instrument(() => new Response('no', { status: 503 }), telemetry)(request())).text();
    expect(telemetry.spans.map(({ status }) => status)).toEqual([{ code: 2, message: 'cut off' }, { code: 2 }]);
    expect(telemetry.spans.map(({ attributes }) => attributes['error.type'])).toEqual(['Error', '503']);
  });

  it('ends at once where no body is read: null bodies and HEAD', async () => {
    const telemetry = setUp();
    const source = createSource(['a']);
    await instrument(() => new Response(null, { status: 304 }), telemetry)(request());
    await instrument(() => new Response(source.body), telemetry)(request({ method: 'HEAD' }));
    expect(telemetry.spans.map(({ name }) => name)).toEqual(['GET', 'HEAD']);
  });

  it('keeps headers that a server’s own response forgets once it is asked for its body', async () => {
    class Light extends Response {
      #headers: Headers | undefined = new Headers({ 'x-added': 'yes' });
      override get headers() {
        return this.#headers ?? super.headers;
      }
      override get body() {
        this.#headers = undefined;
        return super.body;
      }
    }
    const handler = instrument(() => new Light('ok', { status: 202, statusText: 'Fine' }), setUp());
    const response = await handler(request());
    expect([response.status, response.statusText, response.headers.get('x-added')]).toEqual([202, 'Fine', 'yes']);
    expect(await response.text()).toBe('ok');
    expect((await handler(request({ method: 'HEAD' }))).headers.get('x-added')).toBe('yes');
  });

  it('serves a response with a reason phrase that the host makes none of', async () => {
    const telemetry = setUp();
    const real = new Response('ok', { status: 203 });
    Object.defineProperty(real, 'statusText', { value: '请求' });
    const response = await instrument(() => real, telemetry)(request());
    expect([response.status, await response.text()]).toEqual([203, 'ok']);
    expect(telemetry.spans).toHaveLength(1);
  });

  it('knows a failure without a reason for one', async () => {
    const telemetry = setUp();
    await instrument(() => Promise.reject(), telemetry)(request()).catch(() => {});
    const body = new ReadableStream({ pull: (controller) => controller.error() });
    const response = await instrument(() => new Response(body), telemetry)(request());
    await response.text().catch(() => {});
    expect(telemetry.spans.map(({ status }) => status.code)).toEqual([2, 2]);
    const { metrics } = await telemetry.metrics.collect();
    const { points } = metrics.find(({ name }) => name === 'http.server.request.duration')!;
    expect(points.map(({ labels }) => labels['error.type'])).toEqual(['_OTHER', '_OTHER']);
  });

  it.each([undefined, null, 'text'])(
    'gives back what is no Response, as Bun’s handlers that upgrade: %s',
    async (answer) => {
      const telemetry = setUp();
      const handler = instrument(() => answer as unknown as Response, telemetry);
      expect(await handler(request())).toBe(answer);
      expect(telemetry.spans).toMatchObject([{ name: 'GET', status: { code: 0 } }]);
      expect(telemetry.health().ok).toBe(true);
    },
  );

  it('does not read ahead of the client', async () => {
    const telemetry = setUp();
    const source = createSource(['a', 'b', 'c']);
    const response = await instrument(() => new Response(source.body), telemetry)(request());
    const reader = response.body!.getReader();
    await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.pulls).toBe(1);
  });
});
