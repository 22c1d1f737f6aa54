import { asArray, asObject, asString, parseJson } from '../../../json.ts';
import { matches } from '../../summary.ts';
import type { TraceSummary } from '../../trace-store.ts';
import { readSummary } from './answers.ts';
import { getJson } from './api.ts';
import { button, h } from './dom.ts';
import { createFilters } from './filters.ts';
import { formatAmount } from './format.ts';
import { failure, needsKey, notice, placeholder } from './notice.ts';
import { type Filters, filterParams, type Route } from './route.ts';
import { createTraceTable } from './trace-table.ts';
import type { Shell, View } from './view.ts';

const pageSize = 50;
/** Rows; of more the oldest leave. */
const maxRows = 500;
const reloadMs = 1000;

export interface TraceList extends View<Route & { view: 'traces' }> {
  /** Takes the data of an event of the live feed. Answers the trace's id. */
  arrive(data: string): string | undefined;
  reload(): void;
}

/** Traces, newest first, and those that arrive while one looks. */
export function createTraceList(shell: Shell): TraceList {
  const traces = new Map<string, TraceSummary>();
  /** Arrived while paused. */
  const held = new Map<string, TraceSummary>();
  let filters: Filters = {};
  let cursor: string | undefined;
  let loaded = false;
  let paused = false;
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let request = new AbortController();
  let scroll = 0;
  let lastOpened: string | undefined;

  const table = createTraceTable(Date.now);
  const bar = createFilters((wish) => shell.go({ view: 'traces', filters: wish }, true));
  const pause = button('Pause', togglePause, { class: 'button pause', 'aria-pressed': 'false', title: 'Arrivals (l)' });
  const count = h('span', { class: 'hint', role: 'status' });
  const message = h('div', {});
  const older = button('Older traces', () => load(cursor), { hidden: true });
  const element = h(
    'section',
    { class: 'list empty', 'aria-label': 'Traces' },
    h('div', { class: 'list-head' }, bar.element, h('div', { class: 'list-side' }, count, pause)),
    message,
    h('div', { class: 'card list-card' }, table.element),
    h('div', { class: 'actions list-foot' }, older),
  );

  async function load(after?: string): Promise<void> {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    if (!loaded) message.replaceChildren(placeholder('Loading traces', 8));
    try {
      const params = filterParams(filters);
      params.set('limit', String(pageSize));
      if (after) params.set('cursor', after);
      const answer = asObject(await getJson(`v1/traces?${params}`, signal));
      if (signal.aborted) return;
      if (!after) traces.clear();
      if (!after) held.clear();
      for (const item of asArray(answer?.traces)) add(traces, readSummary(item));
      cursor = asString(answer?.cursor);
      loaded = true;
      message.replaceChildren();
      render();
      count.textContent = formatAmount(traces.size, 'trace');
    } catch (error) {
      if (signal.aborted) return;
      const again = button('Try again', () => load(after));
      const key = button('Enter a key', shell.askForKey, { class: 'button primary' });
      message.replaceChildren(failure(error, ...(needsKey(error) ? [key] : []), again));
      if (needsKey(error)) traces.clear();
      render();
    }
  }

  function add(to: Map<string, TraceSummary>, trace: TraceSummary | undefined): void {
    if (!trace) return;
    bar.offer([trace.service], trace.models);
    to.set(trace.traceId, trace);
  }

  function render(): void {
    cancelAnimationFrame(frame);
    frame = 0;
    const newest = [...traces.values()].sort((a, b) => b.start - a.start || (a.traceId < b.traceId ? 1 : -1));
    for (const { traceId } of newest.splice(maxRows)) traces.delete(traceId);
    table.show(newest);
    element.classList.toggle('empty', newest.length === 0);
    older.hidden = !cursor || newest.length >= maxRows;
    const isEmpty = loaded && newest.length === 0 && !message.querySelector('.failed');
    if (isEmpty) message.replaceChildren(Object.keys(filters).length > 0 ? noMatch() : noTraces());
    else if (loaded && newest.length > 0 && !message.querySelector('.failed')) message.replaceChildren();
    const isNew = held.size > 0;
    pause.textContent = paused ? `Resume${isNew ? ` (${held.size} new)` : ''}` : 'Pause';
    pause.setAttribute('aria-pressed', String(paused));
    pause.classList.toggle('primary', isNew);
  }

  function noMatch(): HTMLElement {
    const clear = button('Clear the filters', () => shell.go({ view: 'traces', filters: {} }, true));
    return notice('No trace matches', 'None that is kept has all of this.', clear);
  }

  function arrive(data: string): string | undefined {
    const trace = readSummary(parseJson(data));
    if (!trace) return undefined;
    const { service, ...others } = filters;
    const isWanted = matches(others, trace, new Set());
    if (isWanted && service !== undefined && service !== trace.service) {
      // It may have a span of that service, which its summary does not say.
      timer ??= setTimeout(reload, reloadMs);
    } else if (isWanted) {
      add(paused ? held : traces, trace);
      if (held.size > maxRows) held.delete(held.keys().next().value!);
    } else if (!paused) traces.delete(trace.traceId);
    if (loaded) frame ||= requestAnimationFrame(render);
    return trace.traceId;
  }

  function reload(): void {
    clearTimeout(timer);
    timer = undefined;
    if (!paused) void load();
  }

  function togglePause(): void {
    paused = !paused;
    if (!paused) for (const trace of held.values()) add(traces, trace);
    if (!paused) held.clear();
    render();
  }

  return {
    element,
    title: () => 'Traces',
    arrive,
    reload,
    show(route) {
      const isSame = loaded && JSON.stringify(route.filters) === JSON.stringify(filters);
      filters = route.filters;
      bar.set(filters);
      if (!isSame) void load();
      if (lastOpened) {
        scrollTo({ top: scroll });
        table.focus(lastOpened);
      }
      lastOpened = undefined;
    },
    hide() {
      scroll = scrollY;
      lastOpened = (document.activeElement?.closest('tr') as HTMLElement | null)?.dataset.id;
    },
    press(key) {
      if (key === 'j') table.move(1);
      else if (key === 'k') table.move(-1);
      else if (key === '/') bar.focus();
      else if (key === 'l') togglePause();
      else if (key === 'Escape' && Object.keys(filters).length > 0) shell.go({ view: 'traces', filters: {} }, true);
      else return false;
      return true;
    },
  };
}

function noTraces(): HTMLElement {
  const endpoint = new URL('.', import.meta.url).href.replace(/\/$/, '');
  const element = notice('No traces yet', 'They appear here as they arrive. Send them by OTLP over HTTP to');
  element.append(h('pre', { class: 'block' }, `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`));
  return element;
}
