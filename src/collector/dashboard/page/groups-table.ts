import { swatch } from './chart.ts';
import { h, on } from './dom.ts';
import { formatCost, formatCount, formatDuration, formatShare } from './format.ts';
import { type Group, knownTotal, type Measure, maxGroups, peak, total } from './series.ts';

/**
 * The figures behind the charts, for those who can't see them too, and which groups are drawn. `toggle` is told the name.
 */
export function renderGroups(
  groups: readonly Group[],
  what: string,
  colors: ReadonlyMap<string, number>,
  hidden: ReadonlySet<string>,
  toggle: (name: string) => void,
): HTMLElement {
  const heads = [what, 'Requests', 'Errors', 'Error rate', 'Tokens', 'Cost', 'Slowest p95', 'Slowest first token'];
  return h(
    'table',
    { class: 'groups' },
    h('caption', { class: 'sr-only' }, `Sums of the time shown by ${what}; percentiles of its slowest minute`),
    h(
      'thead',
      {},
      h('tr', {}, ...heads.map((label, i) => h('th', { scope: 'col', class: i > 0 ? 'number' : '' }, label))),
    ),
    h(
      'tbody',
      {},
      ...groups.map((group) =>
        renderGroup(group, colors.get(group.name) ?? maxGroups, !hidden.has(group.name), toggle),
      ),
    ),
  );
}

function renderGroup(group: Group, color: number, isShown: boolean, toggle: (name: string) => void): HTMLElement {
  const { name } = group;
  const box = h('input', { type: 'checkbox', 'data-group': name });
  box.checked = isShown;
  on(box, 'change', () => toggle(name));
  const requests = total(group, 'requests');
  const errors = total(group, 'errors');
  const duration = (measure: Measure) => formatDuration(peak(group, measure));
  const cells = [
    ...[formatCount(requests), formatCount(errors), formatShare(requests > 0 ? errors / requests : undefined)],
    ...[formatCount(knownTotal(group, 'tokens')), formatCost(knownTotal(group, 'cost_usd'))],
    ...[duration('p95_ms'), duration('ttft_p95_ms')],
  ];
  return h(
    'tr',
    { class: isShown ? '' : 'off' },
    h('th', { scope: 'row' }, h('label', { class: 'group' }, box, swatch(color), h('span', { class: 'name' }, name))),
    ...cells.map((text) => h('td', { class: 'number' }, text)),
  );
}
