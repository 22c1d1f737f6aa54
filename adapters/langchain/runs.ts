import { asArray, asObject, asString } from '../../src/json.ts';
import type { CallEnd } from '../../src/llm/call.ts';
import { readArgumentContent } from '../../src/llm/content/values.ts';
import { lastText } from '../../src/llm/expected-calls.ts';
import { leaveFrameworkCall } from '../../src/llm/framework-call.ts';
import { holdInvocation, type OpenRuns, shareRuns } from '../../src/llm/open-runs.ts';
import type { LlmRequest } from '../../src/llm/provider.ts';
import { type ReportedCall, startReportedCall } from '../../src/llm/reported-call.ts';
import type { Ending } from '../../src/llm/run-span.ts';
import { langchainValues } from '../../src/llm/shapes/langchain.ts';
import type { AnySpanOptions, OpenSpan } from '../../src/llm/spans.ts';
import type { SpanType } from '../../src/llm/wrappers.ts';
import type { Parts } from '../../src/parts.ts';
import type { Place } from '../../src/trace/placed-context.ts';
import { currentRun } from './current-run.ts';
import { readMessages, readPrompt } from './messages.ts';
import {
  agentOf,
  isControlFlow,
  isLeft,
  kindOf,
  nameOf,
  nodeOf,
  type RunInfo,
  readAsked,
  readInput,
  readOutput,
} from './reading.ts';

/** A run that has begun. One that is not shown has the context of the one around it. */
interface Run {
  readonly parent: string | undefined;
  readonly place: Place;
  readonly span?: OpenSpan;
  readonly call?: ReportedCall;
  readonly request?: LlmRequest;
  /** LangChain's own cache has answered in the place of the model. */
  isCached?: boolean;
  /** Of a run that is in no other. */
  readonly release?: (() => void) | undefined;
}

const known = /* @__PURE__ */ new WeakMap<object, OpenRuns<Run>>();

export function createRuns(parts: Parts) {
  const { view } = parts;
  const places = () => parts.engine.runtime.context;
  const listRuns = () =>
    shareRuns(known, parts.engine, currentRun, (run) => close(run, { left: true, value: undefined }));

  /** An event that is not what it should be, or out of its order. */
  function odd(): void {
    parts.engine.instruments.parseError('langchain');
  }

  /** The context of the run around; `undefined` for a run that can't be known again, or is known already. */
  function enter({ id, parent }: Pick<RunInfo, 'id' | 'parent'>) {
    const own = asString(id);
    const runs = listRuns();
    if (own === undefined || runs.get(own)) {
      odd();
      return undefined;
    }
    const outer = asString(parent);
    const around = runs.get(outer)?.place;
    const context = around ? places().inside(around) : leaveFrameworkCall(view.active());
    const release = around ? undefined : holdInvocation(context);
    return { id: own, context, run: { parent: outer, place: places().place(context), release } };
  }

  function open(type: SpanType, name: string, info: RunInfo, options: AnySpanOptions, args: unknown[]): void {
    const place = enter(info);
    if (!place) return;
    const span = parts.runner.open(view, { type, name, options: { ...options, parent: place.context }, args });
    listRuns().add(place.id, { ...place.run, place: places().place(span.context), span });
  }

  function close(run: Run, ending: Ending): void {
    tell(run, ending);
    run.release?.();
  }

  function tell({ span, call, isCached = false }: Run, ending: Ending): void {
    const thrown = 'thrown' in ending;
    const left = thrown ? isLeft(ending.thrown) : ending.left === true;
    if (call)
      call.end(readEnd(ending, left, isCached), {}, () => ('value' in ending ? readMessages(ending.value) : undefined));
    if (!span) return;
    if (left) span.span.setAttribute('edgespan.aborted', true);
    span.end(thrown && (left || isControlFlow(ending.thrown)) ? { value: undefined } : ending);
  }

  function readEnd(ending: Ending, left: boolean, isCached: boolean): CallEnd {
    if (left) return { aborted: true };
    if ('thrown' in ending) return { thrown: ending.thrown };
    const isKnown = langchainValues.accepts?.(ending.value) === true;
    if (!isKnown) odd();
    const response = isKnown ? langchainValues.read!(ending.value) : {};
    const hit = { usage: { input: 0, output: 0 }, costUsd: 0, cacheHit: 'exact' } as const;
    return { response: isCached ? { ...response, ...hit } : response };
  }

  /** Whether the run that LangChain itself takes for the current one has nothing to do with this. */
  function isElsewhere(outer: string | undefined): false | undefined {
    const current = currentRun();
    const runs = listRuns();
    if (!runs.get(current)) return undefined;
    for (let id = outer; id !== undefined; id = runs.get(id)?.parent) if (id === current) return undefined;
    return false;
  }

  return {
    startModel(operation: string, llm: unknown, given: unknown, rest: unknown[]): void {
      const [id, parent, extra, , metadata] = rest;
      const place = enter({ id, parent });
      if (!place) return;
      const { providers } = parts.engine;
      const { request, semconvProvider } = readAsked(operation, llm, extra, metadata, providers);
      const asked = asArray(given)[0];
      const call = startReportedCall(
        parts.engine,
        {
          request,
          semconvProvider,
          context: place.context,
          said: () => readArgumentContent([readPrompt(asked)], providers),
        },
        {
          model: () => request.model,
          text: () => asString(asked) ?? lastText(asked),
          isCurrent: () => isElsewhere(place.run.parent),
        },
      );
      listRuns().add(place.id, { ...place.run, call, request });
    },
    endModel(id: unknown, value: unknown, extra: unknown): void {
      const run = listRuns().get(asString(id));
      const isCached = asObject(extra)?.cached === true;
      if (run && isCached) {
        run.isCached = true;
        // It is told as one token.
        if (run.request) run.request.stream = false;
      }
      this.end(id, { value });
    },
    token(id: unknown): void {
      const run = listRuns().get(asString(id));
      if (!run?.call || !run.request) {
        odd();
        return;
      }
      run.request.stream = true;
      run.call.firstToken();
    },
    startChain(chain: unknown, inputs: unknown, info: RunInfo): void {
      const kind = kindOf(chain, info);
      const agent = agentOf(chain, info, kind);
      const node = nodeOf(info);
      const attributes = { ...(kind === 'node' && node && { 'langgraph.node': node }) };
      if (kind !== 'hidden') {
        const name = agent ?? (kind === 'node' && node ? node : nameOf(chain, info));
        open(agent ? 'agent' : 'trace', name, info, { attributes }, [inputs]);
        return;
      }
      const place = enter(info);
      if (place) listRuns().add(place.id, place.run);
    },
    startTool(tool: unknown, input: unknown, info: RunInfo, callId: unknown): void {
      const id = asString(callId);
      const description = asString(asObject(tool)?.description);
      const attributes = { ...(id && { 'gen_ai.tool.call.id': id }) };
      const options = { attributes, ...(description && { description }) };
      open('tool', nameOf(tool, info), info, options, [readInput(input)]);
    },
    startRetrieval(retriever: unknown, query: unknown, info: RunInfo): void {
      open('retrieval', nameOf(retriever, info), info, {}, [query]);
    },
    end(id: unknown, ending: Ending): void {
      const run = listRuns().take(asString(id));
      if (run) close(run, 'value' in ending && run.span ? { value: readOutput(ending.value) } : ending);
      else odd();
    },
  };
}
