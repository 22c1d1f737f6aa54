import { button, h, on } from './dom.ts';
import { amount, type Filters, known } from './route.ts';

const settleMs = 300;
/** Names that are offered while one is typed. */
const maxOffers = 200;

export interface FilterBar {
  readonly element: HTMLElement;
  set(filters: Filters): void;
  /** Names that were seen, to choose from. */
  offer(services: Iterable<string>, models: Iterable<string>): void;
  focus(): void;
}

/** Fields to narrow the list by. `change` gets all of them a moment after the last change. */
export function createFilters(change: (filters: Filters) => void): FilterBar {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const services = offers('known-services');
  const models = offers('known-models');
  const service = field('service', 'any', { list: services.list.id, maxlength: 200 });
  const model = field('model', 'any', { list: models.list.id, maxlength: 200 });
  const duration = field('min_duration_ms', '0', { type: 'number', min: 0, step: 'any', inputmode: 'decimal' });
  const cost = field('min_cost_usd', '0', { type: 'number', min: 0, step: 'any', inputmode: 'decimal' });
  const status = h(
    'select',
    { name: 'status' },
    ...['', 'ok', 'error'].map((value) => h('option', { value }, value || 'any')),
  );
  const clear = button('Clear', () => {
    set({});
    report();
  });
  const fields = h(
    'div',
    { class: 'filter-fields', id: 'filter-fields' },
    ...[labelled('Service', service), labelled('Model', model), labelled('Status', status)],
    ...[labelled('Min. ms', duration, 'narrow'), labelled('Min. $', cost, 'narrow'), clear],
  );
  const toggle = button('Filters', () => open(!element.classList.contains('open')), {
    class: 'button filter-toggle',
    'aria-controls': fields.id,
    'aria-expanded': 'false',
  });
  const element = h('form', { class: 'filters', role: 'search', 'aria-label': 'Filters' });
  element.append(toggle, fields, services.list, models.list);

  function open(wish: boolean): void {
    element.classList.toggle('open', wish);
    toggle.setAttribute('aria-expanded', String(wish));
  }

  function read(): Filters {
    return known({
      service: service.value.trim() || undefined,
      model: model.value.trim() || undefined,
      status: status.value === 'ok' || status.value === 'error' ? status.value : undefined,
      minDurationMs: amount(duration.value),
      minCostUsd: amount(cost.value),
    });
  }

  function report(): void {
    clearTimeout(timer);
    mark(read());
    change(read());
  }

  function mark(filters: Filters): void {
    const count = Object.keys(filters).length;
    clear.disabled = count === 0;
    toggle.textContent = count === 0 ? 'Filters' : `Filters (${count})`;
  }

  function set(filters: Filters): void {
    const { service: from = '', model: by = '', status: how = '', minDurationMs, minCostUsd } = filters;
    // What is being typed stays as it is: `1.` is not `1` yet.
    if (!same(read(), filters)) {
      service.value = from;
      model.value = by;
      status.value = how;
      duration.value = String(minDurationMs ?? '');
      cost.value = String(minCostUsd ?? '');
    }
    mark(filters);
  }

  on(element, 'submit', (event) => {
    event.preventDefault();
    report();
  });
  on(element, 'input', () => {
    clearTimeout(timer);
    timer = setTimeout(report, settleMs);
  });
  mark({});
  return {
    element,
    set,
    offer(someServices, someModels) {
      services.add(someServices);
      models.add(someModels);
    },
    focus() {
      open(true);
      service.focus();
    },
  };
}

function same(a: Filters, b: Filters): boolean {
  const text = (filters: Filters) => JSON.stringify(Object.entries(filters).sort());
  return text(a) === text(b);
}

function field(name: string, placeholder: string, attributes: Record<string, string | number>): HTMLInputElement {
  return h('input', { type: 'text', name, placeholder, autocomplete: 'off', spellcheck: 'false', ...attributes });
}

function labelled(label: string, control: HTMLElement, size = ''): HTMLElement {
  return h('label', { class: `field ${size}` }, h('span', {}, label), control);
}

function offers(id: string) {
  const list = h('datalist', { id });
  const seen = new Set<string>();
  return {
    list,
    add(names: Iterable<string>) {
      for (const name of names) {
        if (!name || seen.has(name) || seen.size >= maxOffers) continue;
        seen.add(name);
        list.append(h('option', { value: name }));
      }
    },
  };
}
