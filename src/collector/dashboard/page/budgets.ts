import { h, place } from './dom.ts';
import { formatCost, formatShare } from './format.ts';
import type { Budget } from './series.ts';

/** What is left of each limit. */
export function renderBudgets(budgets: readonly Budget[]): HTMLElement {
  return h(
    'section',
    { class: 'card budgets', 'aria-label': 'Budgets' },
    h('h2', {}, 'Budgets'),
    ...(budgets.length > 0
      ? budgets.map(renderBudget)
      : [h('p', { class: 'hint' }, 'None is reported: services push theirs with their metrics.')]),
  );
}

function renderBudget({ name, window, service, limitUsd, spentUsd }: Budget): HTMLElement {
  const share = spentUsd === undefined ? undefined : limitUsd > 0 ? spentUsd / limitUsd : 1;
  const level = share === undefined ? '' : share >= 1 ? 'spent' : share >= 0.8 ? 'close' : '';
  const text = `${formatCost(spentUsd)} of ${formatCost(limitUsd)}`;
  const meter = h('div', {
    class: `meter ${level}`,
    role: 'meter',
    'aria-label': name,
    'aria-valuemin': 0,
    'aria-valuemax': limitUsd,
    'aria-valuenow': spentUsd,
    'aria-valuetext': text,
  });
  meter.append(place(h('i'), { width: `${Math.min(share ?? 0, 1) * 100}%` }));
  return h(
    'div',
    { class: 'budget' },
    h('span', { class: 'name' }, name, h('span', { class: 'hint' }, [window, service].filter(Boolean).join(' · '))),
    h('span', { class: 'number' }, text, h('span', { class: `share ${level}` }, formatShare(share))),
    meter,
  );
}
