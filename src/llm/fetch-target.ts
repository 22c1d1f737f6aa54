/** What a call of `fetch` is for, wherever its two arguments say so. */
export interface FetchTarget {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal | null | undefined;
  /** As it was given, or the request that holds it. */
  readonly body: unknown;
}

/** A body above this is not read. */
const maxBodyBytes = 8 * 1024 * 1024;

/** `undefined` for what the real fetch will refuse, or resolve against an address that we do not know. */
export function readTarget(input: RequestInfo | URL, init: RequestInit | undefined): FetchTarget | undefined {
  const request = input instanceof Request ? input : undefined;
  try {
    return {
      url: new URL(request ? request.url : String(input)),
      method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
      headers: new Headers(init?.headers ?? request?.headers),
      signal: init?.signal ?? request?.signal,
      // Workers hand a request on as `fetch(url, request)`.
      body: init instanceof Request ? init : (init?.body ?? request),
    };
  } catch {
    return undefined;
  }
}

/** Headers that can be read only once, as `entries()` of others, made fit to be read before they are sent. */
export function keepHeaders(init: RequestInit | undefined): RequestInit | undefined {
  const headers = init?.headers as (Headers & Partial<Iterator<unknown>>) | undefined;
  return typeof headers?.next === 'function' ? { ...init, headers: [...headers] } : init;
}

/** The arguments with more headers. */
export function withHeaders(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  target: FetchTarget,
  added: Record<string, string>,
): [RequestInfo | URL, RequestInit] {
  const headers = new Headers(target.headers);
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  // What a request holds is no property that could be copied.
  return init instanceof Request ? [new Request(input, init), { headers }] : [input, { ...init, headers }];
}

/** The text of a string or of bytes; a stream, a form or compressed bytes stay unread. */
export function readBody(body: unknown): string | undefined {
  if (typeof body === 'string') return body.length > maxBodyBytes ? undefined : body;
  if (!(body instanceof ArrayBuffer || ArrayBuffer.isView(body)) || body.byteLength > maxBodyBytes) return undefined;
  return new TextDecoder().decode(body);
}

/** A copy of a request to read the body of, where it can be read. */
export function cloneRequest(body: unknown): Request | undefined {
  if (!(body instanceof Request) || body.bodyUsed || body.headers.has('content-encoding')) return undefined;
  if (Number(body.headers.get('content-length')) > maxBodyBytes) return undefined;
  try {
    const copy = body.clone();
    // Only the copy is asked for it: Deno sends a text in chunks, without its length, where that was asked for.
    return copy.body ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a copied request. */
export async function readRequest({ body }: Request): Promise<string | undefined> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done || !value) return text + decoder.decode();
      size += value.length;
      if (size > maxBodyBytes) {
        reader?.cancel().catch(() => {});
        return undefined;
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return undefined;
  }
}
