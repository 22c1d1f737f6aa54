import type { Attributes, Span } from '@opentelemetry/api';
import { ignore, safely } from '../../errors.ts';
import { asNumber, asObject, asString, type Json } from '../../json.ts';
import { listDocuments } from '../documents.ts';
import type { Capture, ContentCapture } from './capture.ts';
import { silentSpan } from './silence.ts';

/** Values of a generator that are kept. */
const maxYields = 1000;
/** What goes into a function and comes out of it, while it runs in its span. */
export interface SpanContent {
  /** Takes what a generator yields; absent where nobody wants it. */
  readonly onYield?: (value: unknown) => void;
  end(value: unknown): void;
}

/** Writes onto a span of this type what its function is given and, at its end, what that answered. */
export function followSpan(
  capture: ContentCapture,
  span: Span,
  type: string,
  args: readonly unknown[],
  own: Capture | undefined,
): SpanContent {
  const limits = capture.limits(own);
  if (!span.isRecording() || (limits.inputs === 0 && limits.outputs === 0)) return silentSpan;
  span.setAttributes(inputAttributes(capture, type, args, limits.inputs));
  const yielded: unknown[] = [];
  return {
    onYield(value) {
      if (yielded.length < maxYields) yielded.push(value);
    },
    end: (value) =>
      void span.setAttributes(outputAttributes(capture, type, value ?? joinYields(yielded), limits.outputs)),
  };
}

/** Pieces of one text are that text. */
function joinYields(yielded: readonly unknown[]): unknown {
  if (yielded.length === 0) return undefined;
  return yielded.every((value) => typeof value === 'string') ? yielded.join('') : yielded;
}

/** What goes into a function in a span of this type. */
function inputAttributes(capture: ContentCapture, type: string, args: readonly unknown[], limit: number): Attributes {
  if (args.length === 0 || limit === 0) return {};
  const given = args.length === 1 ? args[0] : args;
  if (type === 'tool') return capture.json('gen_ai.tool.call.arguments', given, limit);
  if (type === 'retrieval') {
    const query = findQuery(args);
    if (query !== undefined) return capture.value('gen_ai.retrieval.query.text', query, limit);
  }
  return capture.value('edgespan.input', given, limit);
}

/** What came out of it. */
function outputAttributes(capture: ContentCapture, type: string, value: unknown, limit: number): Attributes {
  if (value === undefined || limit === 0) return {};
  if (type === 'tool') return capture.json('gen_ai.tool.call.result', value, limit);
  if (type !== 'retrieval') return capture.value('edgespan.output', value, limit);
  const documents = listDocuments(value);
  return documents
    ? capture.json('gen_ai.retrieval.documents', documents.map(toDocument), limit)
    : capture.value('edgespan.output', value, limit);
}

function findQuery(args: readonly unknown[]): string | undefined {
  const text = args.find((argument) => typeof argument === 'string');
  return text ?? safely(() => asString(asObject(args[0])?.query), ignore);
}

/** By id and score, as the conventions want it; a document that has no id is the document. */
function toDocument(found: unknown): unknown {
  // Some stores give a document beside its score.
  const [inner, beside] = Array.isArray(found) && asNumber(found[1]) !== undefined ? found : [found, undefined];
  const document = asObject(inner);
  if (!document) return inner;
  return safely(() => readDocument(document, beside), ignore) ?? inner;
}

function readDocument(document: Json, beside: unknown): Json | undefined {
  const id = asString(document.id) ?? asNumber(document.id) ?? asString(document._id);
  const score = asNumber(document.score) ?? asNumber(document._score) ?? asNumber(beside);
  if (id === undefined) return undefined;
  return { id: String(id), ...(score !== undefined && { score }) };
}
