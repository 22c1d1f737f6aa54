/**
 * A panel of Grafana without its place.
 * https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/
 */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly Target[];
  readonly [setting: string]: unknown;
}

/** A panel with the columns (of 24) and rows of the grid that it takes. */
export interface Sized {
  readonly panel: Panel;
  readonly w: number;
  readonly h: number;
}

/** A query, and how it is asked. */
export interface Target {
  readonly expr: string;
  readonly legendFormat?: string;
  readonly format?: 'table' | 'heatmap';
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly exemplar?: boolean;
}

/** Value from which a colour holds; below the first it is green, unless that is `-Infinity`. */
export type Step = readonly [from: number, color: string];

/** What most types of panels may be told. */
export interface Common {
  readonly unit: string;
  readonly steps?: readonly Step[];
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** Shown where Prometheus has nothing: `0` where a counter that is not there has counted nothing. */
  readonly noValue?: string;
  readonly w?: number;
  readonly h?: number;
}

/** Whatever the variable `DS` chooses. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
export const datasource = { type: 'prometheus', uid: '${DS}' };
/** Names of a panel's queries. */
export const refs = 'ABCDEFGH';

export function sized(w: number, h: number, size: Pick<Common, 'w' | 'h'>, panel: Panel): Sized {
  return { panel, w: size.w ?? w, h: size.h ?? h };
}

export function base(type: string, title: string, description: string, targets: readonly Target[]): Panel {
  return {
    type,
    title,
    description,
    datasource,
    targets: targets.map((target, i) => ({ refId: refs[i]!, datasource, editorMode: 'code', ...target })),
  };
}

export function defaults({ unit, steps = [], decimals, min, max, noValue }: Common): Record<string, unknown> {
  return {
    unit,
    ...(decimals !== undefined && { decimals }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(noValue !== undefined && { noValue }),
    color: { mode: 'thresholds' },
    thresholds: {
      mode: 'absolute',
      // JSON writes -Infinity as null, which is Grafana's word for it too.
      steps: (steps[0]?.[0] === -Infinity ? steps : [[-Infinity, 'green'] as const, ...steps]).map(
        ([value, color]) => ({
          value,
          color,
        }),
      ),
    },
  };
}
