import { type Filter, filters } from './families.ts';
import { datasource, type Sized } from './panel.ts';

export interface Board {
  /** File name and `uid`, which links between dashboards go by. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Sized[];
  /** Chosen beside the five that all have. */
  readonly windows?: readonly string[];
}

const columns = 24;

/** A dashboard in Grafana's JSON model. Throws where a variable would choose nothing. */
export function renderBoard({ name, title, description, panels, windows }: Board): Record<string, unknown> {
  const used = JSON.stringify(panels);
  for (const filter of filters) if (!used.includes(`$${filter}`)) throw new Error(`${name} never uses $${filter}`);
  return {
    uid: `edgespan-${name}`,
    title: `edgespan / ${title}`,
    description,
    tags: ['edgespan', 'llm'],
    schemaVersion: 42,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    timepicker: {},
    annotations: { list: [] },
    links: [
      {
        type: 'dashboards',
        title: 'edgespan',
        tags: ['edgespan'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
        icon: 'external link',
        targetBlank: false,
        tooltip: '',
        url: '',
      },
    ],
    templating: {
      list: [datasourceVariable(), ...filters.map(filterVariable), ...(windows ? [windowVariable(windows)] : [])],
    },
    panels: place(panels),
  };
}

/** From left to right, then below. */
function place(panels: readonly Sized[]): object[] {
  let x = 0;
  let y = 0;
  let height = 0;
  return panels.map(({ panel, w, h }, i) => {
    if (x + w > columns) {
      x = 0;
      y += height;
      height = 0;
    }
    const gridPos = { x, y, w, h };
    x += w;
    height = Math.max(height, h);
    return { id: i + 1, gridPos, ...panel };
  });
}

function datasourceVariable(): object {
  return {
    type: 'datasource',
    name: 'DS',
    label: 'Data source',
    query: 'prometheus',
    regex: '',
    refresh: 1,
    hide: 0,
    current: {},
    options: [],
  };
}

/** Values that calls have; what was chosen further left narrows them. */
function filterVariable(name: Filter, at: number): object {
  const before = filters.slice(0, at).map((label) => `${label}=~"$${label}"`);
  const calls = before.length > 0 ? `llm_requests_total{${before}}` : 'llm_requests_total';
  const query = `label_values(${calls}, ${name})`;
  return {
    type: 'query',
    name,
    label: name[0]!.toUpperCase() + name.slice(1),
    datasource,
    definition: query,
    query: { qryType: 1, query, refId: `variable-${name}` },
    refresh: 2,
    sort: 1,
    regex: '',
    hide: 0,
    multi: true,
    includeAll: true,
    // What has no such label counts too.
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
    options: [],
  };
}

function windowVariable(windows: readonly string[]): object {
  const last = windows.at(-1)!;
  return {
    type: 'custom',
    name: 'window',
    label: 'Window',
    description: 'Of budgets and SLOs.',
    query: windows.join(','),
    hide: 0,
    multi: false,
    includeAll: false,
    current: { text: last, value: last },
    options: windows.map((value) => ({ text: value, value, selected: value === last })),
  };
}
