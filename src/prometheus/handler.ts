import { sha256 } from '../digest.ts';
import type { TelemetryError } from '../errors.ts';
import type { MetricsSnapshot } from '../metrics/snapshot.ts';
import { parseQualityList } from './header.ts';
import { negotiateFormat } from './negotiate.ts';
import { renderPrometheus } from './render.ts';

/** A secret as it is, or where to find it when it is needed. */
export type Secret = string | (() => string | undefined | Promise<string | undefined>);

export interface MetricsHandlerOptions {
  collect: () => Promise<MetricsSnapshot>;
  /**
   * Bearer token that a scraper has to send. Given but empty or undefined, also as a property of that value, the page
   * answers 503: a forgotten secret must not publish metrics.
   */
  token?: Secret;
  /** Keeps the families whose name it answers true for; see `RenderOptions`. */
  filter?: (name: string) => boolean;
  note?: string;
}

/**
 * A metrics page: GET and HEAD, format by `Accept`, gzip by `Accept-Encoding`. 401 without the token, 405 for other
 * methods, 501 with its message where `collect` rejects with a `TelemetryError`, 503 where that is `store_failed`, 500
 * without details for other errors.
 *
 * @example
 * const metrics = createMetricsHandler({ collect: () => registry.collect(), token: () => env.METRICS_TOKEN });
 * Deno.serve(metrics);
 */
export function createMetricsHandler(options: MetricsHandlerOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, { allow: 'GET, HEAD' });
    try {
      if ('token' in options) {
        const token = await readSecret(options.token);
        if (!token) return refuse(503);
        if (!(await isAuthorized(request, token))) return refuse(401, { 'www-authenticate': 'Bearer' });
      }
      const format = negotiateFormat(request.headers.get('accept'));
      const text = renderPrometheus(await options.collect(), format, options);
      return respond(request, text, format.contentType);
    } catch (error) {
      // By name: a second copy of this library may have thrown it.
      if (!(error instanceof Error) || error.name !== 'TelemetryError') return refuse(500);
      return refuse((error as TelemetryError).code === 'store_failed' ? 503 : 501, {}, error.message);
    }
  };
}

async function readSecret(secret: Secret | undefined): Promise<string | undefined> {
  try {
    return typeof secret === 'function' ? await secret() : secret;
  } catch {
    return undefined;
  }
}

/** Digests have one length and say nothing about how much of a guess was right. */
async function isAuthorized(request: Request, token: string): Promise<boolean> {
  const [, given = ''] = /^bearer +(.*)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  const [expected, actual] = await Promise.all([sha256(token), sha256(given)]);
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= expected[i]! ^ actual[i]!;
  return difference === 0;
}

function respond(request: Request, text: string, contentType: string): Response {
  const headers = new Headers({
    'content-type': contentType,
    vary: 'Accept, Accept-Encoding',
    'cache-control': 'no-store',
  });
  // Bun before 1.3.3 has none.
  const gzip = typeof CompressionStream === 'function' && acceptsGzip(readAcceptEncoding(request));
  if (gzip) headers.set('content-encoding', 'gzip');
  if (request.method === 'HEAD') return new Response(null, { headers });
  if (!gzip) return new Response(text, { headers });
  // workerd would compress a second time what already is compressed; other runtimes do not know the property.
  const init: ResponseInit & { encodeBody: 'manual' } = { headers, encodeBody: 'manual' };
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip')), init);
}

/** What the client itself accepts: a host between may have put its own into the header, and the client's beside it. */
function readAcceptEncoding(request: Request): string | null {
  const { cf } = request as { cf?: { clientAcceptEncoding?: unknown } };
  const own = cf?.clientAcceptEncoding;
  return typeof own === 'string' ? own : request.headers.get('accept-encoding');
}

function acceptsGzip(header: string | null): boolean {
  const members = parseQualityList(header);
  const member = members.find(({ value }) => value === 'gzip') ?? members.find(({ value }) => value === '*');
  return member !== undefined && member.q > 0;
}

function refuse(status: 401 | 405 | 500 | 501 | 503, headers: Record<string, string> = {}, message?: string): Response {
  const text = {
    401: 'Unauthorized',
    405: 'Method Not Allowed',
    500: 'Internal Server Error',
    501: '',
    503: 'Service Unavailable',
  };
  return new Response(`${message ?? text[status]}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
  });
}
