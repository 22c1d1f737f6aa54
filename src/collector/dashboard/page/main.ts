import { createChartsView } from './charts-view.ts';
import { byId, on } from './dom.ts';
import { readKey, writeKey } from './key.ts';
import { followLive, type LiveState } from './live.ts';
import { formatRoute, parseRoute, type Route } from './route.ts';
import { isDark, startTheme, switchTheme } from './theme.ts';
import { createTraceList } from './trace-list.ts';
import { createTraceView } from './trace-view.ts';
import type { Shell, View } from './view.ts';

const main = byId('main');
const keyDialog = byId<HTMLDialogElement>('key-dialog');
const helpDialog = byId<HTMLDialogElement>('help-dialog');
const keyInput = byId<HTMLInputElement>('key-input');

const shell: Shell = {
  go(route, replace = false) {
    const hash = formatRoute(route);
    if (!replace) location.hash = hash;
    else if (hash !== location.hash) {
      history.replaceState(null, '', hash);
      show();
    }
  },
  askForKey() {
    keyInput.value = readKey() ?? '';
    keyDialog.showModal();
    keyInput.select();
  },
};

/** Where the list was left, so that it is found again. */
let listRoute: Route = { view: 'traces', filters: {} };
const list = createTraceList(shell);
const trace = createTraceView(shell, () => shell.go(listRoute));
const charts = createChartsView(shell);
const views = { traces: list, trace, charts };
let current: View<never> | undefined;

function show(): void {
  const route = parseRoute(location.hash);
  if (route.view === 'traces') listRoute = route;
  const view = views[route.view] as View<Route>;
  if (view !== current) {
    current?.hide();
    main.replaceChildren(view.element);
    current = view;
  }
  for (const link of document.querySelectorAll<HTMLAnchorElement>('.views a')) {
    const isHere = link.dataset.view === (route.view === 'trace' ? 'traces' : route.view);
    if (link.dataset.view === 'traces') link.href = formatRoute(listRoute);
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  view.show(route);
  document.title = `${view.title()} · edgespan`;
}

const stateNames: Readonly<Record<LiveState, string>> = { live: 'Live', waiting: 'Reconnecting', off: 'Not live' };
let isFirst = true;
let stopFollowing: () => void = () => {};

function follow(): void {
  stopFollowing();
  let last: LiveState | undefined;
  stopFollowing = followLive('v1/live', {
    event(data) {
      const id = list.arrive(data);
      if (id) trace.touch(id);
    },
    state(state) {
      byId('link-state').textContent = stateNames[state];
      byId('link-state').dataset.state = state;
      // What arrived while nobody listened.
      if (state === 'live' && last === 'waiting') list.reload();
      last = state;
    },
  });
}

function paint(): void {
  byId('theme-button').setAttribute('aria-pressed', String(isDark()));
  if (!isFirst) charts.redraw();
  isFirst = false;
}

function toggleTheme(): void {
  switchTheme();
  paint();
}

on(byId('theme-button'), 'click', toggleTheme);
on(byId('help-button'), 'click', () => helpDialog.showModal());
on(byId('help-close'), 'click', () => helpDialog.close());
on(byId('key-button'), 'click', shell.askForKey);
on(byId('key-cancel'), 'click', () => keyDialog.close());
on(byId('skip'), 'click', () => main.focus());
on(byId('key-form'), 'submit', (event) => {
  event.preventDefault();
  writeKey(keyInput.value.trim());
  keyDialog.close();
  // Nothing of what another key has shown stays.
  location.reload();
});

const shortcuts: Readonly<Record<string, () => void>> = {
  '?': () => helpDialog.showModal(),
  d: toggleTheme,
  t: () => shell.go(listRoute),
  c: () => shell.go(parseRoute('#/charts')),
};

addEventListener('keydown', (event) => {
  const target = event.target as HTMLElement;
  if (
    event.defaultPrevented ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    document.querySelector('dialog[open]')
  ) {
    return;
  }
  if (target.closest('input:not([type=checkbox]), select, textarea')) {
    if (event.key === 'Escape') target.blur();
    return;
  }
  const shortcut = Object.hasOwn(shortcuts, event.key) ? shortcuts[event.key] : undefined;
  if (shortcut) shortcut();
  else if (!current?.press(event.key)) return;
  event.preventDefault();
});
addEventListener('hashchange', show);
startTheme(paint);
show();
follow();
