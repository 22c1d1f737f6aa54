import type { Context } from 'hono';
import { asObject, asString } from '../json.ts';

/**
 * The address that a request comes from, as its server tells: Node's socket, what Deno hands over, Bun's server, and on
 * Workers Cloudflare's header. `x-forwarded-for` says whatever its sender likes, unless a proxy of one's own sets it.
 */
export function readAddress(context: Context, trustForwardedFor: boolean): string | undefined {
  const { raw } = context.req;
  if (trustForwardedFor) {
    const first = raw.headers.get('x-forwarded-for')?.split(',', 1)[0]?.trim();
    if (first) return first.slice(0, 64);
  }
  // Only Cloudflare's own runtime puts this beside the request.
  if (asObject((raw as { cf?: unknown }).cf)) return raw.headers.get('cf-connecting-ip') ?? undefined;
  const env = asObject(context.env) ?? {};
  const socket = asObject(asObject(env.incoming)?.socket);
  const bun = env as { requestIP?: (request: Request) => { address?: string } | null };
  return (
    asString(socket?.remoteAddress) ??
    asString(asObject(env.remoteAddr)?.hostname) ??
    (typeof bun.requestIP === 'function' ? asString(bun.requestIP(raw)?.address) : undefined)
  );
}

/** Keeps work alive after the response, where a request's work ends with it; `undefined` elsewhere. */
export type ReadWaitUntil = (context: Context) => ((promise: Promise<unknown>) => void) | undefined;

/** Hono throws where there is none. A server that has none for one request has none for any, and is asked once. */
export function createWaitUntilReader(ephemeral: boolean): ReadWaitUntil {
  let hasNone = false;
  return (context) => {
    if (hasNone) return undefined;
    try {
      const { executionCtx } = context;
      return (promise) => executionCtx.waitUntil(promise);
    } catch {
      hasNone = !ephemeral;
      return undefined;
    }
  };
}
