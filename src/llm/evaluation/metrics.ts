import type { HistogramInstrument } from '../../metrics/histogram.ts';
import type { TraceRef } from '../../metrics/instrument.ts';
import type { NumberInstrument } from '../../metrics/number.ts';
import type { FamilyKey } from '../families.ts';
import type { MetricLabels } from '../labels.ts';

/** An evaluation that is over, or was not begun. */
export interface EvaluationOutcome {
  readonly evaluation: string;
  /** Of the call that was judged. */
  readonly provider: string;
  readonly model: string;
  readonly agent: string;
  /** Who judged. */
  readonly judgeProvider?: string | undefined;
  readonly judgeModel?: string | undefined;
  /** Absent where it failed. */
  readonly score?: number | undefined;
  /** Absent where somebody else took the time. */
  readonly seconds?: number | undefined;
  readonly trace: TraceRef | null;
}

export interface EvaluationMetrics {
  ran(outcome: EvaluationOutcome): void;
  /** There was no room. */
  dropped(outcome: EvaluationOutcome): void;
  /** So many are under way, of so many that there is room for. */
  queue(size: number, room: number): void;
  feedback(name: string, score: number): void;
}

export interface EvaluationFamilies {
  readonly counter: (key: FamilyKey) => NumberInstrument | undefined;
  readonly gauge: (key: FamilyKey) => NumberInstrument | undefined;
  readonly histogram: (key: FamilyKey) => HistogramInstrument | undefined;
  readonly labels: (provider: string, model: string, agent: string) => MetricLabels;
}

/** How evaluations are written to their families, where they are. */
export function createEvaluationMetrics({ counter, gauge, histogram, labels }: EvaluationFamilies): EvaluationMetrics {
  const runs = counter('evaluationRuns');
  const failures = counter('evaluationFailures');
  const dropped = counter('evaluationsDropped');
  const duration = histogram('evaluationSeconds');
  const scores = histogram('evaluationScore');
  const latest = gauge('evaluationLatest');
  const size = gauge('evaluationQueue');
  const utilization = gauge('evaluationQueueUse');
  const feedback = counter('feedback');
  const feedbackScores = histogram('feedbackScore');

  function labelsOf(outcome: EvaluationOutcome): MetricLabels {
    const all = labels(outcome.provider, outcome.model, outcome.agent);
    all.evaluation = all.evaluation_type = outcome.evaluation;
    all.evaluator_provider = outcome.judgeProvider ?? '';
    all.evaluator_model = outcome.judgeModel ?? '';
    return all;
  }

  return {
    ran(outcome) {
      const { score, seconds, trace } = outcome;
      const all = labelsOf(outcome);
      runs?.add(1, all, trace);
      failures?.add(score === undefined ? 1 : 0, all, trace);
      if (seconds !== undefined) duration?.record(seconds, all, trace);
      if (score === undefined) return;
      scores?.record(score, all, trace);
      latest?.set(score, all);
    },
    dropped: (outcome) => dropped?.add(1, labelsOf(outcome), outcome.trace),
    queue(count, room) {
      size?.set(count);
      utilization?.set((count / room) * 100);
    },
    feedback(name, score) {
      const all = labels('', '', '');
      all.evaluation = name;
      feedback?.add(1, all);
      feedbackScores?.record(score, all);
    },
  };
}
