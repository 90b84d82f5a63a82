/** Times on the page: fixed ones, and lengths that grow while they are watched. */
import { serverNow } from './clock';
import { dayTime, duration } from './format';
import { h } from './render';

/** How long ago `at` was; grows every second once {@link startTicking} was called. */
export function growing(at: number): HTMLElement {
  const element = h('time', { 'data-since': at, title: `since ${dayTime(at, serverNow())}` });
  show(element, serverNow());
  return element;
}

/** A moment: its time of day, with the date where that is another one. */
export function moment(at: number): HTMLElement {
  return h(
    'time',
    { datetime: new Date(at).toISOString(), title: new Date(at).toLocaleString() },
    dayTime(at, serverNow()),
  );
}

/** Keeps every {@link growing} length up to date. Time stands still while `frozenAt` gives the time that was last certain. */
export function startTicking(frozenAt: () => number | undefined): void {
  setInterval(() => {
    const now = frozenAt() ?? serverNow();
    for (const element of document.querySelectorAll<HTMLElement>('[data-since]')) show(element, now);
  }, 1_000);
}

function show(element: HTMLElement, now: number): void {
  const text = duration(now - Number(element.dataset['since']));
  if (element.textContent !== text) element.textContent = text;
}
