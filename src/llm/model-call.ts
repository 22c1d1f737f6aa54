import type { Attributes } from '@opentelemetry/api';
import { safely } from '../errors.ts';
import { asObject, asString } from '../json.ts';
import type { OpenStream, OpenStreams } from '../stream/open-streams.ts';
import { type ContextView, getInvocation, type ModelCallMark, modelCallKey } from '../trace/context.ts';
import { contextOf } from '../trace/scope.ts';
import { isAbort } from './error-class.ts';
import { setEvaluationWish } from './evaluation/evaluations.ts';
import { getFrame, SpanFrame, setFrame } from './frame.ts';
import type { Gate, Pass } from './gate.ts';
import { type FunctionKind, throughGate } from './gated.ts';
import type { LlmRequest, LlmResponse, Provider } from './provider.ts';
import { semconvNameOf } from './provider-names.ts';
import type { LlmRecorder } from './recorder.ts';
import { type Ending, recordError, runInSpan } from './run-span.ts';
import { createItems, type Items } from './value-items.ts';
import { observeStream } from './value-stream.ts';
import { isLazy, readArguments, readValue } from './values.ts';
import type { LlmOptions } from './wrappers.ts';

export interface WrappedCall extends LlmOptions<never> {
  /** Whom a wrapped client asks, by its address. */
  readonly vendor?: string | undefined;
  /** One method of many: where neither what it was given nor what it answers is a model's, it was no model call. */
  readonly mayBeOther?: boolean;
  /** How the function answers where it may not be called. */
  readonly functionKind?: FunctionKind;
  readonly args: readonly unknown[];
  /** In place of the name that the conventions make. */
  readonly spanName?: string;
}

/** Runs a function as a model call. What its arguments and its result are is read by their shape. */
export type ModelCallRunner = <T>(view: ContextView, options: WrappedCall, call: () => T) => T;

export interface ModelCallOptions {
  readonly recorder: LlmRecorder;
  readonly providers: readonly Provider[];
  /** Where streams are open outside of any invocation. */
  readonly streams: OpenStreams;
  /** Asked before each call that may be a model's. */
  readonly gate?: Gate | undefined;
  readonly report: (error: unknown) => void;
}

