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
import type { LlmRequest, Provider } from './provider.ts';
import { semconvNameOf } from './provider-names.ts';
import type { LlmRecorder } from './recorder.ts';
import { type Ending, recordError, runInSpan } from './run-span.ts';
import { observeStream } from './value-stream.ts';
import { readArguments } from './values.ts';
import { createWrappedAnswer } from './wrapped-answer.ts';
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
      const answer = createWrappedAnswer({
        told: options,
        client: options.vendor,
        asked: given.provider,
        providers,
        content: recorder.content,
        maxText: started.maxText,
        onContent() {
          started.firstToken();
          // An instrumented call inside has told its own chunks.
          if (!mark.counted) started.chunk();
        },
        report,
      });
      let open: OpenStream | undefined;

      function add(part?: unknown): void {
        request.stream = true;
        answer.add(part);
      }

      /** A stream that nobody reads ends with its invocation, whose flush waits for those that are read. */
      function takeOver<V>(value: V, end: (ending: Ending) => void): V | undefined {
        let isRead = false;
        const taken = observeStream(value, {
          pull() {
            isRead = true;
            open?.touch();
          },
          item: add,
          reply: answer.reply,
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
        const left = !thrown && ending.left === true && !answer.isWhole;
        const aborted = thrown ? isAbort(ending.thrown) : left;
        if (thrown && !aborted) recordError(started.span, ending.thrown);
        const { response, body, isUnknown, isCut } = answer.read(ending);
        const isOther = options.mayBeOther === true && isUnknown && request.model === undefined;
        const refused = thrown && gate?.isRefusal(ending.thrown) === true;
        const delegated = mark.counted || isOther || refused;
        const incomplete = request.stream && !left && isCut;
        const failure = thrown && !aborted ? { thrown: ending.thrown } : {};
        started.end({ response, body, ...failure, aborted, incomplete, delegated });
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
