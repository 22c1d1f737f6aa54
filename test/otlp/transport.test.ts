import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxRequestBytes, maxResponseBytes, type OtlpRequest, postOtlp } from '../../src/otlp/transport.ts';
import type { Fetch } from '../../src/runtime.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const body = new TextEncoder().encode('{"resourceSpans":[]}');

/** A clock that only sleeping moves on. */
function createWorld(answers: (Response | Error | (() => Response | Promise<Response>))[]) {
  let time = 0;
  const slept: number[] = [];
  const requests: { url: string; init: RequestInit; headers: Headers }[] = [];
  const fetch: Fetch = async (input, init = {}) => {
    requests.push({ url: String(input), init, headers: new Headers(init.headers) });
    const answer = answers[Math.min(requests.length, answers.length) - 1]!;
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer() : answer.clone();
  };
  const request: OtlpRequest = {
    url: 'https://otlp.example.com/v1/traces?tenant=t0p',
    headers: { authorization: 'Bearer s3cret-token' },
    body,
    contentType: 'application/json',
    compression: 'none',
    fetch,
    deadline: 10_000,
    clock: { now: () => Date.UTC(2026, 0, 1) + time, monotonic: () => time },
    random: () => 1,
    maxRetries: 3,
    sleep: async (ms) => {
      slept.push(ms);
      time += ms;
    },
  };
  return { request, requests, slept, post: (parts: Partial<OtlpRequest> = {}) => postOtlp({ ...request, ...parts }) };
}

const status = (code: number, headers: Record<string, string> = {}, text: string | null = null) =>
  new Response(text, { status: code, headers });
const refused = new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) });
const lost = new TypeError('fetch failed', { cause: Object.assign(new Error('read'), { code: 'ECONNRESET' }) });

describe('a request', () => {
  it('is a POST of the bytes, with the headers given and ours', async () => {
    const world = createWorld([status(200)]);
    expect(await world.post()).toEqual({ kind: 'delivered', rejected: 0 });
    const [sent] = world.requests;
    expect(sent!.url).toBe(world.request.url);
    expect(sent!.init).toMatchObject({ method: 'POST', redirect: 'manual', body });
    expect(Object.fromEntries(sent!.headers)).toEqual({
      authorization: 'Bearer s3cret-token',
      'content-type': 'application/json',
      'user-agent': `OTel-OTLP-Exporter-JavaScript/edgespan-${version}`,
    });
  });

  it('names the agent that the headers name, once', async () => {
    const world = createWorld([status(200)]);
    await world.post({ headers: { 'User-Agent': 'shop/1.0' } });
    expect(world.requests[0]!.headers.get('user-agent')).toBe('shop/1.0');
  });

  it('is compressed whole, so that each attempt can send it', async () => {
    const world = createWorld([status(503), status(200)]);
    await world.post({ compression: 'gzip' });
    for (const { init, headers } of world.requests) {
      expect(headers.get('content-encoding')).toBe('gzip');
      expect(gunzipSync(new Uint8Array(init.body as ArrayBuffer)).toString()).toBe('{"resourceSpans":[]}');
    }
    expect(world.requests).toHaveLength(2);
  });

  it('calls fetch without a receiver, as Workers demand', async () => {
    const receivers: unknown[] = [];
    const fetch = async function (this: unknown) {
      receivers.push(this);
      return status(200);
    };
    await createWorld([status(200)]).post({ fetch });
    expect(receivers).toEqual([undefined]);
  });

  it('above the limit is not sent', async () => {
    const world = createWorld([status(200)]);
    expect(await world.post({ body: new Uint8Array(maxRequestBytes + 1) })).toEqual({ kind: 'too_large' });
    expect(await world.post({ body: new Uint8Array(maxRequestBytes) })).toEqual({ kind: 'delivered', rejected: 0 });
    expect(world.requests).toHaveLength(1);
  });

  it('with headers that HTTP forbids fails without showing them', async () => {
    const outcome = await createWorld([status(200)]).post({ headers: { authorization: 'Bearer\ns3cret' } });
    expect(outcome).toEqual({ kind: 'unsent', reason: 'the request could not be made' });
  });
});

