import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { type KeyValue, readAttributes } from './attributes.ts';

/** A span as the OTLP request carried it. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status?: { code?: number; message?: string };
  attributes: Record<string, unknown>;
}

/** An OTLP/HTTP receiver that decodes what arrives, by the standard alone. */
export function createReceiver() {
  const spans: ReceivedSpan[] = [];
  const requests: { path: string; body: unknown }[] = [];
  let onArrival = () => {};

  // Whoever leaves in the middle of a request has sent none: workerd, when it is stopped.
  const server = createServer((request, response) => receive(request, response).catch(() => response.destroy()));

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const body = JSON.parse(String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes));
    requests.push({ path: request.url ?? '', body });
    spans.push(...readSpans(body));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    onArrival();
  }

  /** Resolves once so many spans have arrived; rejects when they do not come. */
  function waitFor(count: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`only ${spans.length} of ${count} spans arrived within ${timeoutMs} ms`));
      const timer = setTimeout(late, timeoutMs);
      onArrival = () => {
        if (spans.length < count) return;
        clearTimeout(timer);
        resolve();
      };
      onArrival();
    });
  }

  return { server, spans, requests, waitFor };
}

function readSpans(body: { resourceSpans?: { scopeSpans?: { spans?: never[] }[] }[] }): ReceivedSpan[] {
  const raw = (body.resourceSpans ?? []).flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans),
  );
  return raw.map((span: Omit<ReceivedSpan, 'attributes'> & { attributes?: KeyValue[] }) => ({
    ...span,
    attributes: readAttributes(span.attributes),
  }));
}
