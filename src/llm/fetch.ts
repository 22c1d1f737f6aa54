import type { Context } from '@opentelemetry/api';
import { asObject, parseJson } from '../json.ts';
import type { Fetch } from '../otlp/transport.ts';
import type { OpenStreams } from '../stream/open-streams.ts';
import { tapBody } from '../stream/tap.ts';
import { getInvocation, getModelCall } from '../trace/context.ts';
import { readAttempt } from './attempts.ts';
import { isAbort } from './error-class.ts';
import type { LlmRequest, LlmResponse, Provider } from './provider.ts';
import type { LlmRecorder, ModelCall } from './recorder.ts';
import { createReplyReader, type ReplyReader } from './reply-reader.ts';

export interface LlmFetchOptions {
  readonly recorder: LlmRecorder;
  readonly providers: readonly Provider[];
  readonly fetch: () => Fetch;
  readonly active: () => Context;
  /** Headers that carry the trace to this URL, where it may have them. */
  readonly inject: (url: URL, context: Context) => Record<string, string> | undefined;
  /** Bodies outside of any invocation. */
  readonly streams: OpenStreams;
  readonly limits: { readonly bodyBytes: number; readonly eventBytes: number };
  readonly parseError: (provider: string) => void;
  readonly report: (error: unknown) => void;
}

/** A call that is a model's: who is asked, for what. */
interface Recognised {
  readonly provider: Provider;
  readonly operation: string;
}

/** The statuses that have no body. */
const bodiless = new Set([101, 103, 204, 205, 304]);
/** Above this a request's own copy of its body is not read. */
const maxRequestBytes = 4 * 1024 * 1024;

/**
 * The standard `fetch`, observed: a model call becomes one span from the request to the last byte. The answer is the
 * one the real fetch gives, its body passed through as it comes; what is no model call passes untouched.
 */
export function createLlmFetch(options: LlmFetchOptions): Fetch {
  function recognise(url: URL, method: string): Recognised | undefined {
    if (method !== 'POST') return undefined;
    for (const provider of options.providers) {
      const operation = safely(() => provider.match({ url, method }), options.report);
      if (operation) return { provider, operation };
    }
    return undefined;
  }

  /** Starts the call's span. Whatever goes wrong in here, the request goes out. */
  function start(
    found: Recognised,
    url: URL,
    headers: Headers,
    body: string | undefined,
    context: Context,
  ): { call: ModelCall; request: LlmRequest } | undefined {
    const { provider, operation } = found;
    const parsed = { url, method: 'POST', headers, body: body === undefined ? undefined : parseJson(body) };
    const known = safely(
      () => provider.request(parsed),
      () => options.parseError(provider.name),
    );
    const request: LlmRequest = {
      provider: provider.name,
      model: undefined,
      operation,
      stream: asObject(parsed.body)?.stream === true,
      ...known,
    };
    const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
    const call = safely(
      () =>
        options.recorder.start({
          request,
          semconvProvider: provider.semconvName,
          attempt: readAttempt(headers, url, body),
          attributes: { 'server.address': url.hostname, 'server.port': port },
          context,
        }),
      options.report,
    );
    const mark = getModelCall(context);
    if (mark && call) mark.counted = true;
    return call && { call, request };
  }

  function observe(response: Response, found: Recognised, request: LlmRequest, call: ModelCall, context: Context) {
    const { status, headers } = response;
    if (!response.body || bodiless.has(status)) {
      call.end({ status, headers });
      return response;
    }
    let terminated = false;
    const reader: ReplyReader = createReplyReader(
      found.provider,
      { status, headers, request },
      {
        maxBodyBytes: options.limits.bodyBytes,
        maxEventBytes: options.limits.eventBytes,
        onContent: () => call.firstToken(),
        onChunk: () => call.chunk(),
        onEnd() {
          terminated = true;
          finish({});
        },
        onParseError: () => options.parseError(request.provider),
      },
    );
    function finish(how: { aborted?: boolean; thrown?: unknown }): void {
      open.close();
      const answer = reader.finish();
      const incomplete = request.stream && !terminated && !isComplete(answer);
      call.end({ response: answer, status, headers, incomplete, ...how });
    }
    const streams = getInvocation(context)?.streams ?? options.streams;
    const open = streams.open(() => finish({ aborted: true }));
    const body = tapBody(response.body, {
      pull: () => open.touch(),
      chunk: (bytes) => reader.chunk(bytes),
      end(reason, error) {
        if (reason === 'done') finish({});
        // An error page that nobody reads to the end is still an error, not a caller who left.
        else if (reason === 'cancel' || isAbort(error)) finish({ aborted: status < 400 });
        else finish({ thrown: error });
      },
    });
    return withBody(response, body);
  }

  return async function llmFetch(input, init) {
    const fetch = options.fetch();
    const target = safely(() => readTarget(input, init), options.report);
    if (!target) return fetch(input, init);
    const context = options.active();
    const { url, method, headers, signal } = target;
    const found = recognise(url, method);
    const carried = safely(() => options.inject(url, context), options.report);
    const sent = carried ? withHeaders(input, init, headers, carried) : ([input, init] as const);
    if (!found) return fetch(...sent);

    const copy = init?.body === undefined && input instanceof Request ? cloneOf(input) : undefined;
    const answer = settle(() => fetch(...sent));
    const text = copy ? await Promise.race([readText(copy), answer.then(() => undefined)]) : bodyText(init?.body);
    const started = start(found, url, headers, text, context);
    const result = await answer;
    if (!started) return unwrap(result);
    if (!result.ok) {
      started.call.end(isAbort(result.error, signal) ? { aborted: true } : { thrown: result.error });
      throw result.error;
    }
    try {
      return observe(result.value, found, started.request, started.call, context);
    } catch (error) {
      options.report(error);
      return result.value;
    }
  };
}

