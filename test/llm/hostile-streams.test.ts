import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Telemetry, TelemetryOptions } from '../../src/index.ts';
import { ByteBuffer } from '../../src/stream/byte-buffer.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import { cutAt } from '../stream/decoding.ts';
import { chatStream, messageStream } from '../suites/upstream.ts';
import { chatCompletion, chatRequest, chatUrl } from '../support/telemetry.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const mebibyte = 1024 * 1024;
const json = { 'content-type': 'application/json' };
const sse = { 'content-type': 'text/event-stream' };

/** A telemetry whose network answers with this. */
function create(answer: () => Response, options: TelemetryOptions = {}): Telemetry {
  return createTestTelemetry({
    fetch: async () => answer(),
    onError: (error) => expect.unreachable(String(error)),
    ...options,
  });
}

/** The same chunk over and over, made only when it is asked for. */
function repeat(chunk: Uint8Array<ArrayBuffer>, times = Number.POSITIVE_INFINITY, ...last: Uint8Array<ArrayBuffer>[]) {
  let given = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const next = given < times ? chunk : last[given - times];
        given++;
        if (next) controller.enqueue(next);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A body with something before its first chunk. */
function prepend(first: Uint8Array<ArrayBuffer>, body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const reader = body.getReader();
  let isFirst = true;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const next = isFirst ? first : (await reader.read()).value;
        isFirst = false;
        if (next) controller.enqueue(next);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Reads on to the end, or until the caller has enough. */
async function drain(response: Response, enough = Number.POSITIVE_INFINITY): Promise<number> {
  const reader = response.body!.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes += value.length;
    if (bytes < enough) continue;
    await reader.cancel();
    return bytes;
  }
}

/** The most bytes that any buffer has held, since nothing else keeps what passes. */
function watchHeld(): { readonly most: number } {
  const held = { most: 0 };
  const append = ByteBuffer.prototype.append;
  vi.spyOn(ByteBuffer.prototype, 'append').mockImplementation(function (this: ByteBuffer, bytes) {
    append.call(this, bytes);
    held.most = Math.max(held.most, this.size);
  });
  return held;
}

const ask = (telemetry: Telemetry, stream = false, over: object = {}) =>
  telemetry.fetch(chatUrl, chatRequest({ ...(stream && { stream }), ...over }));
const errors = (telemetry: Telemetry) => telemetry.metrics.value('edgespan_parse_errors_total', { provider: 'openai' });
const only = (telemetry: Telemetry) => {
  expect(telemetry.spans).toHaveLength(1);
  return telemetry.spans[0]!;
};
const usage = (telemetry: Telemetry) => {
  const { attributes } = only(telemetry);
  return [attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.output_tokens']];
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('more than anybody can hold', () => {
  it('a hundred megabytes of one JSON text pass, and are counted as unread', async () => {
    const held = watchHeld();
    const filler = new Uint8Array(mebibyte).fill(0x78);
    const [first, last] = [utf8('{"x":"'), utf8('","usage":{"prompt_tokens":9}}')];
    const telemetry = create(() => new Response(prepend(first, repeat(filler, 100, last)), { headers: json }));
    expect(await drain(await ask(telemetry))).toBe(100 * mebibyte + first.length + last.length);
    expect(usage(telemetry)).toEqual([undefined, undefined]);
    expect([errors(telemetry), only(telemetry).status.code]).toEqual([1, 0]);
    expect(held.most).toBeLessThanOrEqual(4 * mebibyte);
  });

  const endless: [string, Record<string, string>, string, number | undefined][] = [
    ['one line of events', sse, 'x'.repeat(65_536), 1],
    ['one line of JSON', { 'content-type': 'application/x-ndjson' }, '{"a":'.repeat(13_107), 1],
    ['one event of many lines', sse, `data: ${'x'.repeat(1000)}\n`.repeat(65), 1],
    ['one element of a list', json, '[[{"a":"x'.repeat(7000), 1],
    ['a list of small elements', json, '{"a":1},'.repeat(7000), undefined],
    ['comments', sse, ': keep-alive\n\n'.repeat(4000), undefined],
    ['events', sse, chatStream[1]!.repeat(400), undefined],
    ['white space', sse, ' \n'.repeat(32_000), undefined],
    ['white space of no type', {}, '\n'.repeat(65_536), undefined],
    ['the start of a message', sse, messageStream[0]!.repeat(100), undefined],
  ];
  it.each(endless)(
    'an endless body, %s: nothing is held beyond the bound',
    async (name, headers, text, parseErrors) => {
      const held = watchHeld();
      const chunk = utf8(text);
      // A list begins once.
      const body = name === 'a list of small elements' ? prepend(utf8('['), repeat(chunk)) : repeat(chunk);
      const telemetry = create(() => new Response(body, { headers }), {
        limits: { bodyBytes: 300_000, eventBytes: 200_000 },
      });
      const enough = 4 * mebibyte;
      expect(await drain(await ask(telemetry, true), enough)).toBeGreaterThanOrEqual(enough);
      expect(held.most).toBeLessThanOrEqual(300_000);
      expect(only(telemetry).attributes['edgespan.aborted']).toBe(true);
      expect(errors(telemetry)).toBe(parseErrors);
    },
  );

  it('an event of five megabytes does not hide the ones after it', async () => {
    const held = watchHeld();
    const line = utf8(`data: {"choices":[{"delta":{"content":"${'x'.repeat(5 * mebibyte)}"}}]}\n\n`);
    const text = new TextDecoder().decode(line) + chatStream.join('');
    for (const size of [line.length, 65_536]) {
      const cuts = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => i * size);
      const chunks = cutAt(utf8(text), cuts);
      const telemetry = create(
        () =>
          new Response(repeat(chunks[0]!.slice(), 1, ...(chunks.slice(1) as Uint8Array<ArrayBuffer>[])), {
            headers: sse,
          }),
      );
      expect(await (await ask(telemetry, true)).text()).toBe(text);
      expect([usage(telemetry), errors(telemetry)]).toEqual([[12, 7], 1]);
    }
    expect(held.most).toBeLessThanOrEqual(mebibyte);
  });

  it('half of a text whose caller has enough is no news about the vendor', async () => {
    const telemetry = create(() => new Response(repeat(utf8('{"x":"')), { headers: json }));
    await drain(await ask(telemetry), 12);
    expect([only(telemetry).attributes['edgespan.aborted'], errors(telemetry)]).toEqual([true, undefined]);
  });

  it('a body of single bytes is read', async () => {
    const bytes = utf8(JSON.stringify(chatCompletion()));
    const chunks = [...bytes].map((_, i) => bytes.slice(i, i + 1));
    const telemetry = create(() => new Response(repeat(new Uint8Array(0), 0, ...chunks), { headers: json }));
    expect(await (await ask(telemetry)).json()).toEqual(chatCompletion());
    expect(usage(telemetry)).toEqual([10, 5]);
  });

  it('what a caller does with its chunks is not seen', async () => {
    const telemetry = create(() => new Response(repeat(utf8(JSON.stringify(chatCompletion())), 1), { headers: json }));
    for await (const chunk of (await ask(telemetry)).body!) structuredClone(chunk, { transfer: [chunk.buffer] });
    expect([usage(telemetry), errors(telemetry)]).toEqual([[10, 5], undefined]);
  });
});

describe('bytes that are not what they should be', () => {
  const whole = chatStream.join('');
  const completion = JSON.stringify(chatCompletion());

  /** What the span says of these bytes. */
  async function read(body: BodyInit, headers: Record<string, string>, stream: boolean) {
    const telemetry = create(() => new Response(body, { headers }));
    const expected = new Uint8Array(await new Response(body).arrayBuffer());
    expect(new Uint8Array(await (await ask(telemetry, stream)).arrayBuffer())).toEqual(expected);
    const { attributes, status } = only(telemetry);
    return { usage: usage(telemetry), parseErrors: errors(telemetry) ?? 0, error: status.code === 2, attributes };
  }

  const known = [12, 7];
  const unknown = [undefined, undefined];
  const html = '<!doctype html><title>502 Bad Gateway</title>';
  it.each<[name: string, body: string, type: string | undefined, stream: boolean, usage: unknown, parseErrors: number]>(
    [
      ['events', whole, 'text/event-stream', true, known, 0],
      ['events with a charset', whole, 'text/event-stream;charset=UTF-8', true, known, 0],
      ['events in capitals', whole, 'TEXT/EVENT-STREAM; CHARSET=utf-8', true, known, 0],
      ['events twice over', whole, 'text/event-stream, text/event-stream', true, known, 0],
      ['events that call themselves JSON', whole, 'application/json', true, known, 0],
      ['events that call themselves text', `: hello\n\n${whole}`, 'text/plain; charset=utf-8', true, known, 0],
      ['events of no type', whole, undefined, true, known, 0],
      ['events of no type with a mark', `\ufeff${whole}`, undefined, true, known, 0],
      ['events with a mark', `\ufeff${whole}`, 'text/event-stream', true, known, 0],
      ['events that nobody asked for', whole, 'text/event-stream', false, known, 0],
      ['JSON', completion, 'application/json', false, [10, 5], 0],
      ['JSON that calls itself events', completion, 'text/event-stream', true, [10, 5], 0],
      ['JSON that calls itself events unasked', ` \n${completion}`, 'text/event-stream', false, [10, 5], 0],
      ['JSON that calls itself text', completion, 'text/plain', false, [10, 5], 0],
      ['JSON of no type', completion, undefined, false, [10, 5], 0],
      ['JSON for a stream', completion, 'application/json', true, [10, 5], 0],
      ['JSON with a mark', `\ufeff${completion}`, 'application/json', false, [10, 5], 0],
      ['JSON twice', `${completion}${completion}`, 'application/json', false, unknown, 1],
      ['half of JSON', completion.slice(0, 50), 'application/json', false, unknown, 1],
      ['a page', html, 'text/html', false, unknown, 1],
      ['a page for a stream', html, 'text/html', true, unknown, 1],
      ['a page that calls itself JSON', html, 'application/json', true, unknown, 1],
      ['a page that calls itself events', html, 'text/event-stream', true, unknown, 0],
      ['nothing', '', 'application/json', false, unknown, 0],
      ['nothing of no type', '', undefined, true, unknown, 0],
      ['null', 'null', 'application/json', false, unknown, 1],
      ['a number', '12', 'application/json', false, unknown, 1],
      ['a list', '[]', 'application/json', false, unknown, 1],
      ['a text', '"{}"', 'application/json', false, unknown, 1],
    ],
  )('%s', async (_name, body, type, stream, expected, parseErrors) => {
    const seen = await read(utf8(body), type === undefined ? {} : { 'content-type': type }, stream);
    expect([seen.usage, seen.parseErrors]).toEqual([expected, parseErrors]);
  });

  it.each([204, 205, 304])('status %i has no body', async (status) => {
    const telemetry = create(() => new Response(null, { status }));
    expect(await (await ask(telemetry)).text()).toBe('');
    expect([usage(telemetry), errors(telemetry)]).toEqual([unknown, undefined]);
  });

  it('line ends, comments, other fields and cuts of any kind make no difference', async () => {
    const noise = fc.constantFrom(
      '',
      ': comment\n',
      ':\n',
      'id: 7\n',
      'retry: 1000\n',
      'data\n\n',
      'datum: x\n',
      '\n\n',
      '\0: x\n',
    );
    const ends = fc.array(fc.constantFrom('\n', '\r', '\r\n'), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(noise, { minLength: 1, maxLength: 8 }),
        ends,
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.constantFrom('', '\ufeff'),
        fc.constantFrom(chatStream, messageStream),
        async (noises, lineEnds, cuts, mark, events) => {
          let line = 0;
          // `data` alone is an event of no text.
          const noisy = events
            .map((event, i) => `${noises[i % noises.length]!.replace('data\n\n', '')}${event}`)
            .join('');
          let last = '';
          const bytes = utf8(
            mark +
              noisy.replace(/\n/g, (_end, at: number) => {
                const next = lineEnds[line++ % lineEnds.length]!;
                // The two would be one line end, and the empty line gone.
                last = last === '\r' && next === '\n' && noisy[at - 1] === '\n' ? '\r' : next;
                return last;
              }),
          );
          const chunks = cutAt(bytes, cuts) as Uint8Array<ArrayBuffer>[];
          const telemetry = create(() => new Response(repeat(new Uint8Array(0), 1, ...chunks), { headers: sse }));
          const [url, expected] =
            events === chatStream ? [chatUrl, [12, 7]] : ['https://api.anthropic.com/v1/messages', [100, 30]];
          const response = await telemetry.fetch(url as string, chatRequest({ stream: true }));
          expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
          expect(usage(telemetry)).toEqual(expected);
          expect(telemetry.metrics.value('edgespan_parse_errors_total')).toBeUndefined();
          expect(only(telemetry).status.code).toBe(0);
        },
      ),
    );
  });

  it.each([
    ['OpenAI', chatUrl, chatStream, [12, 7]],
    ['Anthropic', 'https://api.anthropic.com/v1/messages', messageStream, [100, 30]],
  ])('events that come twice count once: %s', async (_name, url, events, expected) => {
    for (let twice = 0; twice < events.length - 1; twice++) {
      const text = events.map((event, i) => (i === twice ? event + event : event)).join('');
      const telemetry = create(() => new Response(text, { headers: sse }));
      await (await telemetry.fetch(url, chatRequest({ stream: true }))).text();
      expect(usage(telemetry)).toEqual(expected);
      expect((only(telemetry).attributes['llm.tool_names'] as string[]).length).toBe(url === chatUrl ? 0 : 1);
    }
  });

  it('bytes that are no UTF-8 pass as they are', async () => {
    for (const bad of [[0xff, 0xfe], [0xed, 0xa0, 0x80], [0xc3], [0xf0, 0x9f, 0x98]]) {
      const [start, end] = whole.split('Gr');
      const bytes = new Uint8Array([...utf8(start!), ...bad, ...utf8(end!)]);
      expect(await read(bytes, sse, true)).toMatchObject({ usage: known, parseErrors: 0 });
    }
  });

  it('half a character stays half of one', async () => {
    const body = `{"id":"\\ud83d","model":"m\\udc00",${completion.slice(1).replace(/"(id|model)":"[^"]*",/g, '')}`;
    const seen = await read(body, json, false);
    expect(seen).toMatchObject({ usage: [10, 5], parseErrors: 0, error: false });
    expect(seen.attributes['gen_ai.response.id']).toBe('\ud83d');
  });

  it('JSON as deep as it comes', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect((await read(`{"usage":${deep}}`, json, false)).usage).toEqual(unknown);
    const nested = `${completion.slice(0, -1)},"more":${deep}}`;
    expect((await read(nested, json, false)).usage).toEqual([10, 5]);
    expect((await read(`data: ${deep}\n\n${whole}`, sse, true)).usage).toEqual(known);
    expect((await read(deep, json, true)).usage).toEqual(unknown);
  });

  it('names of prototypes are names', async () => {
    const stolen = '{"prompt_tokens":9,"completion_tokens":9,"polluted":true}';
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const body = `{"${name}":{"usage":${stolen},"id":"x","polluted":true},"choices":[],"usage":{"${name}":${stolen}}}`;
      const seen = await read(body, json, false);
      expect([seen.usage, seen.attributes['gen_ai.response.id']]).toEqual([unknown, undefined]);
      await read(`data: ${body}\n\n${whole}`, sse, true);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    }
  });

  it.each([
    ['a name that comes twice', '{"prompt_tokens":1},"usage":{"prompt_tokens":10,"completion_tokens":5}', [10, 5], 0],
    ['more than a double holds', '{"prompt_tokens":9007199254740993,"completion_tokens":5}', [undefined, 5], 1],
    ['more than infinity', '{"prompt_tokens":1e400,"completion_tokens":5}', [undefined, 5], 1],
    ['the most there is', '{"prompt_tokens":9007199254740991,"completion_tokens":5}', [2 ** 53 - 1, 5], 0],
  ])('%s', async (_name, usage, expected, parseErrors) => {
    const { usage: _known, ...rest } = JSON.parse(completion) as Record<string, unknown>;
    const seen = await read(`${JSON.stringify(rest).slice(0, -1)},"usage":${usage}}`, json, false);
    expect([seen.usage, seen.parseErrors]).toEqual([expected, parseErrors]);
  });

  it('compressed bytes that stop in the middle are an error, of the caller’s too', async () => {
    const pressed = new Blob([whole]).stream().pipeThrough(new CompressionStream('gzip'));
    const bytes = new Uint8Array(await new Response(pressed).arrayBuffer());
    const cut = () => new Blob([bytes.slice(0, -12)]).stream().pipeThrough(new DecompressionStream('gzip'));
    const [direct] = await Promise.allSettled([new Response(cut()).text()]);
    expect(direct.status).toBe('rejected');
    const telemetry = create(() => new Response(cut(), { headers: sse }));
    const response = await ask(telemetry, true);
    await expect(response.text()).rejects.toThrow((direct as PromiseRejectedResult).reason.message);
    expect(only(telemetry).status.code).toBe(2);
    expect(only(telemetry).attributes['error.type']).toBe('TypeError');
    expect(errors(telemetry)).toBeUndefined();
  });
});

