/** Elements in one call: `element('button', { class: 'plain', onclick: stop }, 'Stop')`. */

export type Child = Node | string | null | undefined | false;

/** `on…` are listeners, `class` and `aria-…` and the like attributes; false and undefined leave an attribute out. */
export type Properties = Readonly<Record<string, string | number | boolean | undefined | ((event: never) => void)>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties?: Properties,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K];
export function element(name: string, properties?: Properties, ...children: readonly Child[]): HTMLElement;
export function element(name: string, properties: Properties = {}, ...children: readonly Child[]): HTMLElement {
  const made = document.createElement(name);
  apply(made, properties);
  made.append(...children.filter(isShown));
  return made;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/** A 16 x 16 picture from one SVG path, in the colour of the text around it; said by the control that it is in. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, 'svg');
  apply(svg, { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' });
  const shape = document.createElementNS(svgNamespace, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/** Replaces what is in an element. */
export function fillWith(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...children.filter(isShown));
}

/** Sets a text only where it differs, so that screen readers and selections are left in peace. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets or removes attributes and listeners. */
export function apply(target: Element, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') target.addEventListener(name.slice(2), value as (event: Event) => void);
    else if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

function isShown(child: Child): child is Node | string {
  return child !== null && child !== undefined && child !== false;
}
