import type { Board } from '../dashboard.ts';
import { anyIsBad, bars, pie, row, series, shareIsBad, stat, table } from '../panels.ts';
import { increase, named, quantile, rate } from '../query.ts';

const calls = 'llm_requests_total';
const work = 'llm_span_duration_seconds';
const runs = 'llm_tool_executions_total';
const errors = 'llm_errors_total';
const byAgent = (expr: string) => named(expr, 'agent');

/** Who asks models, which tools they run, and what fails there. */
export const agentsAndTools: Board = {
  name: 'agents-and-tools',
  title: 'Agents and tools',
  description: 'Agents, the tools and retrievals that they run, and what fails there.',
  panels: [
    stat('Agent runs', 'Agents that came to an end.', increase(`${work}_count`, '', { span_type: 'agent' }), {
      unit: 'short',
    }),
    stat('Model calls', 'In and outside of agents.', increase(calls), { unit: 'short' }),
    stat('Tools asked for', 'By models, whether they were run or not.', increase('llm_tool_calls_total'), {
      unit: 'short',
      noValue: '0',
    }),
    stat('Tools run', 'Failed ones too.', increase(runs), { unit: 'short', noValue: '0' }),
    stat('Retrievals', 'From stores of documents.', increase('llm_retrievals_total'), { unit: 'short', noValue: '0' }),
    stat('Errors', 'Of calls, agents, tools and all other work.', increase(errors), {
      unit: 'short',
      noValue: '0',
      steps: anyIsBad,
    }),

    row('Agents'),
    series('Model calls by agent', 'A second.', [['{{agent}}', byAgent(rate(calls, 'agent'))]], {
      unit: 'reqps',
      stack: true,
    }),
    pie('Share of agents', 'Model calls in the time shown.', ['{{agent}}', byAgent(increase(calls, 'agent'))], {
      unit: 'short',
    }),
    bars(
      'Calls that fail',
      'Failed model calls of all of an agent.',
      ['{{agent}}', byAgent(`${increase(errors, 'agent', { span_type: 'llm' })} / ${increase(calls, 'agent')}`)],
      { unit: 'percentunit', steps: shareIsBad },
    ),
    series(
      'Duration of agents, p95',
      'From the start of an agent to its end, calls and tools included.',
      [['{{agent}}', quantile(0.95, work, 'agent', { span_type: 'agent' })]],
      { unit: 's' },
    ),
    table(
      'Agents in figures',
      'What each has used in the time shown.',
      [
        { name: 'Model calls', expr: byAgent(increase(calls, 'agent')), unit: 'short' },
        { name: 'Tools run', expr: byAgent(increase(runs, 'agent')), unit: 'short' },
        { name: 'Tokens', expr: byAgent(increase('llm_tokens_total', 'agent')), unit: 'short' },
        { name: 'Cost', expr: byAgent(increase('llm_cost_usd_total', 'agent')), unit: 'currencyUSD' },
      ],
      { w: 12, h: 8 },
    ),

    row('Tools and retrievals'),
    series('Tools by name', 'Run, a second.', [['{{tool_name}}', rate(runs, 'tool_name')]], {
      unit: 'ops',
      stack: true,
    }),
    series('Tools by agent', 'Run, a second.', [['{{agent}}', byAgent(rate(runs, 'agent'))]], {
      unit: 'ops',
      stack: true,
    }),
    bars(
      'Tools that fail',
      'Failed runs of all runs of a tool.',
      ['{{tool_name}}', `${increase(runs, 'tool_name', { status: 'error' })} / ${increase(runs, 'tool_name')}`],
      { unit: 'percentunit', steps: shareIsBad },
    ),
    bars('Tools asked for by name', 'By models.', ['{{tool_name}}', increase('llm_tool_calls_total', 'tool_name')], {
      unit: 'short',
    }),
    series('Retrievals by agent', 'A second.', [['{{agent}}', byAgent(rate('llm_retrievals_total', 'agent'))]], {
      unit: 'ops',
    }),

    row('Errors'),
    series('Errors by kind of work', 'A second.', [['{{span_type}}', rate(errors, 'span_type')]], {
      unit: 'ops',
      stack: true,
    }),
    pie('Kinds of work that fail', 'In the time shown.', ['{{span_type}}', increase(errors, 'span_type')], {
      unit: 'short',
    }),
    bars(
      'Errors by model',
      'Of calls, and of what agents did around them.',
      ['{{provider}} {{model}}', increase(errors, 'provider model', { model: '!=' })],
      { unit: 'short' },
    ),
    series(
      'Duration by kind of work, p95',
      'Agents, tools, retrievals and other spans; model calls have a dashboard of their own.',
      [['{{span_type}}', quantile(0.95, work, 'span_type')]],
      { unit: 's', w: 24 },
    ),
  ],
};