/** A stream that named why each choice stopped has come to its end, with or without a terminator. */
function isComplete({ finishReasons, error }: LlmResponse): boolean {
  return error !== undefined || (finishReasons?.length ? !finishReasons.includes('error') : false);
}

function safely<T>(fn: () => T, report: (error: unknown) => void): T | undefined {
  try {
    return fn();
  } catch (error) {
    report(error);
    return undefined;
  }
}

type Settled<T> = { ok: true; value: T } | { ok: false; error: unknown };

async function settle<T>(fn: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await fn() };
  } catch (error) {
    return { ok: false, error };
  }
}

function unwrap<T>(result: Settled<T>): T {
  if (result.ok) return result.value;
  throw result.error;
}

function readTarget(input: RequestInfo | URL, init: RequestInit | undefined) {
  const request = input instanceof Request ? input : undefined;
  return {
    url: new URL(request ? request.url : String(input)),
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    headers: new Headers(init?.headers ?? request?.headers),
    signal: init?.signal ?? request?.signal,
  };
}

function withHeaders(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  headers: Headers,
  added: Record<string, string>,
): readonly [RequestInfo | URL, RequestInit] {
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  return [input, { ...init, headers }];
}

/** A string or bytes; a stream, a form or compressed bytes stay unread. */
function bodyText(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return body.byteLength > maxRequestBytes ? undefined : new TextDecoder().decode(body);
  }
  return undefined;
}

function cloneOf(request: Request): Request | undefined {
  const length = Number(request.headers.get('content-length') ?? 0);
  if (request.bodyUsed || length > maxRequestBytes || request.headers.has('content-encoding')) return undefined;
  try {
    return request.clone();
  } catch {
    return undefined;
  }
}

async function readText(request: Request): Promise<string | undefined> {
  try {
    return await request.text();
  } catch {
    return undefined;
  }
}

/** The same response with another body. The constructor can't be given `url` and `redirected`, which SDKs read. */
function withBody(response: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers } = response;
  const copy = new Response(body, { status, statusText, headers });
  for (const name of ['url', 'redirected', 'type'] as const) {
    Object.defineProperty(copy, name, { value: response[name], configurable: true });
  }
  return copy;
}
