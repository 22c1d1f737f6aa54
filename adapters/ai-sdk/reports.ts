import type { Context } from '@opentelemetry/api';
import type { Engine } from '../../src/engine.ts';
import { asArray, asString, type Json } from '../../src/json.ts';
import type { CallEnd } from '../../src/llm/call.ts';
import { aiSdkContent } from '../../src/llm/content/ai-sdk.ts';
import { lastText } from '../../src/llm/expected-calls.ts';
import { type ReportedCall, startReportedCall } from '../../src/llm/reported-call.ts';
import { aiSdkValues } from '../../src/llm/shapes/ai-sdk.ts';
import { ownCapture, type Recording, readAsked, readEnd, readSaid } from './reading.ts';

/** The calls of an operation that the SDK only tells of: embeddings, rankings, decisions, and objects. */
export interface Reports {
  startEmbedding(event: Json): void;
  endEmbedding(event: Json): void;
  startRanking(event: Json): void;
  endRanking(event: Json): void;
  startDecision(event: Json): void;
  endDecision(event: Json): void;
  startObject(event: Json): void;
  endObject(event: Json): void;
  /** Ends what is still open. */
  end(how: CallEnd): void;
}

/** Calls of one operation that are told, each try of one. */
const maxCalls = 1000;

/** Calls that ask the same. */
interface Told {
  readonly call: ReportedCall;
  readonly id: string;
  isOpen: boolean;
  /** Told to begin beside the first, by their ids. */
  readonly more: Map<string, ReportedCall>;
}

export function createReports(engine: Engine, context: Context, isStream: boolean, recording: Recording): Reports {
  const calls = new Map<string, Told>();
  let size = 0;

  /** What is told to begin once more is another try of the same call, or a call that asks the same beside it. */
  function start(key: string, event: Json, operation: string, text: string | undefined): void {
    const told = calls.get(key);
    if (size >= maxCalls) return;
    size++;
    const { request, semconvProvider } = readAsked(event, event, operation, engine.providers);
    request.stream = isStream;
    const expected = told ? undefined : { model: () => request.model, text: () => text };
    const { promptMessages: messages } = event;
    const said = recording.inputs && messages !== undefined && readSaid({ messages }, engine.providers);
    const start = { request, semconvProvider, context, capture: ownCapture(recording), ...(said && { said }) };
    const call = startReportedCall(engine, start, expected);
    const id = asString(event.embedCallId) ?? '';
    if (!told) calls.set(key, { call, id, isOpen: true, more: new Map() });
    else if (id) told.more.set(id, call);
  }

  /** The first to end is the first that was told, whose request may have failed and been tried again by another id. */
  function end(key: string, event: Json, how: CallEnd): void {
    const told = calls.get(key);
    const id = asString(event.embedCallId) ?? '';
    const other = told?.more.get(id);
    told?.more.delete(id);
    if (told?.isOpen) {
      told.isOpen = false;
      if (other) told.more.set(told.id, other);
      told.call.end(how, {}, () => readObject(event));
    } else if (!other) engine.instruments.parseError('ai-sdk');
    // One expectation is there for all that ask the same.
    else if (!told!.call.isClaimed) other.end(how);
  }

  function readObject({ objectText: text, finishReason }: Json): unknown {
    const isWanted = recording.outputs && typeof text === 'string';
    return isWanted ? aiSdkContent.response({ content: [{ type: 'text', text }], finishReason }) : undefined;
  }

  return {
    startEmbedding: (event) => start(keyOf(event.values), event, 'embed', asString(asArray(event.values).at(-1))),
    endEmbedding: (event) => end(keyOf(event.values), event, { response: aiSdkValues.read!(event) }),
    startRanking: (event) => start('rank', event, 'rerank', asString(event.query)),
    endRanking: (event) => end('rank', event, {}),
    startDecision: (event) => start('decision', event, 'decide', undefined),
    endDecision: (event) => end('decision', event, { response: readEnd(event) }),
    startObject: (event) => start('object', event, 'chat', lastText(event.promptMessages)),
    endObject: (event) => end('object', event, { response: readEnd(event) }),
    end(how) {
      for (const { call, isOpen } of calls.values()) if (isOpen) call.end(how);
      calls.clear();
    },
  };
}

/** Values that are embedded at once; each try has an id of its own. */
function keyOf(values: unknown): string {
  const list = asArray(values);
  return `embed ${list.length} ${list.at(0)} ${list.at(-1)}`;
}
