import type { Runtime } from '../runtime.ts';
import type { Provider } from './provider.ts';

/** The statuses that have no body. */
const bodiless = new Set([204, 205, 304]);

/** Whether its body can be observed: of other statuses no response can be made. */
export function hasBody(response: Response): response is Response & { body: ReadableStream<Uint8Array> } {
  const { body, status } = response;
  return body !== null && !bodiless.has(status) && status >= 200 && status <= 599;
}

/** The same response with another body, fit to be served. */
export function withBody(
  response: Response,
  body: ReadableStream<Uint8Array>,
  copyInit: Runtime['copyInit'],
): Response {
  return asReceived(makeResponse(body, copyInit?.(response) ?? response), response);
}

/** Some hosts take in reason phrases that they refuse to make a response of, such as those in Chinese on Node. */
export function makeResponse(
  body: ReadableStream<Uint8Array>,
  init: Pick<Response, 'status' | 'statusText' | 'headers'>,
): Response {
  try {
    return new Response(body, init);
  } catch {
    return new Response(body, { status: init.status, headers: init.headers });
  }
}

/** The constructor can't be given `url` and `redirected`, which SDKs read; clones have them too. */
function asReceived(copy: Response, response: Response): Response {
  for (const name of ['url', 'redirected', 'type', 'statusText'] as const) {
    Object.defineProperty(copy, name, { value: response[name], configurable: true });
  }
  return Object.defineProperty(copy, 'clone', { value: cloneReceived, configurable: true, writable: true });
}

/** One for all responses, since each open stream holds its own. */
function cloneReceived(this: Response): Response {
  return asReceived(Response.prototype.clone.call(this), this);
}

/** Whether the host is the vendor's, or has it in its name, as `eu.api.openai.com` has. */
export function isVendors(url: URL, { name, owns }: Provider): boolean {
  return owns?.(url) ?? url.hostname.split('.').includes(name);
}

export type Settled<T> = { ok: true; value: T } | { ok: false; error: unknown };

export async function settle<T>(fn: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await fn() };
  } catch (error) {
    return { ok: false, error };
  }
}