describe('an answer', () => {
  it('may be a partial success, which is not retried', async () => {
    const world = createWorld([status(200, {}, '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}')]);
    expect(await world.post()).toEqual({ kind: 'delivered', rejected: 3, message: 'x' });
    expect(world.requests).toHaveLength(1);
    const protobuf = new Response(Uint8Array.of(0x0a, 2, 0x08, 5), {
      headers: { 'content-type': 'application/x-protobuf' },
    });
    expect(await createWorld([protobuf]).post()).toEqual({ kind: 'delivered', rejected: 5 });
  });

  it.each([400, 401, 403, 404, 408, 500, 501, 301, 307])('of status %i is final', async (code) => {
    const world = createWorld([status(code, { location: 'https://elsewhere.example.com' })]);
    expect(await world.post()).toEqual({ kind: 'refused', status: code });
    expect(world.requests).toHaveLength(1);
  });

  it('of status 413 asks for less', async () => {
    const world = createWorld([status(413)]);
    expect(await world.post()).toEqual({ kind: 'too_large' });
    expect(world.requests).toHaveLength(1);
  });

  it('is quoted shortly and without credentials', async () => {
    const message = `bad key s3cret-token ${'x'.repeat(5000)}`;
    const outcome = await createWorld([status(401, {}, JSON.stringify({ message }))]).post();
    expect(outcome).toMatchObject({
      kind: 'refused',
      status: 401,
      message: expect.stringMatching(/^bad key \*\*\* x+$/),
    });
    expect(JSON.stringify(outcome).length).toBeLessThan(350);
  });

  it('beyond the limit is not read to its end', async () => {
    let pulled = 0;
    let cancelled = false;
    const stream = () =>
      new ReadableStream({
        pull: (controller) => {
          controller.enqueue(new Uint8Array(1024 * 1024));
          if (++pulled === 16) controller.close();
        },
        cancel: () => {
          cancelled = true;
        },
      });
    const outcome = await createWorld([() => new Response(stream())]).post();
    expect(outcome).toEqual({ kind: 'refused', status: 200, message: 'the answer is too long' });
    expect(cancelled).toBe(true);
    expect(pulled * 1024 * 1024).toBeLessThan(2 * maxResponseBytes);
  });

  it.each([200, 413, 503, 400])('of status %i leaves no body open', async (code) => {
    const closed = vi.fn();
    const pull = (controller: ReadableStreamDefaultController) => {
      controller.enqueue(body);
      controller.close();
      closed();
    };
    const answer = () =>
      new Response(new ReadableStream({ pull, cancel: closed }, { highWaterMark: 0 }), { status: code });
    await createWorld([answer]).post({ maxRetries: 0 });
    expect(closed).toHaveBeenCalledOnce();
  });

  it('whose body breaks off has said its status', async () => {
    const broken = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) }));
    expect(await createWorld([broken]).post()).toEqual({ kind: 'delivered', rejected: 0 });
  });
});

describe('retries', () => {
  it.each([429, 502, 503, 504])('follow status %i, with growing pauses', async (code) => {
    const world = createWorld([status(code), status(code), status(200)]);
    expect(await world.post()).toEqual({ kind: 'delivered', rejected: 0 });
    expect(world.slept).toEqual([1000, 1500]);
  });

  it('end after their number', async () => {
    const world = createWorld([status(503)]);
    expect(await world.post({ maxRetries: 2 })).toEqual({ kind: 'unsent', reason: 'status 503' });
    expect(world.requests).toHaveLength(3);
  });

  it('follow a refused connection', async () => {
    const world = createWorld([refused, status(200)]);
    expect(await world.post()).toEqual({ kind: 'delivered', rejected: 0 });
    expect(await createWorld([refused]).post()).toEqual({ kind: 'unsent', reason: 'no connection' });
  });

  it('do not follow a lost connection: the request may have arrived', async () => {
    const world = createWorld([lost, status(200)]);
    expect(await world.post()).toEqual({ kind: 'unconfirmed', reason: 'the connection was lost' });
    expect(world.requests).toHaveLength(1);
  });

  it('wait as long as the server asks', async () => {
    const seconds = createWorld([status(503, { 'retry-after': '2' }), status(200)]);
    await seconds.post();
    expect(seconds.slept).toEqual([2000]);
    const date = createWorld([status(429, { 'retry-after': 'Thu, 01 Jan 2026 00:00:04 GMT' }), status(200)]);
    await date.post();
    expect(date.slept).toEqual([4000]);
  });

  it('give up at once where the pause would pass the deadline', async () => {
    const world = createWorld([status(503, { 'retry-after': '10' }), status(200)]);
    expect(await world.post()).toEqual({ kind: 'unsent', reason: 'status 503', retryAfterMs: 10_000 });
    expect(world.slept).toEqual([]);
    const late = createWorld([status(503)]);
    expect(await late.post({ maxRetries: 99, deadline: 3000 })).toEqual({ kind: 'unsent', reason: 'status 503' });
    expect(late.slept).toEqual([1000, 1500]);
  });

  it('do not begin after the deadline', async () => {
    const world = createWorld([status(200)]);
    expect(await world.post({ deadline: 0 })).toEqual({ kind: 'unsent', reason: 'no time left' });
    expect(world.requests).toHaveLength(0);
  });
});

