import { asArray, asObject } from '../../../json.ts';
import { readSpan, type SpanView } from './answers.ts';
import { getJson } from './api.ts';
import { button, h, icon, on } from './dom.ts';
import { formatAmount, formatCost, formatCount, formatDuration, formatInstant } from './format.ts';
import { failure, needsKey, placeholder } from './notice.ts';
import type { Route } from './route.ts';
import { renderDetails } from './span-details.ts';
import { layOut, summaryOf } from './span-tree.ts';
import type { Shell, View } from './view.ts';
import { createWaterfall } from './waterfall.ts';

type TraceRoute = Route & { view: 'trace' };

/** Spans that are drawn; the others are counted. */
const maxSpans = 2000;
const reloadMs = 500;

export interface TraceView extends View<TraceRoute> {
  /** More of this trace has come. */
  touch(traceId: string): void;
}

/** One trace: its sums, its spans as a waterfall, and all of the chosen span. `back` leads to the list. */
export function createTraceView(shell: Shell, back: () => void): TraceView {
  let route: TraceRoute | undefined;
  let spans: readonly SpanView[] = [];
  let start = 0;
  let service = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  let request = new AbortController();

  const title = h('h1', { class: 'name', tabindex: -1 });
  const facts = h('div', { class: 'facts' });
  const message = h('div', {});
  const details = h('aside', { class: 'card details', 'aria-label': 'Span', hidden: true });
  const waterfall = createWaterfall(() => service, choose);
  const wide = h('div', { class: 'card waterfall-card' }, waterfall.element);
  const body = h('div', { class: 'trace-body', hidden: true }, wide, details);
  const link = button('', back, { class: 'icon-button', 'aria-label': 'Back to the traces', title: 'Back (Esc)' });
  link.append(icon('back'));
  const head = h('header', { class: 'trace-head' }, link, title);
  const element = h('section', { class: 'trace', 'aria-label': 'Trace' }, head, facts, message, body);
  on(details, 'keydown', (event) => {
    // Keys that scroll a text belong to the text.
    if (/^Arrow|^Page|^Home$|^End$/.test(event.key)) event.stopPropagation();
  });

  async function load(id: string): Promise<void> {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    try {
      const answer = asObject(await getJson(`v1/traces/${id}?costs=true`, signal));
      if (signal.aborted) return;
      const read = asArray(answer?.spans).map(readSpan);
      spans = read.filter((span) => span !== undefined);
      message.replaceChildren();
      render(id);
    } catch (error) {
      if (signal.aborted) return;
      const key = button('Enter a key', shell.askForKey, { class: 'button primary' });
      const again = button('Try again', () => load(id));
      message.replaceChildren(failure(error, ...(needsKey(error) ? [key] : []), again));
      if (spans.length === 0) title.textContent = 'Trace';
    }
  }

  function render(id: string): void {
    if (spans.length === 0) {
      body.hidden = true;
      message.replaceChildren(failure(new Error('This trace has no spans.')));
      return;
    }
    const summary = summaryOf(id, spans);
    ({ start, service } = summary);
    title.textContent = summary.name;
    document.title = `${summary.name} · edgespan`;
    const failed = spans.filter((span) => span.failed).length;
    const shown = layOut(spans).slice(0, maxSpans);
    facts.replaceChildren(
      ...fact('Started', formatInstant(summary.start)),
      ...fact('Duration', formatDuration(summary.durationMs)),
      ...fact('Spans', shown.length < spans.length ? `${shown.length} of ${spans.length}` : formatCount(spans.length)),
      ...fact('Errors', failed > 0 ? formatCount(failed) : '0', failed > 0 ? 'failed-mark' : ''),
      ...fact('Tokens', formatCount(summary.tokens)),
      ...fact('Cost', formatCost(summary.costUsd)),
      ...fact('Services', [...new Set(spans.map((span) => span.service))].join(', ')),
      ...(summary.models.length > 0 ? fact('Models', summary.models.join(', ')) : []),
      ...fact('Trace id', id, 'mono'),
    );
    facts.setAttribute('aria-label', `${formatAmount(spans.length, 'span')}, ${formatDuration(summary.durationMs)}`);
    body.hidden = false;
    waterfall.show(shown);
    waterfall.select(route?.span);
    if (!route?.span) closeDetails();
  }

  function choose(id: string): void {
    const span = spans.find((candidate) => candidate.id === id);
    if (!span || !route) return;
    const isNew = details.hidden || details.dataset.span !== id;
    if (route.span !== id) {
      route = { ...route, span: id };
      shell.go(route, true);
    }
    if (isNew) details.scrollTop = 0;
    details.hidden = false;
    details.dataset.span = id;
    details.replaceChildren(...renderDetails(span, start, leaveDetails));
    body.classList.add('detailed');
  }

  function enter(): void {
    const row = document.activeElement as HTMLElement | null;
    if (row?.dataset.id) waterfall.select(row.dataset.id);
    details.querySelector('h2')?.focus();
  }

  function closeDetails(): void {
    details.hidden = true;
    body.classList.remove('detailed');
  }

  function leaveDetails(): void {
    if (!route) return;
    const { span, ...rest } = route;
    closeDetails();
    waterfall.select(undefined);
    route = rest;
    shell.go(route, true);
    (wide.querySelector(`[data-id="${span}"]`) as HTMLElement | null)?.focus();
  }

  return {
    element,
    title: () => title.textContent || 'Trace',
    touch(traceId) {
      if (route?.id === traceId) timer ??= setTimeout(reload, reloadMs);
    },
    show(next) {
      const isOther = route?.id !== next.id;
      const isOtherSpan = route?.span !== next.span;
      route = next;
      if (!isOther && isOtherSpan && next.span) waterfall.select(next.span);
      if (!isOther) return;
      spans = [];
      title.textContent = '';
      facts.replaceChildren();
      body.hidden = true;
      closeDetails();
      message.replaceChildren(placeholder('Loading the trace', 8));
      scrollTo({ top: 0 });
      title.focus({ preventScroll: true });
      void load(next.id);
    },
    hide() {
      request.abort();
      clearTimeout(timer);
      timer = undefined;
      route = undefined;
    },
    press(key) {
      const inTree = wide.contains(document.activeElement);
      if (key === 'j' || (inTree && key === 'ArrowDown')) waterfall.move(1);
      else if (key === 'k' || (inTree && key === 'ArrowUp')) waterfall.move(-1);
      else if (inTree && key === 'ArrowLeft') waterfall.fold(true);
      else if (inTree && key === 'ArrowRight') waterfall.fold(false);
      else if (inTree && key === 'Enter') enter();
      else if (key === 'Escape' && details.hidden) back();
      else if (key === 'Escape') leaveDetails();
      else return false;
      return true;
    },
  };

  function reload(): void {
    timer = undefined;
    if (route) void load(route.id);
  }
}

function fact(label: string, value: string, style = ''): HTMLElement[] {
  return [h('div', {}, h('span', { class: 'hint' }, label), h('span', { class: style }, value))];
}
