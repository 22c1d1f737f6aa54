import type { Board } from '../dashboard.ts';
import { anyIsBad, bars, heatmap, pie, row, series, stat, table } from '../panels.ts';
import { increase, mean, named, quantile, rate, rateInterval } from '../query.ts';

const runs = 'llm_evaluation_runs_total';
const failures = 'llm_evaluation_failures_total';
const score = 'llm_evaluation_score';
const duration = 'llm_evaluation_duration_seconds';
const feedback = 'llm_feedback_score';
const by = 'evaluation model';
const shareIsBad = [
  [0.05, 'orange'],
  [0.2, 'red'],
] as const;

/** How good answers are, in the eyes of judges and users. */
export const evaluation: Board = {
  name: 'evaluation',
  title: 'Evaluation',
  description: 'Scores of answers by judges and by users, and how the judges do.',
  panels: [
    stat('Evaluations', 'Runs in the time shown, failed ones too.', increase(runs), { unit: 'short' }),
    stat('With a score', 'Runs that did not fail.', `${increase(runs)} - ${increase(failures)}`, { unit: 'short' }),
    stat('Failed', 'They came to no score, which is not a score of 0.', increase(failures), {
      unit: 'short',
      noValue: '0',
      steps: anyIsBad,
    }),
    stat('Share of failures', 'Failed runs of all runs.', `${increase(failures)} / ${increase(runs)}`, {
      unit: 'percentunit',
      decimals: 1,
      steps: shareIsBad,
    }),
    stat(
      'Dropped',
      'There was no room for them: more than `evaluation.maxQueue` at a time.',
      increase('llm_evaluation_dropped_total'),
      {
        unit: 'short',
        noValue: '0',
        steps: anyIsBad,
      },
    ),
    stat('Mean score', 'Of all evaluations. Of some a low score is good, so look at each.', mean(score), {
      unit: 'none',
      decimals: 2,
    }),

    row('Scores'),
    series('Mean score', 'By evaluation and model.', [['{{evaluation}} {{model}}', mean(score, by, rateInterval)]], {
      unit: 'none',
      decimals: 2,
      max: 1,
    }),
    table(
      'Evaluations in figures',
      'In the time shown.',
      [
        { name: 'Runs', expr: increase(runs, by), unit: 'short' },
        { name: 'Failed', expr: increase(failures, by), unit: 'short' },
        { name: 'Mean score', expr: mean(score, by), unit: 'none', decimals: 2 },
      ],
      { w: 12, h: 8 },
    ),
    heatmap('Scores', 'Evaluations by their score.', increase(`${score}_bucket`, 'le', {}, rateInterval), 'none'),
    series(
      'Score, p10',
      'A tenth of the answers is judged lower than this.',
      [['{{evaluation}}', quantile(0.1, score, 'evaluation')]],
      {
        unit: 'none',
        decimals: 2,
        max: 1,
        h: 9,
      },
    ),

    row('Judges'),
    series('Evaluations a second', 'By evaluation.', [['{{evaluation}}', rate(runs, 'evaluation')]], {
      unit: 'ops',
      stack: true,
    }),
    series(
      'Duration',
      'Seconds of an evaluation.',
      [0.5, 0.95, 0.99].map((q) => [`p${q * 100} {{evaluation}}`, quantile(q, duration, 'evaluation')] as const),
      { unit: 's' },
    ),
    bars(
      'Failures by model',
      'Whose answers were to be judged.',
      ['{{provider}} {{model}}', increase(failures, 'provider model')],
      {
        unit: 'short',
      },
    ),
    pie('Evaluations by agent', 'Whose answers were judged.', ['{{agent}}', named(increase(runs, 'agent'), 'agent')], {
      unit: 'short',
    }),
    series(
      'Dropped evaluations',
      'A second.',
      [['{{evaluation}}', rate('llm_evaluation_dropped_total', 'evaluation')]],
      {
        unit: 'ops',
      },
    ),

    row('What users say'),
    stat('Answers with feedback', 'Scores in the time shown.', increase('llm_feedback_total'), {
      unit: 'short',
      w: 6,
      h: 8,
    }),
    bars('Mean score by users', 'By the name of the feedback.', ['{{evaluation}}', mean(feedback, 'evaluation')], {
      unit: 'none',
      decimals: 2,
    }),
    series('Feedback', 'Scores a second.', [['{{evaluation}}', rate('llm_feedback_total', 'evaluation')]], {
      unit: 'ops',
    }),
  ],
};