describe('the deadline', () => {
  it('aborts a fetch that hangs, and does not wait for one that does not listen', async () => {
    vi.useFakeTimers();
    try {
      let signal: AbortSignal | null | undefined;
      const fetch: Fetch = (_, init) => {
        signal = init?.signal;
        return new Promise(() => {});
      };
      const outcome = createWorld([]).post({ fetch });
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await outcome).toEqual({ kind: 'unconfirmed', reason: 'no answer in time' });
      expect(signal?.aborted).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends a body that does not, and the status holds', async () => {
    vi.useFakeTimers();
    try {
      const cancel = vi.fn();
      const outcome = createWorld([() => new Response(new ReadableStream({ cancel }))]).post();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await outcome).toEqual({ kind: 'delivered', rejected: 0 });
      expect(cancel).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('may be infinite', async () => {
    vi.useFakeTimers();
    try {
      const late: Fetch = () => new Promise((resolve) => setTimeout(() => resolve(status(200)), 60_000));
      const outcome = createWorld([]).post({ fetch: late, deadline: Number.POSITIVE_INFINITY });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await outcome).toEqual({ kind: 'delivered', rejected: 0 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers();
    try {
      await createWorld([status(200)]).post();
      await createWorld([refused]).post();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('beside a real server', () => {
  const seen = new Map<string, number>();
  const handlers: Record<string, (request: IncomingMessage, response: ServerResponse, count: number) => void> = {
    '/ok': (_, response) => response.end('{"partialSuccess":{"rejectedSpans":"1"}}'),
    '/reset': (request) => request.socket.destroy(),
    '/large': (_, response) => response.writeHead(413).end('too large'),
    '/busy': (_, response, count) => response.writeHead(count === 1 ? 429 : 200, { 'retry-after': '1' }).end(),
    '/garbage': (request) => request.socket.end('this is no HTTP\r\n\r\n'),
    '/redirect': (_, response) => response.writeHead(307, { location: '/ok' }).end(),
    '/hang': () => {},
  };
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const path = request.url ?? '';
      seen.set(path, (seen.get(path) ?? 0) + 1);
      handlers[path]?.(request, response, seen.get(path)!);
    });
  });
  let base = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ['/ok', { kind: 'delivered', rejected: 1 }, 1],
    ['/reset', { kind: 'unconfirmed', reason: 'the connection was lost' }, 1],
    ['/large', { kind: 'too_large' }, 1],
    ['/busy', { kind: 'delivered', rejected: 0 }, 2],
    ['/garbage', { kind: 'unconfirmed', reason: 'the connection was lost' }, 1],
    ['/redirect', { kind: 'refused', status: 307 }, 1],
  ])('%s', async (path, expected, attempts) => {
    const { post, slept } = createWorld([]);
    expect(await post({ url: base + path, fetch: globalThis.fetch })).toEqual(expected);
    expect(seen.get(path)).toBe(attempts);
    expect(slept).toHaveLength(attempts - 1);
  });

  it('that hangs', async () => {
    const { post } = createWorld([]);
    expect(await post({ url: `${base}/hang`, fetch: globalThis.fetch, deadline: 50 })).toEqual({
      kind: 'unconfirmed',
      reason: 'no answer in time',
    });
  });

  it('that is not there', async () => {
    const idle = createServer();
    await new Promise<void>((resolve) => idle.listen(0, '127.0.0.1', resolve));
    const { port } = idle.address() as AddressInfo;
    await new Promise((resolve) => idle.close(resolve));
    const { post, slept } = createWorld([]);
    const outcome = await post({ url: `http://127.0.0.1:${port}/`, fetch: globalThis.fetch, maxRetries: 2 });
    expect(outcome).toEqual({ kind: 'unsent', reason: 'no connection' });
    expect(slept).toEqual([1000, 1500]);
  });
});
