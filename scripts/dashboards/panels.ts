import { base, type Common, defaults, refs, type Sized, type Step, sized } from './panel.ts';

/** What is bad from the first on, and what from a share on. */
export const anyIsBad: readonly Step[] = [[1e-9, 'orange']];
export const shareIsBad: readonly Step[] = [
  [0.01, 'orange'],
  [0.1, 'red'],
];

/** One figure for the time that is shown. */
export function stat(title: string, description: string, expr: string, options: Common): Sized {
  return sized(4, 4, options, {
    ...base('stat', title, description, [{ expr, instant: true }]),
    fieldConfig: { defaults: defaults(options), overrides: [] },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: options.steps ? 'value' : 'none',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      textMode: 'auto',
      wideLayout: true,
    },
  });
}

/** Pairs of legend and query. */
export type Lines = readonly (readonly [legend: string, expr: string])[];

interface SeriesOptions extends Common {
  readonly stack?: boolean;
  /** Ids of traces on the lines, where the data source stores exemplars. */
  readonly exemplar?: boolean;
}

export function series(title: string, description: string, lines: Lines, options: SeriesOptions): Sized {
  const { stack = false, exemplar = false, steps } = options;
  const custom = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: stack ? 40 : 8,
    showPoints: 'auto',
    spanNulls: false,
    stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: steps ? 'dashed' : 'off' },
  };
  const targets = lines.map(([legendFormat, expr]) => ({
    expr,
    legendFormat,
    range: true,
    ...(exemplar && { exemplar }),
  }));
  return sized(12, 8, options, {
    ...base('timeseries', title, description, targets),
    fieldConfig: {
      defaults: { ...defaults({ min: 0, ...options }), color: { mode: 'palette-classic' }, custom },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['mean', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  });
}

/** Parts of a whole. */
export function pie(title: string, description: string, [legendFormat, expr]: Lines[number], options: Common): Sized {
  return sized(6, 8, options, {
    ...base('piechart', title, description, [{ expr, legendFormat, instant: true }]),
    fieldConfig: { defaults: { ...defaults(options), color: { mode: 'palette-classic' } }, overrides: [] },
    options: {
      pieType: 'donut',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, values: ['value', 'percent'] },
      tooltip: { mode: 'single', sort: 'none' },
    },
  });
}

/** Horizontal bars, the longest first. */
export function bars(title: string, description: string, [legendFormat, expr]: Lines[number], options: Common): Sized {
  return sized(6, 8, options, {
    ...base('bargauge', title, description, [{ expr: `sort_desc(${expr})`, legendFormat, instant: true }]),
    fieldConfig: { defaults: defaults({ min: 0, ...options }), overrides: [] },
    options: {
      displayMode: 'basic',
      orientation: 'horizontal',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showUnfilled: true,
      valueMode: 'color',
    },
  });
}

export interface Column {
  readonly name: string;
  readonly expr: string;
  readonly unit: string;
  readonly decimals?: number;
}

/** One line for each set of labels that all queries are grouped by. */
export function table(
  title: string,
  description: string,
  columns: readonly Column[],
  size: Pick<Common, 'w' | 'h'> = {},
): Sized {
  const renamed = Object.fromEntries(columns.map(({ name }, i) => [`Value #${refs[i]}`, name]));
  return sized(24, 9, size, {
    ...base(
      'table',
      title,
      description,
      columns.map(({ expr }) => ({ expr, format: 'table', instant: true })),
    ),
    fieldConfig: {
      defaults: { custom: { align: 'auto', filterable: true } },
      overrides: columns.map(({ name, unit, decimals }) => ({
        matcher: { id: 'byName', options: name },
        properties: [
          { id: 'unit', value: unit },
          ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
        ],
      })),
    },
    options: { showHeader: true, cellHeight: 'sm', sortBy: [{ displayName: columns[0]!.name, desc: true }] },
    transformations: [
      { id: 'merge', options: {} },
      { id: 'organize', options: { excludeByName: { Time: true }, renameByName: renamed } },
    ],
  });
}

/** Of a histogram's buckets, over time. */
export function heatmap(title: string, description: string, expr: string, unit: string): Sized {
  return sized(
    12,
    9,
    {},
    {
      ...base('heatmap', title, description, [{ expr, legendFormat: '{{le}}', format: 'heatmap', range: true }]),
      fieldConfig: { defaults: {}, overrides: [] },
      options: {
        calculate: false,
        color: { mode: 'scheme', scheme: 'Turbo', steps: 64, exponent: 0.5, fill: 'dark-orange' },
        cellGap: 1,
        yAxis: { axisPlacement: 'left', unit },
        rowsFrame: { layout: 'auto' },
        legend: { show: true },
        tooltip: { mode: 'single', yHistogram: true },
      },
    },
  );
}

/** A heading over those that follow. */
export function row(title: string): Sized {
  return { panel: { type: 'row', title, collapsed: false, panels: [] }, w: 24, h: 1 };
}
