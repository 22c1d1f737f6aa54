import { expect, onTestFinished } from 'vitest';
import type { Telemetry, TelemetryError, TelemetryOptions } from '../../src/index.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';
import { type Answer, createLoopback, json, type Loopback, sse } from './loopback.ts';
import * as wire from './openai-wire.ts';

/** A framework's run against a model on loopback: with the observed `fetch` in the model's client, or the platform's. */
export interface FrameworkRun {
  readonly telemetry: Telemetry;
  readonly loopback: Loopback;
  readonly fetch: typeof globalThis.fetch;
  readonly errors: TelemetryError[];
}

/** Ways to run the same program. */
export const ways = ['telemetry.fetch underneath', 'the platform’s fetch'] as const;
export type Way = (typeof ways)[number];

/** A run that is answered from a script, until the end of the test that starts it. */
export async function startRun(
  way: Way,
  script: readonly Answer[],
  options: TelemetryOptions = {},
): Promise<FrameworkRun> {
  const loopback = await createLoopback();
  onTestFinished(() => loopback.close());
  loopback.play(script);
  const errors: TelemetryError[] = [];
  const telemetry = createAlsTelemetry({ onError: (error) => errors.push(error), ...options });
  return { telemetry, loopback, errors, fetch: way === ways[0] ? telemetry.fetch : globalThis.fetch };
}

export type Span = Telemetry['spans'][number];

/** Spans by their parents: `root > child`, in the order of their beginning. */
export function tree(spans: readonly Span[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  function path(span: Span): string {
    const parent = byId.get(span.parentSpanContext?.spanId ?? '');
    return parent ? `${path(parent)} > ${span.name}` : span.name;
  }
  return spans
    .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
    .map(path)
    .toSorted();
}

/** Spans of model calls. */
export function modelSpans(spans: readonly Span[]): Span[] {
  const operations = ['chat', 'embeddings', 'text_completion', 'rerank'];
  return spans.filter(({ attributes }) => operations.includes(String(attributes['gen_ai.operation.name'])));
}

/** What was counted, and what the spans of the calls say it sums up to: they must agree. */
export function counted({ telemetry, errors }: FrameworkRun) {
  const value = (name: string, labels?: Record<string, string>) => telemetry.metrics.value(name, labels) ?? 0;
  const calls = modelSpans(telemetry.spans);
  const sum = (name: string) => calls.reduce((total, { attributes }) => total + Number(attributes[name] ?? 0), 0);
  const result = {
    spans: calls.length,
    requests: value('llm_requests_total'),
    failed: value('llm_requests_total', { status: 'error' }),
    input: value('llm_tokens_total', { token_type: 'input' }),
    output: value('llm_tokens_total', { token_type: 'output' }),
    aborted: value('llm_streams_aborted_total'),
    odd: value('edgespan_parse_errors_total'),
  };
  expect(errors).toEqual([]);
  expect(sum('gen_ai.usage.input_tokens')).toBe(result.input);
  expect(sum('gen_ai.usage.output_tokens')).toBe(result.output);
  expect(value('llm_cost_usd_total')).toBeCloseTo(sum('llm.cost_usd'), 8);
  // No parent adds up what its children have counted.
  const usage = telemetry.spans.filter(({ attributes }) => 'gen_ai.usage.input_tokens' in attributes);
  expect(usage.every((span) => calls.includes(span))).toBe(true);
  return result;
}

/** So many calls of 1,000 tokens in and 500 out. */
export function countsOf(calls: number, more: object = {}) {
  return {
    spans: calls,
    requests: calls,
    failed: 0,
    input: 1000 * calls,
    output: 500 * calls,
    aborted: 0,
    odd: 0,
    ...more,
  };
}

let ids = 0;

/** A reply with an id of its own, as every vendor gives. */
export function completion(content: string | null = 'Hello there.', tools?: unknown[]) {
  return json(200, { ...wire.chatCompletion(content, tools), id: `chatcmpl-${++ids}` });
}

export function toolCalls(...cities: string[]) {
  const calls = cities.map((city, index) => ({
    id: `call_${index + 1}`,
    type: 'function',
    function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
  }));
  return completion(null, calls);
}

function renamed(frames: readonly string[]): string[] {
  const id = `chatcmpl-${++ids}`;
  return frames.map((frame) => frame.replaceAll('chatcmpl-1"', `${id}"`));
}

export function chunks(words?: readonly string[]) {
  return sse(renamed(wire.chatChunks(words)));
}

export function toolChunks() {
  return sse(renamed(wire.toolChunks()));
}

export function failure(status = 400, type = 'invalid_request_error', code: string | null = null) {
  return json(status, wire.openaiError(type, code, 'No.'));
}
