import type { Attributes, Context, Link, Span } from '@opentelemetry/api';
import { secondsSince } from '../clock.ts';
import { safely } from '../errors.ts';
import { createInvocation, type OwnInvocation } from '../invocation.ts';
import { errorName } from '../llm/error-class.ts';
import { makeResponse } from '../llm/fetch-answer.ts';
import { portOf } from '../llm/recognise.ts';
import { recordError } from '../llm/run-span.ts';
import { traceRef } from '../llm/trace-ref.ts';
import { createDurations } from '../metrics/durations.ts';
import type { Parts } from '../parts.ts';
import { getter } from '../propagation/carrier.ts';
import { type BodyObserver, tapBody } from '../stream/tap.ts';
import { getServer, type ServerMark } from '../trace/context.ts';
import { rootContext } from '../trace/otel-context.ts';
import { getSpan, getSpanContext, setSpan, spanKind, statusError } from '../trace/otel-span.ts';
import { RecordingSpan } from '../trace/span.ts';

/** The bounds that the HTTP conventions advise. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const durationsOf = /* @__PURE__ */ createDurations(bounds, {
  total: ['http.server.request.duration', 'Seconds until the last byte of the response.'],
  toHeaders: ['http.server.time_to_headers', 'Seconds until the headers of the response.'],
});
/** Methods that may be a metric's attribute as they are. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);

export interface ServerRequest {
  readonly request: Request;
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
  readonly attributes?: Attributes | undefined;
  /** Answers the request; the context is active. */
  readonly handle: (context: Context) => Response | Promise<Response>;
}

/**
 * Answers a request inside a SERVER span that ends with the last byte of the response, measures it, and flushes when
 * all is done. Inside another such span of the same telemetry it only runs the handler.
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export async function serveRequest(parts: Parts, options: ServerRequest): Promise<Response> {
  const { engine, view } = parts;
  const { request, handle, waitUntil } = options;
  const outer = view.active();
  if (!engine.enabled || getServer(outer, engine)) return handle(outer);

  const host = hostSpan(outer);
  const { context, links } = host ? { context: outer, links: [] } : callerContext(parts, request, outer);
  const recorded = startServerSpan(parts, request, { context, links, attributes: options.attributes, host });
  const invocation = createInvocation(parts, { waitUntil, server: recorded });
  const active = invocation.within(setSpan(context, recorded.span));
  // Registered before the response is handed over: later is too late on Workers.
  const response = settleResponse(parts, request, recorded, invocation, () => view.run(active, () => handle(active)));
  const done = response.then(
    () => invocation.flush(),
    () => invocation.flush(),
  );
  if (waitUntil) waitUntil(done);
  else done.catch(engine.diagnostics.report);
  return response;
}

interface RecordedRequest extends ServerMark {
  headers(response: Response): void;
  end(failure?: { readonly thrown: unknown }): void;
}

async function settleResponse(
  { engine }: Parts,
  request: Request,
  recorded: RecordedRequest,
  invocation: OwnInvocation,
  handle: () => Response | Promise<Response>,
): Promise<Response> {
  let response: Response;
  try {
    response = await handle();
  } catch (thrown) {
    recorded.end({ thrown });
    throw thrown;
  }
  try {
    // Bun's handlers answer nothing where they have upgraded; what else is no response is the host's to refuse.
    if (!Object(response).headers) {
      recorded.end();
      return response;
    }
    recorded.headers(response);
    const { headers } = response;
    const init = engine.runtime.copyInit ? engine.runtime.copyInit(response) : response;
    // Nobody reads the body of an answer to HEAD. Where it is asked for, some servers send another type.
    if (!init || response.status === 101 || request.method === 'HEAD' || !response.body) {
      recorded.end();
      return response;
    }
    const open = invocation.streams.open(() => recorded.end());
    const observer: BodyObserver = {
      pull: () => open.touch(),
      chunk() {},
      end(reason, error) {
        open.close();
        if (reason === 'cancel') recorded.span.setAttribute('edgespan.aborted', true);
        safely(() => recorded.end(reason === 'error' ? { thrown: error } : undefined), engine.diagnostics.report);
      },
    };
    // Only workerd leaves the body uncancelled when its client has gone, and Deno warns of whoever reads the signal.
    const body = tapBody(response.body, observer, engine.runtime.ephemeral ? request.signal : undefined);
    // A server's own response may have forgotten what was added to its headers, now that its body was asked for.
    const { status, statusText } = response;
    return makeResponse(body, response.headers === headers ? init : { status, statusText, headers });
  } catch (error) {
    engine.diagnostics.report(error);
    recorded.end();
    return response;
  }
}

/** The caller's trace is continued where it is trusted, else linked: anybody can send a header. */
function callerContext({ engine }: Parts, request: Request, outer: Context): { context: Context; links: Link[] } {
  const { trustIncoming: trust = false } = engine.options.propagation ?? {};
  const trusted = typeof trust === 'function' ? safely(() => trust(request), engine.diagnostics.report) : trust;
  if (trusted) return { context: engine.propagator.extract(outer, request.headers, getter), links: [] };
  const caller = getSpanContext(engine.propagator.extract(rootContext, request.headers, getter));
  return { context: outer, links: caller ? [{ context: caller }] : [] };
}

