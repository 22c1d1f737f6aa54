import type { Context } from '@opentelemetry/api';
import { withTimeout } from '../clock.ts';
import { safely } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { Fetch, Runtime } from '../runtime.ts';
import type { OpenStreams } from '../stream/open-streams.ts';
import { tapBody } from '../stream/tap.ts';
import { getInvocation, getModelCall } from '../trace/context.ts';
import { setSpan } from '../trace/otel-span.ts';
import { readAttempt } from './attempts.ts';
import type { ModelCall } from './call.ts';
import { isAbort } from './error-class.ts';
import { hasBody, isVendors, settle, withBody } from './fetch-answer.ts';
import {
  cloneRequest,
  type FetchTarget,
  keepHeaders,
  readBody,
  readRequest,
  readTarget,
  withHeaders,
} from './fetch-target.ts';
import type { Gate, Pass, Refused } from './gate.ts';
import type { askUsage, hideUsage, isEventStream } from './include-usage.ts';
import type { LlmRequest, Provider, ProviderRequest } from './provider.ts';
import { addressAttributes, findAnswering, type Recognised, readAsked, recognise } from './recognise.ts';
import type { LlmRecorder } from './recorder.ts';
import { createReplyReader, type ReplyReader } from './reply-reader.ts';
import { isComplete } from './response.ts';

export interface LlmFetchOptions {
  readonly recorder: LlmRecorder;
  readonly providers: readonly Provider[];
  readonly fetch: () => Fetch;
  readonly active: () => Context;
  /** Headers that carry the trace to this URL, where it may have them. */
  readonly inject: (url: URL, context: Context) => Record<string, string> | undefined;
  /** Bodies outside of any invocation. */
  readonly streams: OpenStreams;
  /** Asks streams that lack it for their usage, and hides what only then comes. */
  readonly usage?: { ask: typeof askUsage; hide: typeof hideUsage; canHide: typeof isEventStream } | undefined;
  /** Asked before each call. */
  readonly gate?: Gate | undefined;
  readonly limits: { readonly bodyBytes: number; readonly eventBytes: number };
  readonly copyInit?: Runtime['copyInit'];
  readonly parseError: (provider: string) => void;
  readonly report: (error: unknown) => void;
}

/** What answers an address, as far as that tells. */
type Found = NonNullable<ReturnType<typeof recognise>>;

/** A model call that is to be made. */
interface Known {
  readonly found: Found;
  /** As it goes to the gateway, if there is one. */
  readonly outer: ProviderRequest;
  readonly recognised: Recognised;
  readonly request: LlmRequest;
}

/** A model call that is under way. */
interface Started extends Known {
  readonly call: ModelCall;
}

/** How much longer than for the answer one waits for a request's own copy of its body. */
const graceMs = 20;

/**
 * The standard `fetch`, observed: a model call becomes one span from the request to the last byte. The answer is the
 * one the real fetch gives, its body passed through as it comes; what is no model call passes untouched.
 */
