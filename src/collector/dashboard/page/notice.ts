import { ApiError } from './api.ts';
import { h } from './dom.ts';

/** What stands where there is nothing else to see. */
export function notice(title: string, text: string, ...actions: readonly HTMLElement[]): HTMLElement {
  return h(
    'div',
    { class: 'notice' },
    h('p', { class: 'notice-title' }, title),
    h('p', { class: 'hint' }, text),
    actions.length > 0 && h('div', { class: 'actions' }, ...actions),
  );
}

/** What went wrong, to be announced at once. */
export function failure(error: unknown, ...actions: readonly HTMLElement[]): HTMLElement {
  const text = error instanceof Error ? error.message : String(error);
  const element = notice(
    titleOf(error),
    needsKey(error) ? 'This collector shows a tenant’s traces to its keys alone.' : text,
    ...actions,
  );
  element.setAttribute('role', 'alert');
  element.classList.add('failed');
  return element;
}

function titleOf(error: unknown): string {
  const status = error instanceof ApiError ? error.status : undefined;
  if (status === 0) return 'No connection';
  if (status === 401 || status === 403) return 'A key is needed';
  if (status === 404) return 'Not found';
  return 'That did not work';
}

export function needsKey(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}

/** Grey lines where rows will be. */
export function placeholder(label: string, rows: number): HTMLElement {
  const lines = Array.from({ length: rows }, () => h('span', { class: 'ghost' }));
  return h('div', { class: 'ghosts', role: 'status', 'aria-label': label }, ...lines);
}
