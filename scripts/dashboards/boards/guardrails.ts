import type { Board } from '../dashboard.ts';
import { anyIsBad, bars, pie, row, series, stat } from '../panels.ts';
import { increase, named, rate } from '../query.ts';

const asked = 'llm_guardrail_requests_total';
const found = 'llm_guardrail_violations_total';
const legend = '{{provider}} {{model}}';
const steps = [
  [0.05, 'orange'],
  [0.2, 'red'],
] as const;

/** What guardrails and content filters hold back. */
export const guardrails: Board = {
  name: 'guardrails',
  title: 'Guardrails',
  description: 'Calls that guardrails and content filters were asked about, and what they found.',
  panels: [
    stat('Calls with a guardrail', 'In the time shown.', increase(asked), { unit: 'short', w: 8 }),
    stat('Violations', 'Categories that were found; a call may have several.', increase(found), {
      unit: 'short',
      noValue: '0',
      steps: anyIsBad,
      w: 8,
    }),
    stat('Violations per call', 'Of calls with a guardrail.', `${increase(found)} / ${increase(asked)}`, {
      unit: 'percentunit',
      decimals: 1,
      noValue: '0 %',
      steps,
      w: 8,
    }),

    row('Violations'),
    series('Violations by category', 'A second.', [['{{category}}', rate(found, 'category')]], {
      unit: 'ops',
      stack: true,
    }),
    pie('Categories', 'In the time shown.', ['{{category}}', increase(found, 'category')], { unit: 'short' }),
    pie('What was done', 'In the time shown.', ['{{action}}', increase(found, 'action')], { unit: 'short' }),
    bars('By model', 'Violations in the time shown.', [legend, increase(found, 'provider model')], {
      unit: 'short',
      w: 8,
    }),
    bars('By agent', 'Violations in the time shown.', ['{{agent}}', named(increase(found, 'agent'), 'agent')], {
      unit: 'short',
      w: 8,
    }),
    bars('By guardrail', 'Violations in the time shown.', ['{{guardrail_id}}', increase(found, 'guardrail_id')], {
      unit: 'short',
      w: 8,
    }),

    row('Guardrails'),
    series('Calls by guardrail', 'A second.', [['{{guardrail_id}}', rate(asked, 'guardrail_id')]], { unit: 'reqps' }),
    series(
      'Violations per call by guardrail',
      'Of calls with that guardrail.',
      [['{{guardrail_id}}', `${rate(found, 'guardrail_id')} / ${rate(asked, 'guardrail_id')}`]],
      { unit: 'percentunit', steps },
    ),
  ],
};
