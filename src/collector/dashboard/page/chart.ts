import uPlot from 'uplot';
import { h, place } from './dom.ts';
import { lonely, type Series, stack } from './series.ts';

export interface Line {
  readonly name: string;
  /** Which of the colours, from 1. */
  readonly color: number;
  readonly values: Series;
}

export interface Chart {
  readonly element: HTMLElement;
  show(times: readonly number[], lines: readonly Line[], hint: string): void;
  /** Draws again, in the colours that hold now. */
  redraw(): void;
}

export interface ChartOptions {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly formatAxis: (value: number) => string;
  /** Whether only whole numbers make sense. */
  readonly whole?: boolean;
  /** Amounts that have a sum, as bars on top of each other. */
  readonly stacked?: boolean;
}

const height = 190;
const probe = h('i', { hidden: true });
const wholeSteps = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();
/** Steps that have a bar of their own; more become one outline. */
const maxBars = 120;
/** Share of the time shown that a line goes across though nothing is known of it. */
const bridged = 0.1;

/** Lines over time. All charts of the page show the same moment under the pointer. */
export function createChart({ title, format, formatAxis, whole, stacked = false }: ChartOptions): Chart {
  const hint = h('span', { class: 'hint' });
  const plot = h('div', { class: 'plot', role: 'img', 'aria-label': title });
  const tip = h('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' });
  const nothing = h('p', { class: 'hint plot-empty' }, 'Nothing in this time');
  const frame = h('div', { class: 'plot-frame' }, plot, nothing, tip);
  const element = h('figure', { class: 'card chart' }, h('figcaption', {}, h('h2', {}, title), hint), frame);
  let chart: uPlot | undefined;
  let lines: readonly Line[] = [];

  function create(data: uPlot.AlignedData): void {
    chart?.destroy();
    const { clientWidth: width } = frame;
    chart = new uPlot(options(Math.max(width, 120)), data, plot);
  }

  function options(width: number): uPlot.Options {
    const text = () => cssColor('--muted');
    const axis = { stroke: text, font: '11px system-ui, sans-serif', ticks: { show: false } } as const;
    const grid = { stroke: () => cssColor('--line'), width: 1 } as const;
    return {
      width,
      height,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'charts' },
        drag: { x: false, y: false },
        y: false,
        points: { show: !stacked, size: 7 },
      },
      scales: { x: { range: widen }, y: { range: (_self, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, space: 64, size: 26, values: (_self, splits) => splits.map(clock) },
        {
          ...axis,
          grid,
          size: 56,
          space: 36,
          // A scale of nothing would be made up.
          values: (_self, splits) => splits.map((value) => (nothing.hidden ? formatAxis(value) : '')),
          ...(whole && { incrs: wholeSteps }),
        },
      ],
      series: [{}, ...(stacked ? [...lines].reverse().map(bars) : lines.map(line))],
      hooks: { setCursor: [showTip] },
    };
  }

  function bars({ name, color }: Line, _index: number, all: readonly Line[]): uPlot.Series {
    const isMany = (all[0]?.values.length ?? 0) > maxBars;
    const paths = isMany ? uPlot.paths.stepped!({ align: 1 }) : uPlot.paths.bars!({ size: [0.72, 28] });
    return { label: name, fill: () => cssColor(`--c${color}`), width: 0, paths, points: { show: false } };
  }

  function line({ name, color, values }: Line): uPlot.Series {
    const stroke = () => cssColor(`--c${color}`);
    const reach = Math.max(1, Math.round(values.length * bridged));
    return {
      label: name,
      stroke,
      width: 1.5,
      gaps: (self, _series, _from, _to, gaps) => {
        const step = self.bbox.width / Math.max(1, values.length);
        return gaps.filter(([from, to]) => to - from > reach * step);
      },
      points: { size: 5, fill: stroke, filter: (self, series) => lonely([...self.data[series]!] as Series, reach) },
    };
  }

  function showTip(self: uPlot): void {
    const { idx, left = 0 } = self.cursor;
    const isOver = idx !== null && idx !== undefined && left >= 0 && plot.matches(':hover');
    tip.hidden = !isOver;
    if (!isOver) return;
    const found = lines
      .map(({ name, color, values }) => ({ name, color, value: values[idx] ?? null }))
      .filter(({ value }) => value !== null && !(stacked && value === 0))
      .sort((a, b) => b.value! - a.value!);
    tip.replaceChildren(
      h('div', { class: 'hint' }, clock(self.data[0][idx]!)),
      ...found.map(({ name, color, value }) =>
        h('div', { class: 'tip-line' }, swatch(color), h('span', { class: 'name' }, name), h('b', {}, format(value!))),
      ),
      found.length === 0 ? h('div', {}, 'nothing') : '',
    );
    const at = left + self.over.offsetLeft;
    const isRight = left > self.over.offsetWidth / 2;
    place(tip, {
      left: isRight ? 'auto' : `${at + 12}px`,
      right: isRight ? `${frame.clientWidth - at + 12}px` : 'auto',
    });
  }

  new ResizeObserver(() => {
    const width = frame.clientWidth;
    if (chart && width > 0 && width !== chart.width) chart.setSize({ width, height });
  }).observe(frame);

  return {
    element,
    show(times, next, text) {
      hint.textContent = text;
      const isSame = keyOf(next) === keyOf(lines);
      lines = next;
      const isEmpty = lines.every(({ values }) => values.every((value) => value === null));
      nothing.hidden = !isEmpty;
      plot.setAttribute('aria-label', `${title} ${text}, ${lines.map(({ name }) => name).join(', ') || 'no data'}`);
      const all = lines.map(({ values }) => values);
      const drawn = stacked ? stack(all).reverse() : all;
      const data = [[...times], ...drawn.map((values) => [...values])] as uPlot.AlignedData;
      if (chart && isSame) chart.setData(data);
      else create(data);
    },
    redraw: () => chart?.redraw(false),
  };
}

/** Room for half a bar at both ends. */
function widen(self: uPlot, min: number, max: number): [number, number] {
  const [first = 0, second = first + 60] = self.data[0];
  return [min - (second - first) / 2, max + (second - first) / 2];
}

function keyOf(lines: readonly Line[]): string {
  return lines.map(({ name, color, values }) => `${color} ${values.length} ${name}`).join('\n');
}

export function swatch(color: number): HTMLElement {
  return place(h('i', { class: 'swatch' }), { background: `var(--c${color})` });
}

/** A canvas knows no variables and no `light-dark`, so an element says which colour that comes to. */
function cssColor(name: string): string {
  place(probe, { color: `var(${name})` });
  if (!probe.isConnected) document.body.append(probe);
  return getComputedStyle(probe).color;
}

function clock(seconds: number): string {
  const at = new Date(seconds * 1000);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}
