/** The little that the page needs to make and change DOM. Text is only ever set as text, styles only by class. */

export type Child = Node | string | false | undefined;
/** `true` sets an attribute without a value; `false` and `undefined` leave it out. */
export type Attributes = Record<string, string | number | boolean | undefined>;

/** An element with its attributes and children. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...present(children));
  return element;
}

const present = (children: readonly Child[]) =>
  children.filter((child) => child !== undefined && child !== false);

/** A button that does `onClick`. */
export function button(attributes: Attributes, onClick: () => void, ...children: Child[]): HTMLButtonElement {
  const element = h('button', { type: 'button', ...attributes }, ...children);
  element.addEventListener('click', onClick);
  return element;
}

/** The one descendant of `element` that `selector` names. */
export function part(element: Element, selector: string): Element {
  const found = element.querySelector(selector);
  if (!found) throw new Error(`there is no ${selector} to draw into`);
  return found;
}

const shown = new WeakMap<Element, string>();

/** Replaces the children of `element`, but only when `content`, from which they are made, has changed: focus and selection stay. */
export function fill(element: Element, content: unknown, make: () => Child[]): void {
  // An array around it: `undefined` alone has no JSON.
  const key = JSON.stringify([content]);
  if (shown.get(element) === key) return;
  shown.set(element, key);
  element.replaceChildren(...present(make()));
}

/** Sets `value`, or takes the attribute away; untouched when it is so already. */
export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if ((element.getAttribute(name) ?? undefined) === value) return;
  if (value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** Makes the children of `parent` the elements of `items`, by key: an item that stays keeps its element. */
export function keyed<Item>(
  parent: Element,
  items: readonly Item[],
  keyOf: (item: Item) => string,
  make: (item: Item) => HTMLElement,
  update: (element: HTMLElement, item: Item) => void,
): void {
  const old = new Map<string, HTMLElement>();
  for (const child of parent.children)
    if (child instanceof HTMLElement) old.set(child.dataset['key'] ?? '', child);
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const element = old.get(key) ?? make(item);
    old.delete(key);
    element.dataset['key'] = key;
    update(element, item);
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  for (const gone of old.values()) gone.remove();
}
