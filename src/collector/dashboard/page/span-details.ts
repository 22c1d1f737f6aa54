import type { Json } from '../../../json.ts';
import type { SpanView } from './answers.ts';
import { type Piece, pretty, readCaptured, type Said } from './conversation.ts';
import { button, h, icon } from './dom.ts';
import { formatCost, formatCount, formatDuration, formatInstant } from './format.ts';
import { typeNames } from './waterfall.ts';

/** All that is known of one span, what was said first. */
export function renderDetails(span: SpanView, traceStart: number, close: () => void): HTMLElement[] {
  const { messages, values, read } = readCaptured(span.attributes);
  const rest = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => !read.has(name)));
  const closer = button('', close, { class: 'icon-button', 'aria-label': 'Close the details', title: 'Close (Esc)' });
  closer.append(icon('close'));
  return [
    h(
      'header',
      { class: 'details-head' },
      h('span', { class: `type ${span.type}` }, typeNames[span.type]),
      h('h2', { class: 'name', tabindex: -1 }, span.name),
      closer,
    ),
    ...(span.failed ? [renderFailure(span)] : []),
    renderFigures(span, traceStart),
    ...section('Conversation', messages.map(renderSaid)),
    ...values.flatMap(({ label, text }) => section(label, [block(text)])),
    ...section(
      'Events',
      span.events.map((event) => renderEvent(event, span.start)),
    ),
    ...section('Links', span.links.map(renderLink)),
    ...section('Attributes', [renderTable(rest)]),
    h('details', { class: 'section' }, h('summary', {}, 'Resource and scope'), renderResource(span)),
  ];
}

function section(title: string, content: readonly (HTMLElement | undefined)[]): HTMLElement[] {
  const shown = content.filter((element) => element !== undefined);
  return shown.length > 0 ? [h('section', { class: 'section' }, h('h3', {}, title), ...shown)] : [];
}

function renderFailure({ message, attributes }: SpanView): HTMLElement {
  const type = attributes['error.type'];
  return h(
    'p',
    { class: 'failure' },
    h('strong', {}, type === undefined ? 'Error' : pretty(type)),
    message !== undefined && h('span', {}, message),
  );
}

function renderFigures(span: SpanView, traceStart: number): HTMLElement {
  const { usage, costUsd, firstTokenMs, type } = span;
  const isCall = type === 'llm' || usage.input !== undefined || costUsd !== undefined;
  const figures: [string, string | undefined][] = [
    ['Duration', formatDuration(span.end - span.start)],
    ['Start', `+${formatDuration(span.start - traceStart)}`],
    ['First token', firstTokenMs === undefined ? undefined : formatDuration(firstTokenMs)],
    ['Model', span.model],
    ['Provider', span.provider],
    ['Input tokens', isCall ? formatCount(usage.input) : undefined],
    ['Output tokens', isCall ? formatCount(usage.output) : undefined],
    ['Cache read', usage.cacheRead === undefined ? undefined : formatCount(usage.cacheRead)],
    ['Cache write', usage.cacheWrite === undefined ? undefined : formatCount(usage.cacheWrite)],
    ['Reasoning', usage.reasoning === undefined ? undefined : formatCount(usage.reasoning)],
    ['Cost', isCall ? formatCost(costUsd) : undefined],
    ['Finished by', span.finishReasons.join(', ') || undefined],
    ['Service', span.service],
    ['Kind', span.kind],
  ];
  const known = figures.filter(([, value]) => value);
  return h(
    'dl',
    { class: 'figures' },
    ...known.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value))),
  );
}

function renderSaid({ role, pieces }: Said): HTMLElement {
  return h(
    'div',
    { class: 'said', 'data-role': role.slice(0, 40) },
    h('div', { class: 'role' }, role),
    h('div', { class: 'pieces' }, ...pieces.map(renderPiece)),
  );
}

const pieceNames: Readonly<Record<Piece['kind'], string>> = {
  text: '',
  reasoning: 'reasoning',
  call: 'calls',
  result: 'result of',
  media: '',
};

function renderPiece({ kind, label, text }: Piece): HTMLElement {
  const title = [pieceNames[kind], label].filter(Boolean).join(' ');
  return h('div', { class: `piece ${kind}` }, title !== '' && h('div', { class: 'piece-title' }, title), block(text));
}

/** A text of any length, which scrolls from a height on; by keyboard too. */
function block(text: string): HTMLElement {
  const isLong = text.length > 600 || text.split('\n').length > 12;
  return h('pre', { class: 'block', tabindex: isLong ? 0 : undefined }, text);
}

function renderEvent(event: SpanView['events'][number], start: number): HTMLElement {
  return h(
    'div',
    { class: 'event' },
    h('div', { class: 'event-head' }, h('span', { class: 'name' }, event.name), time(event.time, start)),
    renderTable(event.attributes),
  );
}

function time(at: number, start: number): HTMLElement {
  return h('span', { class: 'hint number', title: formatInstant(at) }, `+${formatDuration(Math.max(0, at - start))}`);
}

function renderLink({ traceId, spanId }: SpanView['links'][number]): HTMLElement {
  const isOurs = /^[\da-f]{32}$/.test(traceId);
  const text = `${traceId}${spanId && ` · ${spanId}`}`;
  if (!isOurs) return h('p', { class: 'mono' }, text);
  return h('p', {}, h('a', { class: 'mono', href: `#/trace/${traceId}` }, text));
}

function renderTable(attributes: Json): HTMLElement | undefined {
  const entries = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return undefined;
  return h(
    'dl',
    { class: 'attributes' },
    ...entries.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, pretty(value)))),
  );
}

function renderResource({ resource, scope, id, start }: SpanView): HTMLElement {
  const own = { 'span id': id, started: formatInstant(start), ...(scope && { scope }) };
  return h('div', {}, renderTable(own), renderTable(resource));
}
