import { serveRequest } from '../http/server-span.ts';
import { getParts } from '../parts.ts';
import type { Telemetry } from '../telemetry.ts';

/**
 * A fetch handler inside a SERVER span that ends with the response's last byte. Further arguments are handed on.
 *
 * @example
 * Deno.serve(instrument((request) => new Response('ok'), telemetry));
 */
export function instrument<A extends unknown[]>(
  handler: (request: Request, ...rest: A) => Response | Promise<Response>,
  telemetry: Telemetry,
): (request: Request, ...rest: A) => Promise<Response> {
  const parts = getParts(telemetry);
  return function instrumented(this: unknown, request, ...rest) {
    return serveRequest(parts, { request, handle: () => handler.call(this, request, ...rest) });
  };
}
