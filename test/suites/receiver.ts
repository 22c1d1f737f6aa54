/** An OTLP request that a stand-in for `fetch` was handed. */
export interface ReceivedRequest {
  readonly path: string;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type Answer = (request: ReceivedRequest, index: number) => Response | Promise<Response>;

const accept: Answer = () => new Response('{}', { headers: { 'content-type': 'application/json' } });

/** A `fetch` that keeps what it was sent and answers as it is told. */
export function createReceiver(answer: Answer = accept) {
  const requests: ReceivedRequest[] = [];
  return {
    requests,
    async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
      const { pathname } = new URL(String(input));
      const bytes = new Uint8Array(await new Response(init?.body).arrayBuffer());
      const request = { path: pathname, headers: new Headers(init?.headers), bytes };
      requests.push(request);
      return answer(request, requests.length - 1);
    },
    /** The JSON that was sent to a path, oldest first. */
    bodies: (path: string) => requests.filter((request) => request.path === path).map(({ bytes }) => parse(bytes)),
  };
}

type Json = { [key: string]: never };

export function parse(bytes: Uint8Array): Json {
  return JSON.parse(new TextDecoder().decode(bytes)) as Json;
}

/** Names of the spans in an OTLP request. */
export function readSpanNames(body: unknown): string[] {
  const { resourceSpans } = body as { resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[] };
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)));
}

interface OtlpPoint {
  asInt?: string;
  asDouble?: number;
  count?: string;
}
interface OtlpMetric {
  name: string;
  sum?: { dataPoints: OtlpPoint[]; aggregationTemporality: number };
  gauge?: { dataPoints: OtlpPoint[] };
  histogram?: { dataPoints: OtlpPoint[]; aggregationTemporality: number };
}

/** Metrics of an OTLP request: of counters and gauges the values, of histograms the counts. */
export function readMetrics(body: unknown) {
  const { resourceMetrics } = body as { resourceMetrics: { scopeMetrics: { metrics: OtlpMetric[] }[] }[] };
  return resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .map(({ name, sum, gauge, histogram }) => ({
      name,
      temporality: (sum ?? histogram)?.aggregationTemporality,
      values: (sum ?? gauge ?? histogram)!.dataPoints.map(({ asInt, asDouble, count }) =>
        Number(asInt ?? asDouble ?? count),
      ),
    }));
}