/** The span of a host that traces its requests itself (Deno with OTEL_DENO): ours would tell the same twice. */
function hostSpan(outer: Context): Span | undefined {
  const span = getSpan(outer);
  return span?.isRecording() && !(span instanceof RecordingSpan) ? span : undefined;
}

function startServerSpan(
  { engine }: Parts,
  request: Request,
  start: { context: Context; links: Link[]; attributes: Attributes | undefined; host: Span | undefined },
): RecordedRequest {
  const { tracer, registry, clock } = engine;
  const url = new URL(request.url);
  const method = methods.has(request.method) ? request.method : '_OTHER';
  const scheme = url.protocol.slice(0, -1);
  const attributes: Attributes = {
    'http.request.method': method,
    ...(method !== request.method && { 'http.request.method_original': request.method }),
    'url.scheme': scheme,
    'url.path': url.pathname,
    'server.address': url.hostname,
    'server.port': portOf(url),
    ...start.attributes,
  };
  const userAgent = request.headers.get('user-agent');
  if (userAgent) attributes['user_agent.original'] = userAgent;
  const options = { kind: spanKind.server, attributes, links: start.links };
  const name = method === '_OTHER' ? 'HTTP' : method;
  const span = start.host?.setAttributes(attributes) ?? tracer.startSpan(name, options, start.context);
  const startedAt = clock.monotonic();
  const seconds = () => secondsSince(startedAt, clock.monotonic);
  const measured: Attributes = { 'http.request.method': method, 'url.scheme': scheme };
  const { total, toHeaders } = durationsOf(registry, engine.options.metrics?.buckets);
  let failure: { thrown: unknown } | undefined;
  let ended = false;

  return {
    span,
    owner: engine,
    setRoute(route) {
      span.updateName(`${name} ${route}`);
      span.setAttribute('http.route', route);
      measured['http.route'] = route;
    },
    setError(thrown) {
      failure = { thrown };
    },
    headers({ status }) {
      measured['http.response.status_code'] = status;
      span.setAttribute('http.response.status_code', status);
      span.setAttribute('edgespan.http.time_to_headers', seconds());
      toHeaders.recordTo(seconds(), measured, traceRef(span));
      if (status < 500) return;
      if (failure) recordError(span, failure.thrown);
      const type = failure ? errorName(failure.thrown) : String(status);
      measured['error.type'] = type;
      span.setAttribute('error.type', type);
      span.setStatus({ code: statusError });
    },
    end(failed) {
      if (ended) return;
      ended = true;
      if (failed) {
        recordError(span, failed.thrown);
        measured['error.type'] = errorName(failed.thrown);
      }
      total.recordTo(seconds(), measured, traceRef(span));
      if (!start.host) span.end();
    },
  };
}
