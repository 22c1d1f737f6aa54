import { describe, expect, it } from 'vitest';
import { chatCompletion, createAlsTelemetry, createManualClock, settle } from '../support/telemetry.ts';

const chunk = (over: object) => ({ id: 'c-1', object: 'chat.completion.chunk', model: 'gpt-4o', choices: [], ...over });
const words = ['Hel', 'lo'].map((content) => chunk({ choices: [{ index: 0, delta: { content } }] }));
const stop = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const last = chunk({ usage: { prompt_tokens: 10, completion_tokens: 5 } });
const chunks = [...words, stop, last];
const whole = {
  'llm.operation': 'stream',
  'gen_ai.usage.input_tokens': 10,
  'gen_ai.response.finish_reasons': ['stop'],
};

type Telemetry = ReturnType<typeof createAlsTelemetry>;

async function* generate(items: readonly unknown[] = chunks) {
  yield* items;
}

async function readAll(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function check(telemetry: Telemetry, attributes: object = whole): void {
  expect(telemetry.spans).toHaveLength(1);
  expect(telemetry.spans[0]!.attributes).toMatchObject(attributes);
  expect(telemetry.metrics.value('llm_requests_total')).toBe(1);
}

/** A stream as SDKs have it: an object that can be iterated once. */
class SdkStream {
  readonly controller = new AbortController();
  async *[Symbol.asyncIterator]() {
    yield* chunks;
  }
}

const made: Record<string, () => AsyncIterable<unknown>> = {
  'a class with an iterator': () => new SdkStream(),
  'a generator behind a promise': () => generate(),
  'a generator without a prototype': () => {
    const inner = generate();
    return {
      next: () => inner.next(),
      return: () => inner.return(undefined),
      [Symbol.asyncIterator]() {
        return this;
      },
    } as unknown as AsyncIterable<unknown>;
  },
  'a subclass of ReadableStream': () => {
    class Events extends ReadableStream<unknown> {}
    return new Events({
      start(controller) {
        for (const item of chunks) controller.enqueue(item);
        controller.close();
      },
    });
  },
};

describe('a stream', () => {
  it.each(Object.entries(made))('that is %s is the same one, and seen to its end', async (_, make) => {
    const telemetry = createAlsTelemetry();
    const stream = make();
    const returned = await telemetry.llm(async () => stream)();
    expect(returned).toBe(stream);
    expect(telemetry.spans).toEqual([]);
    expect(await readAll(returned)).toEqual(chunks);
    check(telemetry);
  });

  it.each(Object.entries(made))('that is %s may be left', async (_, make) => {
    const telemetry = createAlsTelemetry();
    for await (const _ of await telemetry.llm(async () => make())()) break;
    check(telemetry, { 'edgespan.aborted': true });
    expect(telemetry.spans[0]!.status.code).not.toBe(2);
  });

  it.each(['stream', 'body', 'completion', 'data'])('may be inside of a result, as its %s', async (name) => {
    const telemetry = createAlsTelemetry();
    const result = { [name]: new SdkStream(), response: { status: 200 } };
    const returned = await telemetry.llm(async () => result)();
    expect(returned).toBe(result);
    await readAll(returned[name] as SdkStream);
    check(telemetry);
  });

  it('whose ways to be read lead into each other is seen once', async () => {
    const telemetry = createAlsTelemetry();
    const usage_metadata = { input_tokens: 3, output_tokens: 1, total_tokens: 4 };
    const message = { type: 'ai', content: 'Hi', response_metadata: {}, usage_metadata };
    class Nested {
      iterator = () => generate([message, message]);
      [Symbol.asyncIterator]() {
        return this.iterator();
      }
    }
    const stream = await telemetry.llm(async () => new Nested())();
    for await (const item of stream) expect(item).toBe(message);
    check(telemetry, { 'gen_ai.usage.input_tokens': 6 });
  });

  it('has nothing new to enumerate', async () => {
    const stream = new SdkStream();
    await createAlsTelemetry().llm(async () => stream)();
    expect(Object.keys(stream)).toEqual(['controller']);
  });

  it('fails as it fails', async () => {
    const telemetry = createAlsTelemetry();
    const failure = new RangeError('no');
    async function* failing() {
      yield words[0];
      throw failure;
    }
    const stream = { [Symbol.asyncIterator]: failing };
    const reading = readAll(await telemetry.llm(async () => stream)());
    await expect(reading).rejects.toBe(failure);
    check(telemetry, { 'error.type': 'RangeError', 'gen_ai.response.model': 'gpt-4o' });
  });

  it('that just stops when its own controller has aborted was left', async () => {
    const telemetry = createAlsTelemetry();
    const stream = new SdkStream();
    for await (const _ of await telemetry.llm(async () => stream)()) stream.controller.abort();
    check(telemetry, { 'edgespan.aborted': true });
  });

  it('that stops without a reason is incomplete', async () => {
    const telemetry = createAlsTelemetry();
    const stream = { [Symbol.asyncIterator]: () => generate(words) };
    await readAll(await telemetry.llm(async () => stream)());
    check(telemetry, { 'error.type': 'incomplete_stream' });
  });

  it('ends once, however often it is told to', async () => {
    const telemetry = createAlsTelemetry();
    const stream = await telemetry.llm(async () => new SdkStream())();
    const iterator = stream[Symbol.asyncIterator]();
    for (const _ of chunks) await iterator.next();
    await iterator.next();
    await iterator.next();
    await iterator.return(undefined);
    check(telemetry);
    expect(telemetry.metrics.value('llm_streams_aborted_total') ?? 0).toBe(0);
  });

  it('that is frozen, or gives frozen iterators, works as it would', async () => {
    const telemetry = createAlsTelemetry();
    const frozen = Object.freeze(new SdkStream());
    const inside = { [Symbol.asyncIterator]: () => Object.freeze(generate()) };
    for (const stream of [frozen, inside]) {
      expect(await readAll(await telemetry.llm(async () => stream as AsyncIterable<unknown>)())).toEqual(chunks);
    }
    expect(telemetry.spans).toHaveLength(2);
  });

  it('whose steps are thenables works as it would', async () => {
    const telemetry = createAlsTelemetry();
    let begun = 0;
    const step = (result: object) => ({
      // biome-ignore lint/suspicious/noThenProperty: this is what the test is about.
      then(resolve: (value: unknown) => void) {
        begun++;
        resolve(result);
      },
    });
    const steps = [step({ done: false, value: words[0] }), step({ done: true, value: undefined })];
    const stream = { [Symbol.asyncIterator]: () => ({ next: () => steps.shift() }) };
    const seen = [];
    for await (const item of (await telemetry.llm(async () => stream)()) as unknown as AsyncIterable<unknown>)
      seen.push(item);
    expect(seen).toEqual([words[0]]);
    expect(begun).toBe(2);
  });

  it('whose properties throw works as it would', async () => {
    const telemetry = createAlsTelemetry();
    const stream = {
      get on(): never {
        throw new Error('on');
      },
      get stream(): never {
        throw new Error('stream');
      },
      [Symbol.asyncIterator]: () => generate(),
    };
    expect(await readAll(await telemetry.llm(async () => stream)())).toEqual(chunks);
  });

  it('that nobody reads ends when it has waited long enough', async () => {
    const clock = createManualClock();
    const telemetry = createAlsTelemetry({ runtime: clock });
    await telemetry.llm(async () => new SdkStream())();
    await telemetry.prometheus();
    expect(telemetry.spans).toEqual([]);
    clock.advance(3_600_000);
    await telemetry.prometheus();
    check(telemetry, { 'edgespan.aborted': true });
  });

  it('that is being read is waited for by the flush of its invocation', async () => {
    const telemetry = createAlsTelemetry();
    const pending: Promise<unknown>[] = [];
    const waitUntil = (promise: Promise<unknown>) => void pending.push(promise);
    const stream = await telemetry.with({ waitUntil }, () => telemetry.llm(async () => new SdkStream())());
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    let flushed = false;
    void Promise.all(pending).then(() => {
      flushed = true;
    });
    await settle();
    expect(pending).not.toEqual([]);
    expect(flushed).toBe(false);
    while (!(await iterator.next()).done);
    await Promise.all(pending);
    check(telemetry);
  });

  it('is none in a Response, whose body is the caller’s', async () => {
    const telemetry = createAlsTelemetry();
    const response = new Response('Hello');
    expect(await telemetry.llm(async () => response)()).toBe(response);
    expect(telemetry.spans).toHaveLength(1);
    expect(await response.text()).toBe('Hello');
  });
});

describe('a platform’s stream', () => {
  const encode = (texts: readonly string[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    });

  it('of bytes, as env.AI.run returns it, is read as events, however it is cut', async () => {
    const telemetry = createAlsTelemetry();
    class Ai {
      async run(_model: string, _input: object) {
        return encode([
          'data: {"response":"Hel","p":"ab"}\n\ndata: {"resp',
          'onse":"lo"}\n\n',
          'data: {"response":"","usage":{"prompt_tokens":7,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
        ]);
      }
    }
    const ai = telemetry.wrap(new Ai(), { type: 'llm' });
    const text = await new Response(await ai.run('@cf/meta/llama-3.1-8b-instruct', { stream: true })).text();
    expect(text).toContain('[DONE]');
    check(telemetry, {
      'llm.provider': 'cloudflare',
      'llm.operation': 'stream',
      'gen_ai.request.model': '@cf/meta/llama-3.1-8b-instruct',
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 2,
    });
    expect(telemetry.metrics.value('llm_time_to_first_token_seconds')).toBe(1);
  });

  it('of bytes that are no events passes, its first bytes the first token', async () => {
    const telemetry = createAlsTelemetry();
    const stream = await telemetry.llm({ provider: 'mine' }, async () => encode(['{"a":', '1}']))();
    expect(await new Response(stream).text()).toBe('{"a":1}');
    check(telemetry, { 'llm.provider': 'mine', 'llm.operation': 'stream' });
  });

  it('that is locked is left alone', async () => {
    const telemetry = createAlsTelemetry();
    const stream = encode(['a']);
    const reader = stream.getReader();
    expect(await telemetry.llm(async () => stream)()).toBe(stream);
    expect(telemetry.spans).toHaveLength(1);
    expect((await reader.read()).done).toBe(false);
  });

  it('may be cancelled', async () => {
    const telemetry = createAlsTelemetry();
    const stream = await telemetry.llm(async () => encode(['data: {"response":"a"}\n\n', 'b']))();
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    check(telemetry, { 'edgespan.aborted': true });
  });
});

describe('a helper that tells its listeners', () => {
  type Listener = (...args: unknown[]) => void;

  class Helper {
    readonly #listeners = new Map<string, Listener[]>();
    aborted = false;
    errored = false;
    ended = false;
    failure: unknown;
    on(event: string, listener: Listener): this {
      this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
      return this;
    }
    emit(event: string, ...args: unknown[]): void {
      for (const listener of this.#listeners.get(event) ?? []) listener(...args);
    }
    async done(): Promise<void> {
      if (this.failure) throw this.failure;
    }
    async finalMessage(): Promise<object> {
      return chatCompletion();
    }
    events(): string[] {
      return [...this.#listeners.keys()];
    }
  }

  it('is heard to its end', () => {
    const telemetry = createAlsTelemetry();
    const helper = new Helper();
    expect(telemetry.llm(() => helper)()).toBe(helper);
    for (const item of chunks) helper.emit('chunk', item);
    helper.emit('end');
    helper.emit('end');
    check(telemetry);
    // Who listens for errors keeps those that nobody handles from being told.
    expect(helper.events()).not.toContain('error');
  });

  it.each([true, false])('that goes on by itself tells of all its replies (in parts: %s)', (inParts) => {
    const telemetry = createAlsTelemetry();
    const helper = new Helper();
    telemetry.llm(() => helper)();
    for (const id of ['chatcmpl-1', 'chatcmpl-2']) {
      if (inParts) for (const item of chunks) helper.emit('chunk', { ...item, id });
      helper.emit('chatCompletion', chatCompletion({ id }));
    }
    helper.emit('end');
    expect(telemetry.spans).toHaveLength(1);
    expect(telemetry.spans[0]!.attributes).toMatchObject({
      'gen_ai.response.id': 'chatcmpl-2',
      'gen_ai.usage.input_tokens': 20,
      'gen_ai.usage.output_tokens': 10,
      'llm.operation': inParts ? 'stream' : 'chat',
    });
  });

  it('fails with its own error', async () => {
    const telemetry = createAlsTelemetry();
    const helper = new Helper();
    telemetry.llm(() => helper)();
    Object.assign(helper, { errored: true, failure: new RangeError('no') });
    helper.emit('end');
    await settle();
    check(telemetry, { 'error.type': 'RangeError' });
  });

  it('may be aborted, or at its end already', () => {
    const telemetry = createAlsTelemetry();
    const helper = new Helper();
    telemetry.llm(() => helper)();
    helper.aborted = true;
    helper.emit('end');
    check(telemetry, { 'edgespan.aborted': true });
    telemetry.clearSpans();
    telemetry.llm(() => Object.assign(new Helper(), { ended: true }))();
    expect(telemetry.spans).toHaveLength(1);
  });
});
