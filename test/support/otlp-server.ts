import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type KeyValue, readAttributes } from '../../scripts/demo/attributes.ts';

type Attributes = Record<string, unknown>;

export interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly status: { code?: number; message?: string };
  readonly links?: readonly { traceId: string; spanId: string }[];
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

export interface SentPoint {
  readonly name: string;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  /** A counter's value, a histogram's count. */
  readonly value: number;
  /** 1 is delta, 2 cumulative; undefined for a gauge. */
  readonly temporality: number | undefined;
}

export type OtlpServer = Awaited<ReturnType<typeof startOtlpServer>>;

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An OTLP/HTTP receiver on loopback that decodes by the standard alone, and answers when it is told to. */
export async function startOtlpServer() {
  const spans: SentSpan[] = [];
  const points: SentPoint[] = [];
  const requests: { path: string; headers: Record<string, unknown> }[] = [];
  const waiting = new Set<() => void>();
  let beforeAnswer: (index: number) => Promise<void> | void = () => {};

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const body = JSON.parse(String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes));
    spans.push(...readSpans(body));
    points.push(...readPoints(body));
    const index = requests.push({ path: request.url ?? '', headers: request.headers }) - 1;
    for (const look of waiting) look();
    await beforeAnswer(index);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }

  // A sender that is stopped in the middle is no news.
  const server = createServer((request, response) => void take(request, response).catch(() => {}));
  const url = await listen(server);

  /** Resolves with the first thing that `find` sees, now or after one of the next requests. */
  function until<T>(find: () => T | undefined | false): Promise<T> {
    return new Promise((resolve) => {
      function look(): void {
        const found = find();
        if (found === undefined || found === false) return;
        waiting.delete(look);
        resolve(found);
      }
      waiting.add(look);
      look();
    });
  }

  return {
    url,
    spans,
    points,
    requests,
    until,
    span: (name: string) => until(() => spans.find((span) => span.name === name)),
    /** Sum of all points of a family that carry these attributes. */
    total: (name: string, attributes: Attributes = {}) =>
      points
        .filter(
          (point) => point.name === name && Object.entries(attributes).every(([k, v]) => point.attributes[k] === v),
        )
        .reduce((sum, { value }) => sum + value, 0),
    answerAfter(wait: (index: number) => Promise<void> | void): void {
      beforeAnswer = wait;
    },
    clear(): void {
      spans.length = 0;
      points.length = 0;
      requests.length = 0;
      beforeAnswer = () => {};
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Body {
  resourceSpans?: { resource?: { attributes?: KeyValue[] }; scopeSpans?: { spans?: RawSpan[] }[] }[];
  resourceMetrics?: { resource?: { attributes?: KeyValue[] }; scopeMetrics?: { metrics?: RawMetric[] }[] }[];
}
type RawSpan = Omit<SentSpan, 'attributes' | 'resource'> & { attributes?: KeyValue[] };
type RawPoint = { attributes?: KeyValue[]; asInt?: string; asDouble?: number; count?: string };
type RawData = { dataPoints: RawPoint[]; aggregationTemporality?: number };
type RawMetric = { name: string; sum?: RawData; gauge?: RawData; histogram?: RawData };

function readSpans({ resourceSpans = [] }: Body): SentSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) =>
      spans.map((span) => ({
        ...span,
        status: span.status ?? {},
        attributes: readAttributes(span.attributes),
        resource: readAttributes(resource?.attributes),
      })),
    ),
  );
}

function readPoints({ resourceMetrics = [] }: Body): SentPoint[] {
  return resourceMetrics.flatMap(({ resource, scopeMetrics = [] }) =>
    scopeMetrics.flatMap(({ metrics = [] }) =>
      metrics.flatMap(({ name, sum, gauge, histogram }) => {
        const data = (sum ?? gauge ?? histogram)!;
        return data.dataPoints.map(({ attributes, asInt, asDouble, count }) => ({
          name,
          attributes: readAttributes(attributes),
          resource: readAttributes(resource?.attributes),
          value: Number(asInt ?? asDouble ?? count ?? 0),
          temporality: data.aggregationTemporality,
        }));
      }),
    ),
  );
}
