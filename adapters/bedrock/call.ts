import type { Context } from '@opentelemetry/api';
import { safely } from '../../src/errors.ts';
import { asString, parseJson } from '../../src/json.ts';
import { readAttempt } from '../../src/llm/attempts.ts';
import { takeFaults } from '../../src/llm/faults.ts';
import { readBody } from '../../src/llm/fetch-target.ts';
import type { LlmRequest, Provider, Reply } from '../../src/llm/provider.ts';
import { follow, recognise } from '../../src/llm/recognise.ts';
import type { CallEnd, ModelCall } from '../../src/llm/recorder.ts';
import type { Parts } from '../../src/parts.ts';
import { setter } from '../../src/propagation/carrier.ts';
import type { OpenStreams } from '../../src/stream/open-streams.ts';
import { getInvocation, getModelCall, type ModelCallMark, modelCallKey } from '../../src/trace/context.ts';
import { setSpan } from '../../src/trace/otel-span.ts';

/** A Smithy client's request, of which only calls over HTTP are looked at. */
export interface HttpRequest {
  readonly method?: unknown;
  readonly protocol?: unknown;
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

export interface HttpResponse {
  readonly statusCode?: unknown;
  readonly headers?: Record<string, string>;
}

/** What goes into a middleware and comes out of it. */
export interface Exchange {
  readonly args: { readonly request?: HttpRequest };
  readonly context: { readonly __smithy_context?: { readonly abortSignal?: AbortSignal } };
  readonly result: { readonly response?: HttpResponse; readonly output?: unknown };
}

/** One attempt that is under way. */
export interface Call {
  readonly provider: Provider;
  readonly signal: AbortSignal | undefined;
  readonly model: ModelCall;
  readonly streams: OpenStreams;
  readonly maxBodyBytes: number;
  /** Runs what belongs to the attempt. */
  run<T>(step: () => T): T;
  reply(response: HttpResponse | undefined): Reply;
  /** What the provider says; what it throws, and the fields that it found missing, count as one parse error. */
  ask<T>(read: () => T): T | undefined;
  end(how: CallEnd): void;
}

function readUrl({ protocol, hostname, port, path }: HttpRequest): URL {
  return new URL(`${protocol}//${hostname}${port ? `:${port}` : ''}${path}`);
}

/** Without what HTTP/2 keeps among them. */
function readHeaders(headers: Record<string, string> = {}): Headers {
  return new Headers(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}

/** Who answers the request, and what it says; `undefined` for what is no call of a model. */
function read({ engine }: Parts, sent: HttpRequest) {
  const { report } = engine.diagnostics;
  const url = readUrl(sent);
  const method = String(sent.method);
  const found = recognise(engine.providers, { url, method }, report);
  if (!found) return undefined;
  const headers = readHeaders(sent.headers);
  const text = readBody(sent.body);
  const outer = { url, method, headers, body: text === undefined ? undefined : parseJson(text) };
  const recognised = follow(found, outer, engine.providers, report);
  const ask = createAsk(() => engine.instruments.parseError(recognised.provider.name));
  const { provider, operation, request: inner } = recognised;
  const known = ask(() => provider.request(inner));
  const model = asString(known?.model);
  const request: LlmRequest = { provider: provider.name, operation, stream: false, ...known, model };
  return model === undefined ? undefined : { ...recognised, ask, request, address: inner.url, url, headers, text };
}

function createAsk(count: () => void): Call['ask'] {
  let failed = false;
  function fail(): void {
    if (!failed) count();
    failed = true;
  }
  return (step) => {
    takeFaults();
    const answer = safely(step, fail);
    if (takeFaults()) fail();
    return answer;
  };
}

export function start(
  parts: Parts,
  { request: sent }: Exchange['args'],
  context: Exchange['context'],
): Call | undefined {
  const { engine, view } = parts;
  const found = sent && read(parts, sent);
  if (!sent || !found) return undefined;
  const { provider, request, url, ask, gateway } = found;
  const active = view.active();
  const model = engine.recorder.start({
    request,
    semconvProvider: provider.semconvName,
    attempt: readAttempt(found.headers, url, found.text),
    attributes: {
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'http:' ? 80 : 443),
      ...(gateway && { 'edgespan.gateway': gateway.name }),
    },
    context: active,
  });
  const outer = getModelCall(active);
  if (outer) outer.counted = true;
  const mark: ModelCallMark = { counted: false };
  const inside = setSpan(active, model.span).setValue(modelCallKey, mark);
  safely(() => inject(parts, sent, url, inside), engine.diagnostics.report);
  return {
    provider,
    signal: context.__smithy_context?.abortSignal,
    model,
    streams: getInvocation(active)?.streams ?? engine.streams,
    maxBodyBytes: engine.limits.bodyBytes,
    run: (step) => view.run(inside, step),
    reply: (response) => ({
      status: Number(response?.statusCode ?? 200),
      headers: readHeaders(response?.headers),
      request,
      url: found.address,
    }),
    ask,
    // A client whose own fetch is observed has had the call recorded in there.
    end: (how) => model.end({ ...how, delegated: mark.counted }),
  };
}

/** Signed already, the request may still get more headers: a signature covers those that it names. */
function inject({ engine }: Parts, { headers }: HttpRequest, url: URL, context: Context): void {
  if (!headers || !engine.options.propagation?.to?.(url)) return;
  engine.propagator.inject(context, headers, setter);
}
