import { describe, expect, it } from 'vitest';
import type { LlmResponse, Provider, StreamEvent } from '../../src/llm/provider.ts';
import { createReplyReader } from '../../src/llm/reply-reader.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

interface Setup {
  status?: number;
  contentType?: string;
  stream?: boolean;
  maxBodyBytes?: number;
  maxEventBytes?: number;
  provider?: Partial<Provider>;
}

/** A vendor whose stream lists the events it was asked to read. */
function createReader(setup: Setup = {}) {
  const events: StreamEvent[] = [];
  const seen = { content: 0, chunks: 0, ends: 0, parseErrors: 0, events };
  const provider: Provider = {
    name: 'acme',
    match: () => 'chat',
    request: () => ({}),
    response: (json) => ({ id: (json as { id: string }).id }),
    stream: () => ({
      event(event) {
        events.push(event);
        const text = event.json as { text?: string; end?: boolean } | undefined;
        if (text?.end) return 'end';
        return text?.text ? 'content' : undefined;
      },
      matters: (data) => !data.includes('"text"'),
      result: () => ({ id: `events ${events.length}` }),
    }),
    ...setup.provider,
  };
  const headers = new Headers(setup.contentType ? { 'content-type': setup.contentType } : {});
  const request = { provider: 'acme', model: 'm', operation: 'chat', stream: setup.stream ?? false };
  const reader = createReplyReader(
    provider,
    { status: setup.status ?? 200, headers, request },
    {
      maxBodyBytes: setup.maxBodyBytes ?? 1000,
      maxEventBytes: setup.maxEventBytes ?? 1000,
      onContent: () => seen.content++,
      onChunk: () => seen.chunks++,
      onEnd: () => seen.ends++,
      onParseError: () => seen.parseErrors++,
    },
  );
  return { reader, seen };
}

function read(setup: Setup, ...chunks: string[]): LlmResponse & { parseErrors: number } {
  const { reader, seen } = createReader(setup);
  for (const chunk of chunks) reader.chunk(utf8(chunk));
  return { ...reader.finish(), parseErrors: seen.parseErrors };
}

const sse = { contentType: 'text/event-stream', stream: true };

describe('a body of one JSON text', () => {
  it('is read in the end, whatever the chunks', () => {
    const [first, second] = [utf8('{"id":"é"}').subarray(0, 8), utf8('{"id":"é"}').subarray(8)];
    const { reader } = createReader();
    reader.chunk(first);
    reader.chunk(second);
    expect(reader.finish()).toEqual({ id: 'é' });
    expect(reader.finish()).toEqual({ id: 'é' });
  });

  it('is read although a stream was asked for', () => {
    expect(read({ stream: true, contentType: 'application/json' }, ' ', '{"id":"a"}')).toEqual({
      id: 'a',
      parseErrors: 0,
    });
  });

  it('is left alone above the bound', () => {
    const body = `{"id":"${'a'.repeat(20)}"}`;
    expect(read({ maxBodyBytes: 20 }, body.slice(0, 15), body.slice(15))).toEqual({ parseErrors: 1 });
    expect(read({ maxBodyBytes: body.length }, body)).toMatchObject({ parseErrors: 0 });
  });

  it('is counted as soon as it is above the bound, not when it was cut off below', () => {
    const { reader, seen } = createReader({ maxBodyBytes: 20 });
    reader.chunk(utf8('{"id":"'));
    reader.chunk(utf8('a'.repeat(20)));
    expect(seen.parseErrors).toBe(1);
    const half = createReader();
    half.reader.chunk(utf8('{"id":"'));
    expect([half.reader.finish(true), half.seen.parseErrors]).toEqual([{}, 0]);
  });

  it('is not begun by white space, however much', () => {
    const { reader, seen } = createReader({ maxBodyBytes: 20 });
    for (let i = 0; i < 10; i++) reader.chunk(utf8(' \r\n\t'.repeat(5)));
    reader.chunk(utf8('{"id":"a"}'));
    expect([reader.finish(), seen.parseErrors]).toEqual([{ id: 'a' }, 0]);
  });

  it('is a parse error only where the vendor should have sent JSON', () => {
    expect(read({}, 'oops')).toEqual({ parseErrors: 1 });
    expect(read({ status: 502 }, '<html>')).toEqual({ parseErrors: 0 });
    expect(read({})).toEqual({ parseErrors: 0 });
  });

  it.each(['image/png', 'audio/mpeg', 'video/mp4'])('that is %s has nothing to read, however large', (contentType) => {
    const { reader, seen } = createReader({ contentType, maxBodyBytes: 4 });
    reader.chunk(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1]));
    expect(reader.finish()).toEqual({});
    expect(seen.parseErrors).toBe(0);
  });

  it('is JSON where the status says error, whatever the content type', () => {
    expect(read({ ...sse, status: 429 }, '{"id":', '"e"}')).toEqual({ id: 'e', parseErrors: 0 });
  });

  it('does not let a provider throw', () => {
    const response = () => {
      throw new Error('provider');
    };
    expect(read({ provider: { response } }, '{}')).toEqual({ parseErrors: 1 });
  });
});

