import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTelemetry, type FlushResult, type TelemetryOptions } from '../src/index.ts';
import { getParts } from '../src/parts.ts';
import { createAlsRuntime, createManualClock, settle } from './support/telemetry.ts';

type Answer = (url: string, spanCount: number) => Response | Promise<Response>;

const answers: Record<string, Answer> = {
  delivered: () => new Response('{}', { headers: { 'content-type': 'application/json' } }),
  garbage: () => new Response('<html>'),
  partial: (_, count) => Response.json({ partialSuccess: { rejectedSpans: Math.min(2, count), errorMessage: 'no' } }),
  refused: () => new Response('', { status: 400 }),
  unauthorized: () => new Response('', { status: 401 }),
  broken: () => new Response('', { status: 500 }),
  tooLarge: () => new Response('', { status: 413 }),
  busy: () => new Response('', { status: 429 }),
  unavailable: () => new Response('', { status: 503 }),
  unreachable: () => Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })),
  lost: () => Promise.reject(new TypeError('terminated')),
};

/** An OTLP endpoint that answers as it is told, and what it took in. */
function createEndpoint(options: TelemetryOptions = {}) {
  const queue: Answer[] = [];
  const taken: string[] = [];
  const requests: { url: string; names: string[] }[] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = String(input);
    const names = url.endsWith('traces') ? readNames(init?.body) : [];
    requests.push({ url, names });
    const response = await (queue.shift() ?? answers.delivered!)(url, names.length);
    if (response.ok) taken.push(...names);
    return response;
  };
  const clock = createManualClock();
  const telemetry = createTelemetry({
    metrics: { enabled: false },
    flush: { maxRetries: 0, batchSize: 4 },
    ...options,
    otlp: { endpoint: 'https://otlp.test', fetch, ...options.otlp },
    runtime: createAlsRuntime({ ephemeral: true, ...clock, ...options.runtime }),
  });
  return { telemetry, queue, taken, requests, clock };
}

function readNames(body: unknown): string[] {
  const json = JSON.parse(new TextDecoder().decode(body as Uint8Array)) as {
    resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[];
  };
  return json.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
  );
}

