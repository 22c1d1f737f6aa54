import type { TraceQuery } from '../../trace-store.ts';

/** What the list is narrowed to. */
export type Filters = Pick<TraceQuery, 'service' | 'model' | 'status' | 'minDurationMs' | 'minCostUsd'>;

export const groupings = ['model', 'provider', 'agent', 'service'] as const;
export type Grouping = (typeof groupings)[number];
/** Minutes back from now. */
export const windows = [15, 60, 360, 1440] as const;
export const percentiles = ['p50', 'p95', 'p99'] as const;
export type Percentile = (typeof percentiles)[number];

export type Route =
  | { readonly view: 'traces'; readonly filters: Filters }
  | { readonly view: 'trace'; readonly id: string; readonly span?: string }
  | ChartsRoute;

export interface ChartsRoute {
  readonly view: 'charts';
  readonly by: Grouping;
  readonly minutes: number;
  readonly percentile: Percentile;
}

/** What an address says, so that a view can be shared; what it says wrongly counts as not said. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const params = new URLSearchParams(query);
  const [view, id] = path.split('/');
  if (view === 'trace' && id && /^[\da-f]{32}$/i.test(id)) {
    const span = params.get('span');
    return { view, id: id.toLowerCase(), ...(span && /^[\da-f]{16}$/i.test(span) && { span: span.toLowerCase() }) };
  }
  if (view === 'charts') {
    return {
      view,
      by: groupings.find((by) => by === params.get('by')) ?? 'model',
      minutes: windows.find((minutes) => String(minutes) === params.get('window')) ?? 60,
      percentile: percentiles.find((name) => name === params.get('latency')) ?? 'p95',
    };
  }
  return { view: 'traces', filters: parseFilters(params) };
}

export function formatRoute(route: Route): string {
  switch (route.view) {
    case 'trace':
      return `#/trace/${route.id}${route.span ? `?span=${route.span}` : ''}`;
    case 'charts':
      return `#/charts?by=${route.by}&window=${route.minutes}&latency=${route.percentile}`;
    default: {
      const query = filterParams(route.filters).toString();
      return `#/traces${query && `?${query}`}`;
    }
  }
}

function parseFilters(params: URLSearchParams): Filters {
  const text = (name: string) => params.get(name)?.trim() || undefined;
  const status = params.get('status');
  return known({
    service: text('service'),
    model: text('model'),
    status: status === 'ok' || status === 'error' ? status : undefined,
    minDurationMs: amount(text('min_duration_ms')),
    minCostUsd: amount(text('min_cost_usd')),
  });
}

/** In the words of `GET /v1/traces`. */
export function filterParams({ service, model, status, minDurationMs, minCostUsd }: Filters): URLSearchParams {
  const words = { service, model, status, min_duration_ms: minDurationMs, min_cost_usd: minCostUsd };
  return new URLSearchParams(Object.entries(known(words)).map(([name, value]) => [name, String(value)]));
}

/** A number from 0 up; anything else is none. */
export function amount(text: string | undefined): number | undefined {
  const value = Number(text || Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is `undefined`. */
export function known<T extends object>(given: T): Known<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Known<T>;
}
