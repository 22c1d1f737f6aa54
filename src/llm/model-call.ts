import { safely } from '../errors.ts';
import { type ContextView, type ModelCallMark, modelCallKey } from '../trace/context.ts';
import { isAbort } from './error-class.ts';
import { getFrame, SpanFrame, setFrame } from './frame.ts';
import type { ItemReader, LlmRequest, LlmResponse, Provider } from './provider.ts';
import type { LlmRecorder, ModelCall } from './recorder.ts';
import { type Ending, recordError, runInSpan } from './run-span.ts';
import { contextOf } from './spans.ts';
import { observeStream } from './value-stream.ts';
import { readArguments, readValue } from './values.ts';
import type { LlmOptions } from './wrappers.ts';

/** Runs a function as a model call. What its arguments and its result are is read by their shape. */
export type ModelCallRunner = <T>(
  view: ContextView,
  options: LlmOptions<never>,
  call: () => T,
  args?: readonly unknown[],
  spanName?: string,
) => T;

export interface ModelCallOptions {
  readonly recorder: LlmRecorder;
  readonly providers: readonly Provider[];
  readonly report: (error: unknown) => void;
}

export function createModelCallRunner({ recorder, providers, report }: ModelCallOptions): ModelCallRunner {
  return (view, options, call, args = [], spanName) => {
    const outer = contextOf(options.parent, view);
    const frame = new SpanFrame(getFrame(outer));
    const parent = setFrame(outer, frame);
    const mark: ModelCallMark = { counted: false };
    const request = readRequest(options, args);
    const { attributes = {}, links } = options;
    const started = recorder.start({
      request,
      attributes,
      context: parent,
      isWrapper: true,
      ...(spanName !== undefined && { spanName }),
    });
    if (links) started.span.addLinks(links);
    const items = createItems(providers, request, started, mark);

    function finish(ending: Ending): void {
      const delegated = mark.counted;
      if (delegated) started.span.setAttributes(frame.attributes());
      const thrown = 'thrown' in ending;
      const aborted = thrown ? isAbort(ending.thrown) : (ending.left ?? false);
      if (thrown && !aborted) recordError(started.span, ending.thrown);
      const response = thrown ? items.result() : readResult(options, ending.value, items, providers, report);
      const failure = thrown && !aborted ? { thrown: ending.thrown } : {};
      started.end({ ...(response && { response: settle(options, response) }), ...failure, aborted, delegated });
    }

    return runInSpan(view, parent.setValue(modelCallKey, mark), started.span, call, finish, {
      onYield: items.add,
      takeOver: (value, end) =>
        observeStream(value, {
          item: items.add,
          end: (how) => end('thrown' in how ? { thrown: how.thrown } : { value: undefined, left: how.left ?? false }),
        }),
    });
  };
}

function readRequest(options: LlmOptions<never>, args: readonly unknown[]): LlmRequest {
  const { model, provider, guardrail } = readArguments(args);
  const { operation = 'chat' } = options;
  return {
    provider: options.provider ?? provider ?? 'unknown',
    model: options.model ?? model,
    operation: operation === 'stream' ? 'chat' : operation,
    stream: operation === 'stream',
    ...(guardrail && { guardrail }),
  };
}

interface Items {
  add(value?: unknown): void;
  result(): LlmResponse | undefined;
}

/** What a stream or a generator yields, folded by the provider that knows its first item. */
function createItems(
  providers: readonly Provider[],
  request: LlmRequest,
  started: ModelCall,
  mark: ModelCallMark,
): Items {
  let reader: ItemReader | undefined;
  let provider: Provider | undefined;
  let isKnown: boolean | undefined;
  const ignore = () => {};
  return {
    add(value) {
      request.stream = true;
      if (isKnown === undefined) {
        provider = providers.find((one) => {
          reader = safely(() => one.items?.(value), ignore);
          return reader !== undefined;
        });
        isKnown = provider !== undefined;
      }
      const outcome = isKnown ? safely(() => reader!.item(value), ignore) : 'content';
      // An instrumented call inside has told its own chunks.
      if (outcome !== 'content') return;
      started.firstToken();
      if (!mark.counted) started.chunk();
    },
    result() {
      const response = safely(() => reader?.result(), ignore);
      return response && { ...response, provider: response.provider ?? provider!.name };
    },
  };
}

/** What the wrapper's own extractor says, else the shape. */
function readResult(
  options: LlmOptions<never>,
  value: unknown,
  items: Items,
  providers: readonly Provider[],
  report: (error: unknown) => void,
): LlmResponse | undefined {
  const extracted = value === undefined ? undefined : safely(() => options.response?.(value as never), report);
  return extracted ?? items.result() ?? (value === undefined ? undefined : readValue(value, providers));
}

/** What the wrapper was told wins over what the result says. */
function settle({ provider, model }: LlmOptions<never>, response: LlmResponse): LlmResponse {
  const { provider: _provider, model: _model, ...rest } = response;
  return {
    ...rest,
    ...(!provider && response.provider && { provider: response.provider }),
    ...((model ?? response.model) && { model: model ?? response.model }),
  } as LlmResponse;
}
