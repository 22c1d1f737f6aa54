import {
  type Collector,
  createCollector,
  createMemoryTraceStore,
  type TraceStore,
} from '../../../src/collector/index.ts';
import { sendSpans, workSpan } from '../../collector/support.ts';
import { createAlsRuntime, createManualClock } from '../../support/telemetry.ts';
import { until } from '../peer.ts';

/** What each run sends besides model calls, to move what the collector says of itself. */
export const intake = {
  room: 200,
  /** Above the soft limit of 160, below the hard one of 190. */
  large: 170,
  /** Requests of a service in a minute. */
  perMinute: 30,
  noisy: 33,
  /** What is under way, what waits, and what comes then. */
  full: [120, 60, 30],
  held: 6,
  memoryBytes: 123_456_789,
  /** Seconds from one run to the next. */
  seconds: 61,
} as const;

const email = /\S+@\S+/;

interface OtlpSpans {
  resourceSpans: { scopeSpans: { spans: { traceId: string }[] }[] }[];
}

/** A collector behind a fetch, and all that it takes to see what it counts. */
export function createIntake() {
  const clock = createManualClock();
  const store = createMemoryTraceStore();
  const sent = { spans: 0, traces: new Set<string>() };
  let gate: { promise: Promise<void>; entered: boolean; open: () => void } | undefined;
  let sinkFails = false;
  let ids = 0;

  const traces: TraceStore = {
    ...store,
    async add(spans, tenant) {
      if (spans.some(({ name }) => name === 'lost')) throw new Error('the disk is full');
      if (gate) {
        gate.entered = true;
        await gate.promise;
      }
      await store.add(spans, tenant);
    },
  };
  const collector: Collector = createCollector({
    traces,
    adminKey: 'admin',
    queue: { max: intake.room },
    rateLimit: { perService: intake.perMinute },
    memoryBytes: () => intake.memoryBytes,
    forward: { endpoint: 'http://sink.test' },
    telemetry: {
      sampling: { keepSlowerThanMs: 3_600_000 },
      redact: (text) => {
        if (text === 'break it') throw new Error('a rule that fails');
        return text.replace(email, 'somebody');
      },
      otlp: { fetch: async () => new Response(null, { status: sinkFails ? 400 : 200 }) },
      runtime: createAlsRuntime(clock),
      onError: () => undefined,
    },
  });

  /** For telemetries: the spans that reach the pipeline are counted on their way. */
  async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    const body = await request.clone().text();
    const response = await collector.request(request);
    if (response.status === 200 && request.url.endsWith('/v1/traces')) noteSpans(body);
    return response;
  }

  function noteSpans(body: string): void {
    const { resourceSpans } = JSON.parse(body) as OtlpSpans;
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
    sent.spans += spans.length;
    for (const { traceId } of spans) sent.traces.add(traceId);
  }

  /** Spans of no agent, each a trace of its own. */
  function spansOf(service: string, count: number, parts: Parameters<typeof workSpan>[0] = {}) {
    return Array.from({ length: count }, () => {
      const id = (++ids).toString(16);
      return workSpan({ service, traceId: id.padStart(32, '0'), spanId: id.padStart(16, '0'), ...parts });
    });
  }

  async function post(service: string, count: number, parts?: Parameters<typeof workSpan>[0]): Promise<number> {
    const spans = spansOf(service, count, parts);
    const { status } = await sendSpans(collector, spans);
    // What the store does not take was counted before.
    if (status === 200 || parts?.name === 'lost') {
      for (const span of spans) sent.traces.add(span.spanContext().traceId);
      sent.spans += count;
    }
    return status;
  }

  async function configure(change: object): Promise<void> {
    const headers = { authorization: 'Bearer admin', 'content-type': 'application/json' };
    const { status } = await collector.request('/config', { method: 'PUT', headers, body: JSON.stringify(change) });
    if (status !== 200) throw new Error(`PUT /config answers ${status}`);
  }

  function closeGate(): void {
    let open = () => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    gate = { promise, entered: false, open };
  }

  function openGate(): void {
    gate?.open();
    gate = undefined;
  }

  async function page(): Promise<string> {
    const accept = 'application/openmetrics-text;version=1.0.0';
    return (await collector.request('/metrics', { headers: { accept, authorization: 'Bearer admin' } })).text();
  }

  async function failToForward(): Promise<void> {
    const read = async () =>
      Number(/edgespan_collector_export_failures_total\{[^}]*\} (\d+)/.exec(await page())?.[1] ?? 0);
    const before = await read();
    sinkFails = true;
    await post('legacy', 1);
    await until('a failed delivery', async () => ((await read()) > before ? true : undefined));
    sinkFails = false;
  }

  async function overflow(): Promise<void> {
    closeGate();
    const [first, second, third] = intake.full;
    const underway = post('legacy', first);
    await until('the store', () => gate?.entered || undefined);
    const waiting = post('legacy', second);
    await until('the queue', async () => ((await page()).includes(`queue_size ${first + second}`) ? true : undefined));
    expectStatus(await post('legacy', third), 429);
    await configure({ queue: { whenFull: 'drop_oldest' } });
    const last = post('legacy', third);
    expectStatus(await waiting, 503);
    openGate();
    expectStatus(await underway, 200);
    expectStatus(await last, 200);
    await configure({ queue: { whenFull: 'reject' } });
  }

  return {
    fetch,
    /** The next minute begins, for rate limits and activity. */
    begin() {
      clock.advance(intake.seconds * 1000);
      const last = { spans: sent.spans, traces: new Set(sent.traces) };
      sent.spans = 0;
      sent.traces.clear();
      return last;
    },
    async run(): Promise<void> {
      for (let i = 0; i < intake.noisy; i++) expectStatus(await post('noisy', 1), i < intake.perMinute ? 200 : 429);
      expectStatus(await post('lost', 1, { name: 'lost' }), 503);
      await post('legacy', 1, { attributes: { 'user.name': 'ada@example.com' } });
      await post('legacy', 1, { attributes: { 'user.name': 'break it' } });
      await configure({ sampling: { ratio: 0 } });
      await post('legacy', intake.held);
      await configure({ sampling: { ratio: 1 } });
      await failToForward();
      await overflow();
    },
    /** The page while a large request is under way. */
    async readPage(): Promise<{ text: string; spans: number; traces: number; stored: number }> {
      closeGate();
      const underway = post('legacy', intake.large);
      await until('the store', () => gate?.entered || undefined);
      const stored = (await store.size?.()) ?? 0;
      const text = await page();
      openGate();
      expectStatus(await underway, 200);
      return { text, spans: sent.spans, traces: sent.traces.size, stored };
    },
    sent,
    shutdown: () => collector.shutdown(1000),
  };
}

function expectStatus(status: number, wanted: number): void {
  if (status !== wanted) throw new Error(`the collector answers ${status}, not ${wanted}`);
}