export function createModelCallRunner({
  recorder,
  providers,
  streams,
  gate,
  report,
}: ModelCallOptions): ModelCallRunner {
  return <T>(view: ContextView, options: WrappedCall, call: () => T): T => {
    const { args, spanName } = options;
    const outer = setEvaluationWish(contextOf(options.parent, view, report), options.evaluate);
    const given = safely(() => readArguments(args), report) ?? {};
    const request = readRequest(options, given);
    const attributes = { ...promptAttributes(options), ...options.attributes };
    const body = args.length === 1 ? args[0] : args;
    // Of a client some methods are none, and those name no model.
    if (!gate || (options.mayBeOther && request.model === undefined)) return begin();
    const entered = gate.enter({ request, body, attributes, context: outer, isWrapper: true });
    return throughGate(entered, options.functionKind ?? 'other', begin);

    function begin(pass?: Pass): T {
      const frame = new SpanFrame(getFrame(outer));
      const parent = setFrame(outer, frame);
      const mark: ModelCallMark = { counted: false };
      const { links } = options;
      const wrapped = recorder.start({
        request,
        attributes,
        context: parent,
        isWrapper: true,
        semconvProvider: semconvNameOf(request.provider, providers),
        body,
        said: () => recorder.content.ofArguments(args, providers),
        capture: options.capture,
        spanName,
        functionName: options.name,
      });
      const started = pass ? gate!.follow(wrapped, pass, { recorder, request, isWrapper: true }) : wrapped;
      if (links) started.span.addLinks(links);
      const vendor = options.provider ?? options.vendor ?? given.provider;
      const items = createItems({
        providers,
        vendor,
        onItem: (item) => said?.add(item),
        onContent() {
          started.firstToken();
          // An instrumented call inside has told its own chunks.
          if (!mark.counted) started.chunk();
        },
      });

      const said = started.maxText > 0 ? recorder.content.ofItems(providers, started.maxText) : undefined;
      let inParts = false;
      const add = (value?: unknown) => {
        inParts = true;
        request.stream = true;
        items.add(value);
      };
      const reply = (value: unknown) => {
        if (!inParts) said?.add(value);
        inParts = false;
        items.reply(value);
      };

      let open: OpenStream | undefined;

      /** A stream that nobody reads ends with its invocation, whose flush waits for those that are read. */
      function takeOver<V>(value: V, end: (ending: Ending) => void): V | undefined {
        let isRead = false;
        const taken = observeStream(value, {
          pull() {
            isRead = true;
            open?.touch();
          },
          item: add,
          reply,
          end: (how) => end('thrown' in how ? { thrown: how.thrown } : { value: undefined, left: how.left ?? false }),
        });
        const { open: register } = getInvocation(outer)?.streams ?? streams;
        if (taken !== undefined) open = register(() => end({ value: undefined, left: true }));
        // Helpers read by themselves.
        if (isRead) open?.touch();
        return taken;
      }

      function finish(ending: Ending): void {
        open?.close();
        if (mark.counted) started.span.setAttributes(frame.attributes());
        const thrown = 'thrown' in ending;
        const left = !thrown && ending.left === true && !items.isWhole;
        const aborted = thrown ? isAbort(ending.thrown) : left;
        if (thrown && !aborted) recordError(started.span, ending.thrown);
        // A result whose promises begin to read a stream is left alone.
        const value = thrown || isLazy(ending.value) ? undefined : ending.value;
        const response = thrown ? items.result() : readResult(options, value, items, { providers, vendor, report });
        const isOther = options.mayBeOther === true && !response && request.model === undefined;
        const refused = thrown && gate?.isRefusal(ending.thrown) === true;
        const delegated = mark.counted || isOther || refused;
        const incomplete = request.stream && !thrown && !left && isIncomplete(response);
        const messages = said?.result() ?? (said && !thrown ? recorder.content.ofValue(value, providers) : undefined);
        const failure = thrown && !aborted ? { thrown: ending.thrown } : {};
        const told = {
          ...(response && settle(options, response, providers)),
          ...(messages !== undefined && { messages }),
        };
        started.end({ response: told, body: value, ...failure, aborted, incomplete, delegated });
      }

      const marked = parent.setValue(modelCallKey, mark);
      const inside = gate && pass ? gate.within(marked, pass) : marked;
      return runInSpan(view, inside, started.span, call, finish, { onYield: add, takeOver });
    }
  };
}

function promptAttributes({ prompt }: LlmOptions<never>): Attributes {
  const { name, version } = asObject(prompt) ?? {};
  return {
    ...(asString(name) && { 'gen_ai.prompt.name': asString(name) }),
    ...(asString(version) && { 'gen_ai.prompt.version': asString(version) }),
  };
}

function readRequest(options: WrappedCall, given: ReturnType<typeof readArguments>): LlmRequest {
  const { provider, guardrail } = given;
  const model = options.model ?? given.model;
  const { operation = /embed|\/bge-/i.test(model ?? '') ? 'embed' : 'chat' } = options;
  return {
    provider: options.provider ?? options.vendor ?? provider ?? 'unknown',
    model,
    operation: operation === 'stream' ? 'chat' : operation,
    stream: operation === 'stream',
    ...(guardrail && { guardrail }),
  };
}

interface Reading {
  readonly providers: readonly Provider[];
  readonly vendor: string | undefined;
  readonly report: (error: unknown) => void;
}

/** What the wrapper's own extractor says, else the shape. */
function readResult(
  options: WrappedCall,
  value: unknown,
  items: Items,
  { providers, vendor, report }: Reading,
): LlmResponse | undefined {
  const extracted = value === undefined ? undefined : safely(() => options.response?.(value as never), report);
  return extracted ?? items.result() ?? (value === undefined ? undefined : readValue(value, providers, vendor));
}

/** A stream that named a reason for each of its ends has come to it. */
function isIncomplete(response: LlmResponse | undefined): boolean {
  return response?.error === undefined && response?.finishReasons?.includes('error') === true;
}

/** What the wrapper was told wins over the address of a client, and that over what the result says. */
function settle(options: WrappedCall, response: LlmResponse, providers: readonly Provider[]): LlmResponse {
  const { provider: _provider, model: _model, ...rest } = response;
  const provider = options.provider ?? options.vendor ?? response.provider;
  const model = options.model ?? response.model;
  return {
    ...rest,
    ...(provider && {
      provider,
      attributes: { 'gen_ai.provider.name': semconvNameOf(provider, providers), ...rest.attributes },
    }),
    ...(model && { model }),
  };
}
