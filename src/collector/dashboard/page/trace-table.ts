import type { TraceSummary } from '../../trace-store.ts';
import { h, on, place } from './dom.ts';
import { formatAmount, formatCost, formatCount, formatDuration, formatInstant, formatTime } from './format.ts';
import { formatRoute } from './route.ts';

export interface TraceTable {
  readonly element: HTMLElement;
  /** Shows these, newest first. Rows that stay keep their element, so that the focus stays where it is. */
  show(traces: readonly TraceSummary[]): void;
  /** Moves the focus from row to row. */
  move(by: 1 | -1): void;
  focus(traceId: string): void;
}

const columns: readonly (readonly [string, string])[] = [
  ['Time', 'time'],
  ['Trace', 'what'],
  ['Service', 'service'],
  ['Models', 'models'],
  ['Spans', 'number count'],
  ['Tokens', 'number tokens'],
  ['Cost', 'number cost'],
  ['Duration', 'number duration'],
];

interface Row {
  readonly element: HTMLTableRowElement;
  trace: TraceSummary;
}

export function createTraceTable(now: () => number): TraceTable {
  const rows = new Map<string, Row>();
  const body = h('tbody', { role: 'rowgroup' });
  const heads = columns.map(([label, name]) => h('th', { class: name, scope: 'col', role: 'columnheader' }, label));
  const head = h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...heads));
  let last: string | undefined;
  on(body, 'focusin', (event) => {
    last = (event.target as HTMLElement).closest('tr')?.dataset.id;
  });

  function rowOf(trace: TraceSummary): HTMLTableRowElement {
    const known = rows.get(trace.traceId);
    if (known?.trace === trace) return known.element;
    const element = known?.element ?? h('tr', { role: 'row', 'data-id': trace.traceId });
    const hadFocus = element.contains(document.activeElement);
    element.classList.toggle('failed', trace.status === 'error');
    element.replaceChildren(...cells(trace, now()));
    if (hadFocus) element.querySelector('a')?.focus({ preventScroll: true });
    rows.set(trace.traceId, { element, trace });
    return element;
  }

  return {
    element: h('table', { class: 'traces', role: 'table', 'aria-label': 'Traces' }, head, body),
    show(traces) {
      const ids = new Set(traces.map(({ traceId }) => traceId));
      for (const [id, { element }] of rows) {
        if (ids.has(id)) continue;
        element.remove();
        rows.delete(id);
      }
      const usual = usualDuration(traces);
      let next = body.firstElementChild;
      for (const trace of traces) {
        const row = rowOf(trace);
        place(row, { '--share': Math.min(1, trace.durationMs / usual).toFixed(4) });
        if (row === next) next = next.nextElementSibling;
        else body.insertBefore(row, next);
      }
    },
    move(by) {
      const links = [...body.querySelectorAll('a')];
      const at = links.findIndex((link) => link.closest('tr')!.dataset.id === last);
      const link = links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)];
      link?.focus({ preventScroll: true });
      link?.closest('tr')?.scrollIntoView({ block: 'nearest' });
    },
    focus: (traceId) => rows.get(traceId)?.element.querySelector('a')?.focus({ preventScroll: true }),
  };
}

/** Nine of ten traces take no longer, so that one that does leaves the others' bars as they are. */
function usualDuration(traces: readonly TraceSummary[]): number {
  const sorted = traces.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return Math.max(1, sorted[Math.floor((sorted.length - 1) * 0.9)] ?? 1);
}

function cells(trace: TraceSummary, now: number): HTMLElement[] {
  const { traceId, name, service, models, spanCount, tokens, costUsd, durationMs, status, start } = trace;
  const cell = (place: string, ...content: (Node | string | false)[]) =>
    h('td', { class: place, role: 'cell' }, ...content);
  const link = h('a', { href: formatRoute({ view: 'trace', id: traceId }), class: 'name' }, name);
  const named = models.length > 1 ? `${models[0]} +${models.length - 1}` : (models[0] ?? '');
  const model = h('span', { title: models.join(', ') }, named);
  return [
    cell('time', h('time', { title: formatInstant(start) }, formatTime(start, now))),
    cell('what', link, status === 'error' && h('span', { class: 'failed-mark' }, 'error')),
    cell('service', service),
    cell('models', model),
    cell('number count', h('span', { title: formatAmount(spanCount, 'span') }, formatCount(spanCount))),
    cell(
      `number tokens ${tokens === undefined ? 'unknown' : ''}`,
      formatCount(tokens),
      h('span', { class: 'unit' }, ' tokens'),
    ),
    cell(`number cost ${costUsd === undefined ? 'unknown' : ''}`, formatCost(costUsd)),
    cell('number duration', formatDuration(durationMs)),
  ];
}
