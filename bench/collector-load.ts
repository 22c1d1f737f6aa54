import { Agent, request as httpRequest } from 'node:http';
import process from 'node:process';

/** A generator of its own process: `node bench/collector-load.ts '{"url":…}'` prints what came back as one line of JSON. */
export interface Load {
  readonly url: string;
  readonly format: 'json' | 'protobuf';
  /** In a request, one trace. */
  readonly spans: number;
  readonly seconds: number;
  /** Requests under way at most: without a rate so many all the time. */
  readonly connections: number;
  /** Requests a second, whether or not answers come; as many as it bears where there is none. */
  readonly rate?: number;
}

export interface LoadResult {
  readonly seconds: number;
  readonly sent: number;
  /** What could not be sent in its time, since as many requests as may were under way. */
  readonly late: number;
  /** Answers by status; 0 where the connection broke. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of 429 and 503, those that say when to come again. */
  readonly retryAfter: number;
  /** Of requests that were taken. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const types = { json: 'application/json', protobuf: 'application/x-protobuf' };
/** Answers whose times are kept. */
const maxTimes = 1_000_000;
const tickMs = 5;

/** A request whose trace id is written into a copy, so that making it costs next to nothing. */
async function createBodies({ format, spans }: Load): Promise<(id: number) => Buffer> {
  const { createTelemetry } = await built('index');
  const { protobuf } = await built('protobuf');
  const bodies: Uint8Array[] = [];
  const telemetry = createTelemetry({
    serviceName: 'bench',
    environment: 'bench',
    flush: { batchSize: spans },
    inMemory: true,
    otlp: {
      endpoint: 'http://127.0.0.1:1',
      ...(format === 'protobuf' && { encoder: protobuf }),
      async fetch(_url: unknown, init: { body: Uint8Array }) {
        bodies.push(init.body);
        return new Response('{}');
      },
    },
    metrics: { enabled: false },
  });
  telemetry.span('answer', { type: 'agent' }, (_: unknown, inner: typeof telemetry) => {
    for (let i = 1; i < spans; i++) {
      inner.recordLlmCall({
        provider: 'openai',
        model: 'gpt-4o',
        usage: { input: 1000 + i, output: 200 + i },
        latencyMs: 500 + i,
      });
    }
  });
  const { traceId } = telemetry.spans[0].spanContext();
  await telemetry.flush();
  const template = Buffer.from(bodies[0]!);
  const mark = format === 'json' ? Buffer.from(traceId) : Buffer.from(traceId, 'hex');
  const places: number[] = [];
  for (let at = template.indexOf(mark); at >= 0; at = template.indexOf(mark, at + 1)) places.push(at);
  if (places.length < spans) throw new Error('the template has lost its trace');
  return (id) => {
    const hex = id.toString(16).padStart(12, '0');
    const body = Buffer.from(template);
    for (const at of places) {
      if (format === 'json') body.write(hex, at, 'latin1');
      else body.write(hex, at, 'hex');
    }
    return body;
  };
}

const built = (entry: string) => import(new URL(`../dist/${entry}.js`, import.meta.url).href);

async function run(load: Load): Promise<LoadResult> {
  const { url, format, seconds, connections, rate } = load;
  const bodyOf = await createBodies(load);
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const statuses: Record<string, number> = {};
  const times: number[] = [];
  let sent = 0;
  let late = 0;
  let underway = 0;
  let retryAfter = 0;

  function send(): Promise<void> {
    const body = bodyOf(++sent);
    const startedAt = performance.now();
    underway++;
    return new Promise((resolve) => {
      const done = (status: number) => {
        underway--;
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 200 && times.length < maxTimes) times.push(performance.now() - startedAt);
        resolve();
      };
      const headers = { 'content-type': types[format], 'content-length': body.length };
      const request = httpRequest(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
        if (response.headers['retry-after']) retryAfter++;
        response.resume().on('end', () => done(response.statusCode ?? 0));
        response.on('error', () => done(0));
      });
      request.on('error', () => done(0)).end(body);
    });
  }

  const start = performance.now();
  const left = () => seconds * 1000 - (performance.now() - start);
  async function lane(): Promise<void> {
    while (left() > 0) await send();
  }

  async function atRate(perSecond: number): Promise<void> {
    const pending = new Set<Promise<void>>();
    while (left() > 0) {
      while (sent + late < ((performance.now() - start) / 1000) * perSecond) {
        if (underway >= connections) late++;
        else {
          const one = send();
          pending.add(one);
          void one.then(() => pending.delete(one));
        }
      }
      await new Promise((resolve) => setTimeout(resolve, tickMs));
    }
    await Promise.all(pending);
  }

  await (rate === undefined ? Promise.all(Array.from({ length: connections }, lane)) : atRate(rate));
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? Number.NaN;
  return {
    seconds: (performance.now() - start) / 1000,
    sent,
    late,
    statuses,
    retryAfter,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

const [, , given] = process.argv;
if (import.meta.main && given) console.log(JSON.stringify(await run(JSON.parse(given) as Load)));
