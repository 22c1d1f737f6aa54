import { getJson } from './api.ts';
import { renderBudgets } from './budgets.ts';
import { createChart, type Line } from './chart.ts';
import { button, h } from './dom.ts';
import {
  formatCompact,
  formatCompactCost,
  formatCost,
  formatCount,
  formatDuration,
  formatShare,
  unknown,
} from './format.ts';
import { renderGroups } from './groups-table.ts';
import { failure, needsKey, placeholder } from './notice.ts';
import { type ChartsRoute, formatRoute, groupings, percentiles, windows } from './route.ts';
import { type Group, knownTotal, type Measure, maxGroups, readStats, type Stats, total } from './series.ts';
import type { Shell, View } from './view.ts';

const refreshMs = 15_000;
const counts = { format: formatCount, formatAxis: formatCompact, whole: true, stacked: true };
const durations = { format: formatDuration, formatAxis: formatDuration };
const costs = { format: formatCost, formatAxis: formatCompactCost, stacked: true };

export interface ChartsView extends View<ChartsRoute> {
  redraw(): void;
}

/** Requests, latency, tokens, cost, errors and budgets over the last minutes. */
export function createChartsView(shell: Shell): ChartsView {
  const charts = {
    requests: createChart({ title: 'Requests', ...counts }),
    latency: createChart({ title: 'Latency', ...durations }),
    ttft_p95_ms: createChart({ title: 'Time to first token', ...durations }),
    tokens: createChart({ title: 'Tokens', ...counts }),
    cost_usd: createChart({ title: 'Cost', ...costs }),
    errors: createChart({ title: 'Errors', ...counts }),
  };
  const hidden = new Set<string>();
  /** A group keeps its colour as long as it is there, whatever its rank. */
  const colors = new Map<string, number>();
  let route: ChartsRoute | undefined;
  let stats: Stats | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let request = new AbortController();

  const controls = h('div', { class: 'controls' });
  const message = h('div', {});
  const tiles = h('div', { class: 'tiles' });
  const grid = h('div', { class: 'chart-grid' }, ...Object.values(charts).map((chart) => chart.element));
  const table = h('div', { class: 'card table-card', role: 'region', 'aria-label': 'Groups', tabindex: 0 });
  const budgets = h('div', {});
  const body = h('div', { class: 'charts-body', hidden: true }, tiles, grid, table, budgets);
  const element = h('section', { class: 'charts', 'aria-label': 'Charts' }, controls, message, body);

  async function load(): Promise<void> {
    if (!route) return;
    request.abort();
    request = new AbortController();
    clearTimeout(timer);
    const { signal } = request;
    try {
      const { by, minutes } = route;
      const next = readStats(await getJson(`v1/stats?by=${by}&window=${minutes}`, signal), minutes);
      if (signal.aborted) return;
      stats = next;
      message.replaceChildren();
      render();
    } catch (error) {
      if (signal.aborted) return;
      const key = button('Enter a key', shell.askForKey, { class: 'button primary' });
      message.replaceChildren(failure(error, ...(needsKey(error) ? [key] : []), button('Try again', load)));
    }
    timer = setTimeout(load, refreshMs);
  }

  function render(): void {
    if (!stats || !route) return;
    const { groups } = stats;
    const { by, percentile } = route;
    body.hidden = false;
    giveColors(colors, groups);
    tiles.replaceChildren(...renderTiles(stats));
    const focused = document.activeElement?.getAttribute('data-group');
    table.hidden = groups.length === 0;
    table.replaceChildren(renderGroups(groups, by[0]!.toUpperCase() + by.slice(1), colors, hidden, toggle));
    const boxes = [...table.querySelectorAll('input')];
    if (focused) boxes.find((box) => box.dataset.group === focused)?.focus({ preventScroll: true });
    budgets.replaceChildren(renderBudgets(stats.budgets));
    const per = stats.stepMs === 60_000 ? 'per minute' : `per ${formatDuration(stats.stepMs)}`;
    draw('requests', 'requests', per);
    draw('latency', `${percentile}_ms`, `${percentile}, ${per}`);
    draw('ttft_p95_ms', 'ttft_p95_ms', `p95, ${per}`);
    draw('tokens', 'tokens', per);
    draw('cost_usd', 'cost_usd', per);
    draw('errors', 'errors', per);
  }

  function draw(chart: keyof typeof charts, measure: Measure, hint: string): void {
    const { times, groups } = stats!;
    const lines: Line[] = groups
      .map(({ name, series }) => ({ name, color: colors.get(name) ?? maxGroups, values: series[measure] }))
      .filter(({ name, values }) => !hidden.has(name) && values.length > 0);
    charts[chart].show(times, lines, hint);
  }

  function toggle(name: string): void {
    if (!hidden.delete(name)) hidden.add(name);
    render();
  }

  function renderControls(current: ChartsRoute): void {
    const focused = controls.contains(document.activeElement)
      ? document.activeElement?.getAttribute('href')
      : undefined;
    controls.replaceChildren(
      choice('By', groupings, current.by, (by) => ({ ...current, by })),
      choice('Window', windows, current.minutes, (minutes) => ({ ...current, minutes }), formatMinutes),
      choice('Latency', percentiles, current.percentile, (percentile) => ({ ...current, percentile })),
    );
    if (focused) [...controls.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
  }

  return {
    element,
    title: () => 'Charts',
    show(next) {
      const isSame = route && route.by === next.by && route.minutes === next.minutes;
      if (route?.by !== next.by) hidden.clear();
      route = next;
      renderControls(next);
      if (!stats) message.replaceChildren(placeholder('Loading the charts', 6));
      if (isSame) render();
      else void load();
    },
    hide() {
      request.abort();
      clearTimeout(timer);
      route = undefined;
    },
    redraw() {
      for (const chart of Object.values(charts)) chart.redraw();
    },
    press: () => false,
  };
}

function choice<T extends string | number>(
  label: string,
  values: readonly T[],
  current: T,
  routeOf: (value: T) => ChartsRoute,
  format: (value: T) => string = String,
): HTMLElement {
  const links = values.map((value) =>
    h(
      'a',
      { href: formatRoute(routeOf(value)), 'aria-current': value === current ? 'true' : undefined },
      format(value),
    ),
  );
  return h(
    'div',
    { class: 'choice', role: 'group', 'aria-label': label },
    h('span', { class: 'hint' }, label),
    ...links,
  );
}

function giveColors(colors: Map<string, number>, groups: readonly Group[]): void {
  const names = new Set(groups.map(({ name }) => name));
  for (const name of colors.keys()) if (!names.has(name)) colors.delete(name);
  for (const { name } of groups) {
    if (colors.has(name)) continue;
    const taken = new Set(colors.values());
    const free = Array.from({ length: maxGroups }, (_, i) => i + 1).find((color) => !taken.has(color));
    colors.set(name, free ?? maxGroups);
  }
}

function formatMinutes(minutes: number): string {
  return minutes < 60 ? `${minutes} min` : `${minutes / 60} h`;
}

function renderTiles({ groups }: Stats): HTMLElement[] {
  const all = (measure: Measure) => groups.reduce((sum, group) => sum + total(group, measure), 0);
  const known = (measure: Measure) => groups.some((group) => knownTotal(group, measure) !== undefined);
  const requests = all('requests');
  const errors = all('errors');
  return [
    tile('Requests', formatCount(requests)),
    tile('Error rate', formatShare(requests > 0 ? errors / requests : undefined), errors > 0),
    tile('Tokens', known('tokens') ? formatCount(all('tokens')) : unknown),
    tile('Cost', known('cost_usd') ? formatCost(all('cost_usd')) : unknown),
  ];
}

function tile(label: string, value: string, isBad = false): HTMLElement {
  return h(
    'div',
    { class: 'card tile' },
    h('span', { class: 'hint' }, label),
    h('b', { class: isBad ? 'bad' : '' }, value),
  );
}
