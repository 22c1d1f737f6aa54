import { type SpanView, tokensOf } from './answers.ts';
import { h, icon, on, place } from './dom.ts';
import { formatCost, formatCount, formatDuration } from './format.ts';
import { type SpanRow, ticks, visibleRows } from './span-tree.ts';

export const typeNames: Readonly<Record<SpanView['type'], string>> = {
  llm: 'model',
  agent: 'agent',
  tool: 'tool',
  retrieval: 'search',
  other: 'span',
};

export interface Waterfall {
  readonly element: HTMLElement;
  /** Shows these spans; what is folded and chosen stays so. */
  show(rows: readonly SpanRow[]): void;
  select(id: string | undefined, focus?: boolean): void;
  move(by: 1 | -1): void;
  /** Folds or unfolds the chosen span; an arrow on what can't goes to its parent or first child. */
  fold(wish: boolean): void;
}

/** Spans as a tree beside their times. `choose` hears of each span that becomes the chosen one. */
export function createWaterfall(service: () => string, choose: (id: string) => void): Waterfall {
  const axis = h('div', { class: 'axis', 'aria-hidden': 'true' });
  const tree = h('div', { class: 'spans', role: 'tree', 'aria-label': 'Spans' });
  const head = h(
    'div',
    { class: 'span-row span-head', 'aria-hidden': 'true' },
    ...[h('span', {}, 'Span'), h('span', { class: 'number' }, 'Tokens'), h('span', { class: 'number' }, 'Cost'), axis],
  );
  const folded = new Set<string>();
  let all: readonly SpanRow[] = [];
  let chosen: string | undefined;
  const visible = () => visibleRows(all, folded);
  const elementOf = (id: string | undefined) =>
    [...tree.children].find((row) => (row as HTMLElement).dataset.id === id);

  function render(): void {
    const start = Math.min(...all.map(({ span }) => span.start));
    const total = Math.max(...all.map(({ span }) => span.end)) - start;
    axis.replaceChildren(
      ...ticks(total, 5)
        .filter((ms) => ms <= total * 0.94)
        .map((ms) => place(h('span', {}, formatDuration(ms)), { left: percent(ms, total) })),
    );
    tree.replaceChildren(...visible().map((row) => renderRow(row, start, total)));
    mark();
  }

  function mark(): void {
    const rows = [...tree.children] as HTMLElement[];
    const current = rows.find((row) => row.dataset.id === chosen) ?? rows[0];
    for (const row of rows) {
      row.setAttribute('aria-selected', String(row.dataset.id === chosen));
      row.tabIndex = row === current ? 0 : -1;
    }
  }

  function renderRow({ span, depth, inside, failedInside }: SpanRow, start: number, total: number): HTMLElement {
    const isFolded = folded.has(span.id);
    const hidesFailure = isFolded && failedInside;
    const toggle = on(h('span', { class: 'fold' }, inside > 0 && icon('chevron')), 'click', (event) => {
      event.stopPropagation();
      setFolded(span.id, !isFolded);
    });
    const name = h(
      'span',
      { class: 'span-name' },
      toggle,
      h('span', { class: `type ${span.type}` }, typeNames[span.type]),
      h('span', { class: 'name' }, span.name),
      span.service !== service() && h('span', { class: 'hint' }, span.service),
      isFolded && h('span', { class: 'hint' }, `+${inside}`),
      (span.failed || hidesFailure) && h('span', { class: 'failed-mark' }, span.failed ? 'error' : 'error inside'),
    );
    place(name, { '--depth': String(Math.min(depth, 12)) });
    const row = h(
      'div',
      {
        class: `span-row${span.failed ? ' failed' : ''}`,
        role: 'treeitem',
        'aria-level': depth + 1,
        'aria-expanded': inside > 0 ? String(!isFolded) : undefined,
        'aria-label': labelOf(span),
        'data-id': span.id,
      },
      name,
      h('span', { class: 'number' }, span.type === 'llm' ? formatCount(tokensOf(span.usage)) : ''),
      h('span', { class: 'number' }, span.type === 'llm' ? formatCost(span.costUsd) : ''),
      renderBar(span, start, total),
    );
    return on(row, 'click', () => select(span.id, true));
  }

  function select(id: string | undefined, focus = false): void {
    const found = all.find(({ span }) => span.id === id);
    chosen = found?.span.id;
    if (found && !elementOf(chosen)) {
      folded.clear();
      render();
    }
    mark();
    const element = elementOf(chosen) as HTMLElement | undefined;
    if (focus) element?.focus({ preventScroll: true });
    if (focus) element?.scrollIntoView({ block: 'nearest' });
    if (found) choose(found.span.id);
  }

  function setFolded(id: string, wish: boolean): void {
    if (wish) folded.add(id);
    else folded.delete(id);
    const hadFocus = tree.contains(document.activeElement);
    render();
    if (hadFocus) (elementOf(chosen ?? id) as HTMLElement | undefined)?.focus({ preventScroll: true });
  }

  return {
    element: h('div', { class: 'waterfall' }, head, tree),
    show(rows) {
      all = rows;
      render();
    },
    select,
    move(by) {
      const rows = visible();
      const at = rows.findIndex(({ span }) => span.id === chosen);
      const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
      select(next?.span.id, true);
    },
    fold(wish) {
      const rows = visible();
      const at = rows.findIndex(({ span }) => span.id === chosen);
      const row = rows[at];
      if (!row) return;
      if (row.inside > 0 && folded.has(row.span.id) !== wish) setFolded(row.span.id, wish);
      else if (wish) select(rows.slice(0, at).findLast(({ depth }) => depth < row.depth)?.span.id ?? row.span.id, true);
      else if (row.inside > 0) select(rows[at + 1]?.span.id, true);
    },
  };
}

/** When it ran; of a stream, its wait for the first token is lighter than what follows. */
function renderBar({ type, start, end, firstTokenMs }: SpanView, traceStart: number, total: number): HTMLElement {
  const [offset, length] = [start - traceStart, end - start];
  const bar = h('span', { class: `bar-line ${type}` });
  place(bar, { left: percent(offset, total), width: percent(length, total) });
  if (firstTokenMs !== undefined && firstTokenMs <= length) {
    const title = `first token after ${formatDuration(firstTokenMs)}`;
    place(bar, { '--first': percent(firstTokenMs, length) });
    bar.classList.add('streamed');
    bar.append(h('i', { class: 'first-token', title }));
  }
  const label = h('span', { class: 'bar-label' }, formatDuration(length));
  place(label, { left: percent(offset + length, total) });
  return h('span', { class: 'bar-cell' }, bar, label);
}

function percent(part: number, whole: number): string {
  return whole > 0 ? `${((part / whole) * 100).toFixed(3)}%` : '0%';
}

function labelOf(span: SpanView): string {
  const { type, name, failed, start, end, costUsd, firstTokenMs } = span;
  const tokens = tokensOf(span.usage);
  return [
    `${typeNames[type]} ${name}`,
    formatDuration(end - start),
    failed && 'failed',
    firstTokenMs !== undefined && `first token after ${formatDuration(firstTokenMs)}`,
    tokens !== undefined && `${formatCount(tokens)} tokens`,
    costUsd !== undefined && formatCost(costUsd),
  ]
    .filter(Boolean)
    .join(', ');
}