describe('errors that are none', () => {
  const fail = () => {
    throw new Error('do not touch');
  };
  const revoked = Proxy.revocable(new Error('x'), {});
  revoked.revoke();
  const thrown: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a text', 'no'],
    ['a number', 429],
    ['a symbol', Symbol('x')],
    ['a function', () => {}],
    ['an object of no class', Object.create(null)],
    ['a frozen error', Object.freeze(new Error('x'))],
    ['getters that throw', Object.defineProperties({}, { name: { get: fail }, message: { get: fail } })],
    ['a proxy that throws', new Proxy({}, { get: fail, getPrototypeOf: fail, has: fail })],
    ['a revoked proxy', revoked.proxy],
  ];
  const reason = async (promise: Promise<unknown>) => (await Promise.allSettled([promise]))[0] as PromiseRejectedResult;

  it.each(thrown)('%s, thrown by fetch', async (_name, error) => {
    const telemetry = createTestTelemetry({ fetch: () => Promise.reject(error) });
    const settled = await reason(ask(telemetry));
    expect(settled.status).toBe('rejected');
    expect(settled.reason === error).toBe(true);
    const { status, attributes } = only(telemetry);
    expect([status.code, attributes['edgespan.error_class']]).toEqual([2, 'unknown']);
    expect(telemetry.metrics.value('llm_requests_total', { status: 'error' })).toBe(1);
  });

  it.each(thrown)('%s, in the middle of a body', async (_name, error) => {
    const body = new ReadableStream({ pull: (controller) => controller.error(error) }, { highWaterMark: 0 });
    const telemetry = create(() => new Response(body, { headers: sse }));
    const response = await ask(telemetry, true);
    const settled = await reason(response.body!.getReader().read());
    expect(settled.reason === error).toBe(true);
    expect(only(telemetry).status.code).toBe(2);
  });

  it.each(thrown)('%s, thrown under a wrapper', async (_name, error) => {
    const telemetry = createTestTelemetry();
    const call = telemetry.llm({ provider: 'acme', model: 'm' }, async () => {
      throw error;
    });
    const settled = await reason(call());
    expect(settled.reason === error).toBe(true);
    expect(only(telemetry).attributes['edgespan.error_class']).toBe('unknown');
    expect(telemetry.metrics.value('llm_requests_total', { status: 'error' })).toBe(1);
  });

  it.each(thrown)('%s, why a signal was aborted', async (_name, error) => {
    const controller = new AbortController();
    controller.abort(error);
    const telemetry = createTestTelemetry({ fetch: (_input, init) => Promise.reject(init!.signal!.reason) });
    await reason(telemetry.fetch(chatUrl, { ...chatRequest(), signal: controller.signal }));
    expect(only(telemetry).attributes['edgespan.aborted']).toBe(true);
  });
});