describe('a stream', () => {
  it('folds its events', () => {
    const { reader, seen } = createReader(sse);
    reader.chunk(utf8('event: a\ndata: {"role":"x"}\n\ndata: {"te'));
    expect(seen).toMatchObject({ content: 0, chunks: 0 });
    reader.chunk(utf8('xt":"1"}\n\n'));
    expect(seen.events.map(({ type, json }) => [type, json])).toEqual([
      ['a', { role: 'x' }],
      [undefined, { text: '1' }],
    ]);
    expect(seen).toMatchObject({ content: 1, chunks: 1 });
  });

  it('lets what does not matter pass unparsed after the first token, and counts it', () => {
    const { reader, seen } = createReader(sse);
    for (let i = 0; i < 5; i++) reader.chunk(utf8('data: {"text":"1"}\n\n'));
    reader.chunk(utf8('data: {"usage":1}\n\n'));
    expect(seen.events.map(({ json }) => json)).toEqual([{ text: '1' }, { usage: 1 }]);
    expect(seen).toMatchObject({ content: 1, chunks: 5 });
  });

  it.each([['data: {"end":true}\n\n'], ['data: [DONE]\n\n']])('ends at %j, before the end of the body', (end) => {
    const { reader, seen } = createReader(sse);
    reader.chunk(utf8(`data: {"text":"1"}\n\n${end}data: {"late":1}\n\n`));
    reader.chunk(utf8('data: {"later":1}\n\n'));
    expect(seen.ends).toBe(1);
    expect(seen.events.some(({ json }) => 'late' in (json as object))).toBe(false);
    expect(reader.finish().id).toBe(end.includes('DONE') ? 'events 1' : 'events 2');
  });

  it('may be finished by its own end', () => {
    let result: LlmResponse | undefined;
    const { reader, seen } = createReader(sse);
    const stop = () => reader.finish();
    Object.defineProperty(seen, 'ends', {
      get: () => 0,
      set: () => {
        result = stop();
      },
    });
    reader.chunk(utf8('data: {"text":"1"}\n\ndata: [DONE]\n\ndata: {"late":1}\n\n'));
    expect(result).toEqual({ id: 'events 1' });
    expect(reader.finish()).toBe(result);
  });

  it('reads a last event without its blank line, and does not complain about half of one', () => {
    expect(read(sse, 'data: {"text":"1"}')).toEqual({ id: 'events 1', parseErrors: 0 });
    expect(read(sse, 'data: {"text":"1"}\n\ndata: {"us').parseErrors).toBe(0);
  });

  it('complains once about events that are no JSON or too long', () => {
    expect(read(sse, 'data: oops\n\ndata: oops\n\n').parseErrors).toBe(1);
    expect(read({ ...sse, maxEventBytes: 20 }, `data: ${'x'.repeat(30)}\n\ndata: {}\n\n`)).toEqual({
      id: 'events 1',
      parseErrors: 1,
    });
  });

  it('survives a reader that throws', () => {
    const fail = () => {
      throw new Error('reader');
    };
    const stream = () => ({ event: fail, result: fail });
    expect(read({ ...sse, provider: { stream } }, 'data: {}\n\n')).toEqual({ parseErrors: 1 });
    expect(read({ ...sse, provider: { stream: fail } }, 'data: {}\n\n').parseErrors).toBe(1);
  });

  it('is known by its array, without a content type by the request', () => {
    expect(read({ stream: true, contentType: 'application/json' }, '[{"a":1}', ',{"b":2}]').id).toBe('events 2');
    expect(read({ stream: true }, 'data: {"a":1}\n\n').id).toBe('events 1');
  });
});
