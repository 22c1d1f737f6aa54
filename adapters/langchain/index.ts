import { safely } from '../../src/errors.ts';
import { isOn } from '../../src/observed-fetch.ts';
import { getParts } from '../../src/parts.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { createRuns } from './runs.ts';

type Hook = (...args: unknown[]) => Promise<void>;

/** A handler for LangChain's callbacks; it needs none of its classes. */
export interface LangChainHandler {
  readonly name: string;
  /** Callbacks run at once, not in LangChain's background, which may end with a request on an edge. */
  readonly awaitHandlers: boolean;
  readonly handleLLMStart: Hook;
  readonly handleChatModelStart: Hook;
  readonly handleLLMNewToken: Hook;
  readonly handleLLMEnd: Hook;
  readonly handleLLMError: Hook;
  readonly handleChainStart: Hook;
  readonly handleChainEnd: Hook;
  readonly handleChainError: Hook;
  readonly handleToolStart: Hook;
  readonly handleToolEnd: Hook;
  readonly handleToolError: Hook;
  readonly handleRetrieverStart: Hook;
  readonly handleRetrieverEnd: Hook;
  readonly handleRetrieverError: Hook;
}

/**
 * Records the runs of LangChain.js and LangGraph.js: models, tools, retrievers, chains, graphs and their nodes. A graph
 * or an agent that has a name is the agent of what runs in it. Where a model's client has `telemetry.fetch`, the request
 * is recorded in the place of the run, once.
 *
 * @example
 * await graph.invoke(input, { callbacks: [createCallbackHandler(telemetry)] });
 */
export function createCallbackHandler(telemetry: Telemetry): LangChainHandler {
  const parts = getParts(telemetry);
  const runs = createRuns(parts);

  function hook(hear: (args: unknown[]) => void): Hook {
    return async (...args) => {
      if (isOn(parts)) safely(() => hear(args), parts.engine.diagnostics.report);
    };
  }

  return {
    name: 'edgespan',
    awaitHandlers: true,
    handleLLMStart: hook(([llm, prompts, ...rest]) => runs.startModel('text_completion', llm, prompts, rest)),
    handleChatModelStart: hook(([llm, messages, ...rest]) => runs.startModel('chat', llm, messages, rest)),
    handleLLMNewToken: hook(([_token, _index, id]) => runs.token(id)),
    handleLLMEnd: hook(([output, id, _parent, _tags, extra]) => runs.endModel(id, output, extra)),
    handleLLMError: hook(([thrown, id]) => runs.end(id, { thrown })),
    handleChainStart: hook(([chain, inputs, id, parent, tags, metadata, _type, name]) =>
      runs.startChain(chain, inputs, { id, parent, tags, metadata, name }),
    ),
    handleChainEnd: hook(([outputs, id]) => runs.end(id, { value: outputs })),
    handleChainError: hook(([thrown, id]) => runs.end(id, { thrown })),
    handleToolStart: hook(([tool, input, id, parent, tags, metadata, name, callId]) =>
      runs.startTool(tool, input, { id, parent, tags, metadata, name }, callId),
    ),
    handleToolEnd: hook(([output, id]) => runs.end(id, { value: output })),
    handleToolError: hook(([thrown, id]) => runs.end(id, { thrown })),
    handleRetrieverStart: hook(([retriever, query, id, parent, tags, metadata, name]) =>
      runs.startRetrieval(retriever, query, { id, parent, tags, metadata, name }),
    ),
    handleRetrieverEnd: hook(([documents, id]) => runs.end(id, { value: documents })),
    handleRetrieverError: hook(([thrown, id]) => runs.end(id, { thrown })),
  };
}