describe('accounting', () => {
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 9 }).map((spans) => ({ spans })) },
    {
      weight: 2,
      arbitrary: fc.array(fc.constantFrom(...Object.keys(answers)), { maxLength: 5 }).map((flush) => ({ flush })),
    },
    { weight: 1, arbitrary: fc.constant({ twoFlushes: true }) },
  );

  it('holds for every fault: recorded = sent + dropped + pending', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
        const { telemetry, queue, taken } = createEndpoint({ limits: { spans: 12 } });
        let recorded = 0;
        let [sent, dropped, pending] = [0, 0, 0];
        const add = (result: FlushResult) => {
          sent += result.traces.sent;
          dropped += result.traces.dropped;
          ({ pending } = result.traces);
        };
        for (const step of actions) {
          if ('spans' in step) for (let i = 0; i < step.spans; i++) telemetry.span(`${recorded++}`, () => {});
          else if ('flush' in step) {
            queue.splice(0, queue.length, ...step.flush.map((name) => answers[name]!));
            add(await telemetry.flush());
          } else await Promise.all([telemetry.flush().then(add), telemetry.flush().then(add)]);
          if (!('spans' in step)) expect(sent + dropped + pending).toBe(recorded);
        }
        queue.length = 0;
        add(await telemetry.flush());
        expect([sent + dropped, pending]).toEqual([recorded, 0]);
        const total = (result: string) => telemetry.metrics.value('edgespan_spans_total', { result }) ?? 0;
        expect([total('recorded'), total('sent'), total('dropped')]).toEqual([recorded, sent, dropped]);
        expect(telemetry.metrics.value('edgespan_dropped_total', { signal: 'traces' }) ?? 0).toBe(dropped);
        expect(new Set(taken).size).toBe(taken.length);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a flush', () => {
  it('is not ok while points of another one are under way', async () => {
    const { telemetry, queue } = createEndpoint({ metrics: {} });
    telemetry.metrics.counter('jobs_total').inc();
    let answer = (_: Response) => {};
    queue.push(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const first = telemetry.flush();
    const second = await telemetry.flush();
    expect([second.ok, second.metrics.pending > 0]).toEqual([false, true]);
    answer(Response.json({}));
    expect(await first).toMatchObject({ ok: true, metrics: { pending: 0 } });
  });

  it('sends batches of flush.batchSize, and says so', async () => {
    const { telemetry, requests } = createEndpoint();
    for (let i = 0; i < 9; i++) telemetry.span(`${i}`, () => {});
    expect(await telemetry.flush()).toEqual({
      ok: true,
      traces: { sent: 9, dropped: 0, pending: 0 },
      metrics: { sent: 0, dropped: 0, pending: 0 },
    });
    expect(requests.map(({ names }) => names.length)).toEqual([4, 4, 1]);
    expect(await telemetry.flush()).toMatchObject({ ok: true, traces: { sent: 0 } });
    expect(requests).toHaveLength(3);
  });

  it('puts back what could not be sent, in its order, before what came later', async () => {
    const { telemetry, queue, taken, requests } = createEndpoint();
    for (const name of ['a', 'b', 'c', 'd', 'e']) telemetry.span(name, () => {});
    let release = (_: Response): void => {};
    queue.push(() => new Promise((resolve) => (release = resolve)));
    const flushed = telemetry.flush();
    await settle();
    telemetry.span('f', () => {});
    release(new Response('', { status: 503 }));
    const result = await flushed;
    expect(result).toMatchObject({ ok: false, traces: { sent: 0, dropped: 0, pending: 6 } });
    expect(result.traces.lastError?.code).toBe('export_failed');
    // The batch behind a failed one is not tried, and no export of it is counted.
    expect(requests).toHaveLength(1);
    expect(telemetry.metrics.value('edgespan_exports_total', { signal: 'traces' })).toBe(1);
    await telemetry.flush();
    expect(taken).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('halves what is too large, down to a single span', async () => {
    const { telemetry, queue, requests } = createEndpoint();
    for (const name of ['a', 'b', 'c', 'd']) telemetry.span(name, () => {});
    queue.push(answers.tooLarge!, answers.tooLarge!, answers.tooLarge!, answers.delivered!, answers.delivered!);
    const result = await telemetry.flush();
    expect(requests.map(({ names }) => names.join(''))).toEqual(['abcd', 'ab', 'a', 'b', 'cd']);
    expect(result.traces).toMatchObject({ sent: 3, dropped: 1, pending: 0 });
    expect(telemetry.metrics.value('edgespan_dropped_total', { reason: 'too_large' })).toBe(1);
  });

  it('keeps everything where there is no time', async () => {
    const { telemetry, requests } = createEndpoint();
    telemetry.span('a', () => {});
    expect((await telemetry.flush({ timeoutMs: 0 })).traces).toMatchObject({ sent: 0, pending: 1 });
    expect(requests).toEqual([]);
  });

  it('counts since the last one, and what is pending as it is', async () => {
    const { telemetry, queue } = createEndpoint();
    telemetry.span('a', () => {});
    queue.push(answers.busy!);
    expect((await telemetry.flush()).traces).toMatchObject({ sent: 0, pending: 1 });
    telemetry.span('b', () => {});
    expect((await telemetry.flush()).traces).toEqual({ sent: 2, dropped: 0, pending: 0 });
  });

  it('of one request never takes or awaits what another sends', async () => {
    const { telemetry, queue, requests } = createEndpoint();
    let release = (_: Response): void => {};
    queue.push(() => new Promise((resolve) => (release = resolve)));
    telemetry.span('a', () => {});
    const first = telemetry.flush();
    await settle();
    telemetry.span('b', () => {});
    expect((await telemetry.flush()).traces).toMatchObject({ sent: 1, pending: 1 });
    release(new Response('{}'));
    expect((await first).traces).toMatchObject({ sent: 1, pending: 0 });
    expect(requests.map(({ names }) => names)).toEqual([['a'], ['b']]);
  });

  it('waits for those under way where the runtime lives on', async () => {
    const { telemetry, queue } = createEndpoint({ runtime: { ephemeral: false } });
    let release = (_: Response): void => {};
    queue.push(() => new Promise((resolve) => (release = resolve)));
    telemetry.span('a', () => {});
    const first = telemetry.flush();
    let done = false;
    const second = telemetry.flush().then(() => {
      done = true;
    });
    await settle(100);
    expect(done).toBe(false);
    release(new Response('{}'));
    await Promise.all([first, second]);
    expect(done).toBe(true);
  });

  it('waits for the others when one part fails', async () => {
    let release = () => {};
    const { telemetry } = createEndpoint({
      metrics: { enabled: true },
      exporters: [() => new Promise<void>((resolve) => (release = resolve))],
    });
    getParts(telemetry).engine.registry.beforeCollect(() => {
      throw new Error('collecting fails');
    });
    telemetry.span('a', () => {});
    let done = false;
    const flushed = telemetry.flush().finally(() => {
      done = true;
    });
    await settle(200);
    expect(done).toBe(false);
    release();
    expect((await flushed).traces).toMatchObject({ sent: 2, dropped: 0, pending: 0 });
    expect(telemetry.health().problems[0]?.message).toBe('collecting fails');
  });
});

describe('a runtime that lives on', () => {
  function createTicking(options: TelemetryOptions = {}) {
    const timers: { ms: number; run: () => void; stopped: boolean }[] = [];
    const every = (ms: number, run: () => void) => {
      const timer = { ms, run, stopped: false };
      timers.push(timer);
      return () => {
        timer.stopped = true;
      };
    };
    return { timers, ...createEndpoint({ ...options, runtime: { ephemeral: false, every } }) };
  }

  it('flushes by interval, from the first span or metric on', async () => {
    const { telemetry, timers, taken } = createTicking({ flush: { intervalMs: 1234, maxRetries: 0 } });
    expect(timers).toEqual([]);
    telemetry.span('a', () => {});
    telemetry.span('b', () => {});
    expect(timers.map(({ ms }) => ms)).toEqual([1234]);
    timers[0]!.run();
    await telemetry.flush();
    expect(taken).toEqual(['a', 'b']);
  });

  it('flushes at once when a batch is full', async () => {
    const { telemetry, requests } = createTicking();
    for (let i = 0; i < 3; i++) telemetry.span(`${i}`, () => {});
    await settle(200);
    expect(requests).toEqual([]);
    telemetry.span('3', () => {});
    await telemetry.flush();
    expect(requests.map(({ names }) => names.join(''))).toEqual(['0123']);
  });

  it('stops at shutdown', async () => {
    const { telemetry, timers, taken } = createTicking();
    telemetry.span('a', () => {});
    expect(await telemetry.shutdown()).toMatchObject({ ok: true, traces: { sent: 1 } });
    telemetry.span('late', () => {});
    expect(timers.map(({ stopped }) => stopped)).toEqual([true]);
    expect(taken).toEqual(['a']);
  });

  it('has no timer where nothing is exported', () => {
    const started: number[] = [];
    const telemetry = createTelemetry({
      runtime: {
        every: (ms) => {
          started.push(ms);
          return () => {};
        },
      },
    });
    telemetry.span('a', () => {});
    telemetry.metrics.counter('x').inc();
    expect(started).toEqual([]);
  });

  it('survives a timer that can not be started', () => {
    const { telemetry } = createEndpoint({
      runtime: {
        ephemeral: false,
        every() {
          throw new Error('not here');
        },
      },
    });
    expect(telemetry.span('a', () => 1)).toBe(1);
    expect(telemetry.health().problems[0]?.message).toBe('not here');
  });
});
