type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | number | undefined | false;

/**
 * An element. What comes from spans becomes text nodes and attributes' values, never markup: nothing in this page is
 * parsed as HTML.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== undefined && child !== false).map(toNode));
  return element;
}

/** `true` is an attribute without a value; `false` and `undefined` take it away. */
function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

function toNode(child: Child): Node | string {
  return child instanceof Node ? child : String(child);
}

/** Sizes and places one by one, since the page's policy lets no style attribute through. */
export function place<E extends HTMLElement>(element: E, properties: Readonly<Record<string, string>>): E {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  return element;
}

export function on<E extends HTMLElement, K extends keyof HTMLElementEventMap>(
  element: E,
  type: K,
  listener: (event: HTMLElementEventMap[K]) => void,
): E {
  element.addEventListener(type, listener);
  return element;
}

export function button(label: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return on(h('button', { type: 'button', class: 'button', ...attributes }, label), 'click', press);
}

/** An element of the page's own HTML. */
export function byId<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

const shapes = {
  back: 'M10 3.5 5.5 8l4.5 4.5',
  chevron: 'M6 4l4 4-4 4',
  close: 'M4 4l8 8M12 4l-8 8',
} as const;

export function icon(name: keyof typeof shapes): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const path = document.createElementNS(namespace, 'path');
  setAttributes(svg, { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' });
  path.setAttribute('d', shapes[name]);
  svg.append(path);
  return svg;
}
