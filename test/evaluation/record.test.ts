import { describe, expect, it } from 'vitest';
import { createAlsTelemetry } from '../support/telemetry.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

describe('recordEvaluation', () => {
  it('notes a score on the span that is active', () => {
    const telemetry = createAlsTelemetry();
    telemetry.span('job', () => telemetry.recordEvaluation({ name: 'exact_match', score: 1, label: 'pass' }));
    const [span] = telemetry.spans;
    expect(span?.events).toMatchObject([
      {
        name: 'gen_ai.evaluation.result',
        attributes: {
          'gen_ai.evaluation.name': 'exact_match',
          'gen_ai.evaluation.score.value': 1,
          'gen_ai.evaluation.score.label': 'pass',
        },
      },
    ]);
    expect(telemetry.metrics.value('llm_evaluation_runs_total', { evaluation: 'exact_match' })).toBe(1);
    expect(telemetry.metrics.value('llm_evaluation_score', { evaluation: 'exact_match' })).toBe(1);
  });

  it('makes a child of a span that has ended, or is known by its ids', () => {
    const telemetry = createAlsTelemetry();
    const ended = telemetry.span('job', (span) => span);
    telemetry.recordEvaluation({ name: 'a', score: 0, span: ended });
    telemetry.recordEvaluation({ name: 'b', score: 0, span: { traceId, spanId, traceFlags: 1 } });
    const [, a, b] = telemetry.spans;
    expect([a?.name, a?.parentSpanContext?.spanId]).toEqual(['evaluate a', ended.spanContext().spanId]);
    expect([b?.name, b?.parentSpanContext?.spanId, b?.spanContext().traceId]).toEqual(['evaluate b', spanId, traceId]);
  });

  it('says what the agent around asked last', async () => {
    const telemetry = createAlsTelemetry();
    telemetry.span('research', { type: 'agent' }, () => {
      telemetry.recordLlmCall({ provider: 'openai', model: 'gpt-4o' });
      telemetry.recordEvaluation({ name: 'a', score: 0.5 });
    });
    const labels = { provider: 'openai', model: 'gpt-4o', agent: 'research' };
    expect(telemetry.metrics.value('llm_evaluation_runs_total', labels)).toBe(1);
  });

  it.each([{ name: '', score: 1 }, { name: 'a', score: Number.NaN }, { name: 'a', score: '1' }, undefined])(
    'ignores %j and tells of it',
    (given) => {
      const codes: string[] = [];
      const telemetry = createAlsTelemetry({ onError: ({ code }) => codes.push(code) });
      telemetry.recordEvaluation(given as never);
      telemetry.recordFeedback(given as never);
      expect(codes).toHaveLength(1);
      expect(telemetry.metrics.value('llm_evaluation_runs_total')).toBeUndefined();
    },
  );
});

describe('recordFeedback', () => {
  it('is a span in the trace that it speaks of', () => {
    const telemetry = createAlsTelemetry();
    telemetry.span('other work', () => {
      telemetry.recordFeedback({ name: 'thumbs', score: 1, comment: 'helped', traceId });
      telemetry.recordFeedback({ name: 'thumbs', score: 0, traceId: traceId.toUpperCase(), spanId });
    });
    const [first, second] = telemetry.spans.filter(({ name }) => name === 'feedback thumbs');
    expect([first?.spanContext().traceId, first?.parentSpanContext]).toEqual([traceId, undefined]);
    expect([second?.spanContext().traceId, second?.parentSpanContext?.spanId]).toEqual([traceId, spanId]);
    expect(first?.attributes).toMatchObject({ 'edgespan.feedback': true });
    expect(first?.events[0]).toMatchObject({
      name: 'gen_ai.evaluation.result',
      attributes: { 'gen_ai.evaluation.score.value': 1, 'gen_ai.evaluation.explanation': 'helped' },
    });
    expect(telemetry.metrics.value('llm_feedback_total', { evaluation: 'thumbs' })).toBe(2);
    expect(telemetry.metrics.value('llm_feedback_score', { evaluation: 'thumbs' })).toBe(2);
  });

  it('is sampled as its trace was, and counted anyhow', () => {
    const telemetry = createAlsTelemetry({ sampling: { ratio: 0.5 } });
    for (const id of ['0'.repeat(18) + '1'.repeat(14), 'f'.repeat(32)])
      telemetry.recordFeedback({ name: 'thumbs', score: 1, traceId: id, spanId });
    expect(telemetry.spans.map((span) => span.spanContext().traceId)).toEqual(['f'.repeat(32)]);
    expect(telemetry.metrics.value('llm_feedback_total')).toBe(2);
  });

  it.each([{ traceId: 'x' }, { traceId: '0'.repeat(32) }, { traceId, spanId: 'short' }, {}])('ignores %j', (ids) => {
    const codes: string[] = [];
    const telemetry = createAlsTelemetry({ onError: ({ code }) => codes.push(code) });
    telemetry.recordFeedback({ name: 'thumbs', score: 1, ...ids } as never);
    expect([telemetry.spans, codes]).toEqual([[], ['invalid_value']]);
  });
});