export function createLlmFetch(options: LlmFetchOptions): Fetch {
  /** What is asked, if it is a model: a path alone makes none, since surveys have `/responses` too. */
  function read(found: Found, { url, headers }: FetchTarget, body: string | undefined): Known | undefined {
    const outer = { url, method: 'POST', headers, body: body === undefined ? undefined : parseJson(body) };
    const recognised = findAnswering(found, outer, options.providers, options.report);
    const { provider } = recognised;
    const request = readAsked(recognised, options.parseError);
    if (!request.model && (provider.priority ?? 0) < 0 && !isVendors(url, provider)) return undefined;
    return { found, outer, recognised, request };
  }

  /** Starts the call's span. Whatever goes wrong in here, the request goes out. */
  function start(
    known: Known,
    { url, headers }: FetchTarget,
    body: string | undefined,
    context: Context,
    pass?: Pass,
  ): Started | undefined {
    const { outer, recognised, request } = known;
    const { provider, gateway } = recognised;
    const call = safely(
      () =>
        options.recorder.start({
          request,
          body: outer.body,
          semconvProvider: provider.semconvName,
          said: () => provider.content?.at(recognised.request.url)?.request(recognised.request.body),
          attempt: readAttempt(headers, url, body),
          attributes: addressAttributes(url, gateway),
          context,
        }),
      options.report,
    );
    const mark = getModelCall(context);
    if (mark && call) mark.counted = true;
    if (!call) pass?.settle({});
    return (
      call && {
        ...known,
        call: (pass && options.gate?.follow(call, pass, { recorder: options.recorder, request })) ?? call,
      }
    );
  }

  /** The arguments of the real fetch, with the context of the call's span where its host may have it. */
  function address(
    input: RequestInfo | URL,
    init: RequestInit | undefined,
    target: FetchTarget,
    context: Context,
  ): [RequestInfo | URL, RequestInit?] {
    const carrying = safely(() => {
      const headers = options.inject(target.url, context);
      return headers && withHeaders(input, init, target, headers);
    }, options.report);
    return carrying ?? [input, init];
  }

  /** Who answered: a gateway that has several vendors to choose from says so by its headers. */
  function readAnswering({ found, outer, recognised, request }: Started, headers: Headers) {
    if (!recognised.gateway) return { recognised, request };
    const answering = findAnswering(found, outer, options.providers, options.report, headers);
    return { recognised: answering, request: readAsked(answering, options.parseError) };
  }

  function observe(
    response: Response,
    started: Started,
    { signal }: FetchTarget,
    context: Context,
    hide: LlmFetchOptions['usage'],
  ): Response {
    const { status, headers } = response;
    const { call } = started;
    call.answered?.(status);
    const { recognised, request } = readAnswering(started, headers);
    const { provider } = recognised;
    // No more than names of what was asked: a stream may stay open for long.
    const asked = started.recognised.provider.name;
    if (!hasBody(response)) {
      call.end({ status, headers });
      return response;
    }
    let terminated = false;
    const reader: ReplyReader = createReplyReader(
      provider,
      { status, headers, request, url: recognised.request.url },
      {
        maxBodyBytes: options.limits.bodyBytes,
        maxEventBytes: options.limits.eventBytes,
        maxText: call.maxText,
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
      const answer = reader.finish(how.aborted === true || 'thrown' in how);
      if (provider.name !== asked) answer.provider ??= provider.name;
      const incomplete = request.stream && !terminated && !isComplete(answer);
      call.end({ response: answer, body: reader.body, status, headers, incomplete, ...how });
    }
    const streams = getInvocation(context)?.streams ?? options.streams;
    const body = tapBody(response.body, {
      pull: () => open.touch(),
      chunk: (bytes) => reader.chunk(bytes),
      end(reason, error) {
        const left = reason === 'cancel' || (reason === 'error' && isAbort(error, signal));
        const how = left ? { aborted: status < 400 } : reason === 'error' ? { thrown: error } : {};
        safely(() => finish(how), options.report);
      },
    });
    // An error page that nobody reads to the end is still an error, not a caller who left.
    const open = streams.open(() => finish({ aborted: status < 400 }));
    if (!hide?.canHide(response)) return withBody(response, body, options.copyInit);
    const copy = withBody(response, hide.hide(body, options.limits.eventBytes), options.copyInit);
    copy.headers.delete('content-length');
    return copy;
  }

  return async function llmFetch(input, given) {
    const fetch = options.fetch();
    const init = keepHeaders(given);
    const { usage } = options;
    const target = readTarget(input, init);
    if (!target) return fetch(input, init);
    const context = options.active();
    const found = recognise(options.providers, target, options.report);
    let copy = found && cloneRequest(target.body);
    let text = found && !copy ? readBody(target.body) : undefined;
    if (copy && (usage || options.gate)) {
      text = await readRequest(copy);
      copy = undefined;
    }
    const known = found && !copy ? read(found, target, text) : undefined;
    let pass: Pass | undefined;
    if (known && options.gate) {
      const { request, outer } = known;
      const entering = options.gate.enter({ request, body: outer.body, context });
      const entered = entering instanceof Promise ? await entering : entering;
      if ('refused' in entered) return refuse(options.gate, entered);
      pass = entered;
    }
    // A body that has to be read first must not hold the request up: its span starts while that is under way.
    let started = known && start(known, target, text, context, pass);
    let sent = address(input, init, target, started ? setSpan(context, started.call.span) : context);
    const asking = started && usage && safely(() => usage.ask({ ...started!, target, text }, sent), options.report);
    sent = asking ?? sent;
    if (!found || (!copy && !started)) return fetch(...sent);
    const answer = settle(() => fetch(...sent));
    if (copy) {
      const body = readRequest(copy);
      const late = answer.then(() => withTimeout(body, graceMs));
      const came = (await Promise.race([body, late])) ?? undefined;
      const asked = read(found, target, came);
      started = asked && start(asked, target, came, context);
    }
    const result = await answer;
    if (!result.ok) {
      started?.call.end(isAbort(result.error, target.signal) ? { aborted: true } : { thrown: result.error });
      throw result.error;
    }
    if (!started) return result.value;
    try {
      return observe(result.value, started, target, context, asking && usage);
    } catch (error) {
      options.report(error);
      // What is no response of the platform's, as that of `node-fetch`, is a call that has been made all the same.
      started.call.end({ status: (Object(result.value) as Response).status });
      return result.value;
    }
  };
}

/** SDKs try again after what `fetch` throws, so most are better answered. */
function refuse({ throws }: Gate, { refused, response }: Refused): Response {
  if (throws) throw refused;
  return response();
}
