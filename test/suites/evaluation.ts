import type { Evaluator } from '../../src/index.ts';
import { equal, ok } from './assert.ts';
import { createTelemetry, type Suite } from './suite.ts';
import { chatCompletion, post } from './upstream.ts';

const url = 'https://api.openai.com/v1/chat/completions';
const ask = post({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Say hello' }] });
const fetch = async () => Response.json(chatCompletion);

/** Judges by asking the model again, as the judges of `edgespan/judges` do. */
const asking: Evaluator = {
  name: 'asking',
  async evaluate({ prompt, completion }, { fetch, signal }) {
    const response = await fetch(url, { ...ask, signal });
    await response.text();
    return { score: prompt.length / 10, explanation: completion };
  },
};

export const evaluation: Suite = [
  {
    name: 'evaluation: an answer is judged once it was given, in a child of the call, whatever context there is',
    async run(env) {
      const telemetry = createTelemetry(env, { fetch, evaluation: { evaluators: [asking] } });
      await (await telemetry.fetch(url, ask)).text();
      equal(telemetry.spans.length, 1, 'spans when the answer is there');
      await telemetry.flush();
      const [call, asked, judged] = telemetry.spans;
      equal([asked?.attributes['edgespan.judge'], judged?.name], [true, 'evaluate asking'], 'who judged');
      equal(asked?.parentSpanContext?.spanId, judged?.spanContext().spanId, 'the judge is inside');
      equal(judged?.parentSpanContext?.spanId, call?.spanContext().spanId, 'of the call');
      equal(judged?.events[0]?.attributes?.['gen_ai.evaluation.score.value'], 0.9, 'score');
      equal(telemetry.metrics.value('llm_evaluation_runs_total', { evaluation: 'asking' }), 1, 'counted');
    },
  },
  {
    name: 'evaluation: one that never ends is a failure without a score, and nobody waits for it',
    async run(env) {
      const evaluators = [{ name: 'never', evaluate: () => new Promise<never>(() => {}) }];
      const onError = () => {};
      const telemetry = createTelemetry(env, { fetch, onError, evaluation: { evaluators, timeoutMs: 1 } });
      ok((await (await telemetry.fetch(url, ask)).text()).includes('choices'), 'the answer');
      await telemetry.flush();
      equal(telemetry.metrics.value('llm_evaluation_failures_total', { evaluation: 'never' }), 1, 'failures');
      equal(telemetry.metrics.value('llm_evaluation_score'), undefined, 'scores');
    },
  },
  {
    name: 'evaluation: what a user says later belongs to the trace of the answer',
    run(env) {
      const telemetry = createTelemetry(env);
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      telemetry.recordFeedback({ name: 'thumbs', score: 1, traceId });
      telemetry.recordEvaluation({ name: 'exact_match', score: 1 });
      equal(telemetry.spans[0]?.spanContext().traceId, traceId, 'trace');
      equal(telemetry.metrics.value('llm_feedback_total', { evaluation: 'thumbs' }), 1, 'counted');
      equal(telemetry.metrics.value('llm_evaluation_runs_total', { evaluation: 'exact_match' }), 1, 'evaluated');
    },
  },
];
