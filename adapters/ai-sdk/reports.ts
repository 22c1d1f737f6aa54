import type { Context } from '@opentelemetry/api';
import type { Engine } from '../../src/engine.ts';
import { asArray, asString, type Json } from '../../src/json.ts';
import type { CallEnd } from '../../src/llm/call.ts';
import { lastText } from '../../src/llm/expected-calls.ts';
import { type ReportedCall, startReportedCall } from '../../src/llm/reported-call.ts';
import { aiSdkValues } from '../../src/llm/shapes/ai-sdk.ts';
import { readAsked, readEnd } from './reading.ts';

/** The calls of an operation that the SDK only tells of: embeddings, rankings, and objects. */
export interface Reports {
  startEmbedding(event: Json): void;
  endEmbedding(event: Json): void;
  startRanking(event: Json): void;
  endRanking(): void;
  startObject(event: Json): void;
  endObject(event: Json): void;
  /** Ends what is still open. */
  end(how: CallEnd): void;
}

/** Calls of one operation that are under way at a time. */
const maxCalls = 1000;

export function createReports(engine: Engine, context: Context, isStream: boolean): Reports {
  const calls = new Map<string, ReportedCall>();

  /** What is told to begin once more is another try of the same call. */
  function start(key: string, event: Json, operation: string, text: string | undefined): void {
    if (calls.has(key) || calls.size >= maxCalls) return;
    const { request, semconvProvider } = readAsked(event, event, operation, engine.providers);
    request.stream = isStream;
    const expected = { model: () => request.model, text: () => text };
    calls.set(key, startReportedCall(engine, { request, semconvProvider, context }, expected));
  }

  function end(key: string, how: CallEnd): void {
    const call = calls.get(key);
    calls.delete(key);
    if (call) call.end(how);
    else engine.instruments.parseError('ai-sdk');
  }

  return {
    startEmbedding: (event) => start(keyOf(event.values), event, 'embed', asString(asArray(event.values).at(-1))),
    endEmbedding: (event) => end(keyOf(event.values), { response: aiSdkValues.read!(event) }),
    startRanking: (event) => start('rank', event, 'rerank', asString(event.query)),
    endRanking: () => end('rank', {}),
    startObject: (event) => start('object', event, 'chat', lastText(event.promptMessages)),
    endObject: (event) => end('object', { response: readEnd(event) }),
    end(how) {
      for (const call of calls.values()) call.end(how);
      calls.clear();
    },
  };
}

/** Values that are embedded at once; each try has an id of its own. */
function keyOf(values: unknown): string {
  const list = asArray(values);
  return `embed ${list.length} ${list.at(0)} ${list.at(-1)}`;
}
