import type { Context } from '@opentelemetry/api';
import { safely } from '../../src/errors.ts';
import { asString, parseJson } from '../../src/json.ts';
import { readAttempt } from '../../src/llm/attempts.ts';
import type { CallEnd, ModelCall } from '../../src/llm/call.ts';
import type { ContentFormat } from '../../src/llm/content/message.ts';
import { takeFaults } from '../../src/llm/faults.ts';
import { readBody } from '../../src/llm/fetch-target.ts';
import type { Pass } from '../../src/llm/gate.ts';
import type { LlmRequest, Provider, Reply } from '../../src/llm/provider.ts';
import { addressAttributes, findAnswering, recognise } from '../../src/llm/recognise.ts';
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
  /** How what is said is read, where somebody wants it. */
  readonly content: ContentFormat | undefined;
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

/** An attempt that is to be made. */
export type Known = NonNullable<ReturnType<typeof read>>;

/** Who answers the request, and what it says; `undefined` for what is no call of a model. */
export function read({ engine, view }: Parts, { request: sent }: Exchange['args']) {
  if (!sent) return undefined;
  const { report } = engine.diagnostics;
  const url = readUrl(sent);
  const method = String(sent.method);
  const found = recognise(engine.providers, { url, method }, report);
  if (!found) return undefined;
  const headers = readHeaders(sent.headers);
  const text = readBody(sent.body);
  const outer = { url, method, headers, body: text === undefined ? undefined : parseJson(text) };
  const recognised = findAnswering(found, outer, engine.providers, report);
  const ask = createAsk(() => engine.instruments.parseError(recognised.provider.name));
  const { provider, gateway, operation, request: inner } = recognised;
  const known = ask(() => provider.request(inner));
  const model = asString(known?.model);
  const request: LlmRequest = { provider: provider.name, operation, stream: false, ...known, model };
  if (model === undefined) return undefined;
  const format = provider.content?.at(inner.url);
  const said = () => format?.request(inner.body);
  const active = view.active();
  return {
    provider,
    gateway,
    sent,
    active,
    ask,
    request,
    body: outer.body,
    address: inner.url,
    url,
    headers,
    text,
    format,
    said,
  };
}

/** Asks the budget, where there is one; throws its refusal, which no client tries again. */
export async function admit({ engine }: Parts, { request, body, active }: Known): Promise<Pass | undefined> {
  const entered = await engine.budget?.gate.enter({ request, body, context: active });
  if (entered && 'refused' in entered) throw entered.refused;
  return entered;
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

export function start(parts: Parts, known: Known, context: Exchange['context'], pass: Pass | undefined): Call {
  const { engine, view } = parts;
  const { provider, request, active, address, url, ask, gateway, format } = known;
  const gate = engine.budget?.gate;
  const started = engine.recorder.start({
    request,
    body: known.body,
    semconvProvider: provider.semconvName,
    said: known.said,
    attempt: readAttempt(known.headers, url, known.text),
    attributes: addressAttributes(url, gateway),
    context: active,
  });
  const model = (pass && gate?.follow(started, pass, { recorder: engine.recorder, request })) ?? started;
  const around = getModelCall(active);
  if (around) around.counted = true;
  const mark: ModelCallMark = { counted: false };
  const marked = setSpan(active, model.span).setValue(modelCallKey, mark);
  const inside = (pass && gate?.within(marked, pass)) ?? marked;
  safely(() => inject(parts, known.sent, url, inside), engine.diagnostics.report);
  return {
    provider,
    content: model.maxText > 0 ? format : undefined,
    signal: context.__smithy_context?.abortSignal,
    model,
    streams: getInvocation(active)?.streams ?? engine.streams,
    maxBodyBytes: engine.limits.bodyBytes,
    run: (step) => view.run(inside, step),
    reply: (response) => ({
      status: Number(response?.statusCode ?? 200),
      headers: readHeaders(response?.headers),
      request,
      url: address,
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
