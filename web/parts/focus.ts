/** Where the focus goes when what has it goes away. */
import { useEffect, useLayoutEffect, type RefObject } from 'react';

/**
 * Hands the focus of an element that is taken off the page to the heading of its section, or to the content as a whole: a
 * browser would begin at the top of the document. Whatever takes the focus by itself meanwhile keeps it.
 */
export function useFocusHandedOn(held: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const element = held.current;
    return () => {
      // A dialog gives the focus back to what opened it.
      if (!element || document.activeElement !== element || element.closest('[role=dialog]')) return;
      const heading = element.closest('section')?.querySelector('h2');
      setTimeout(() => {
        if (document.activeElement !== document.body) return;
        const next = heading?.isConnected ? heading : document.querySelector('main');
        next?.focus({ preventScroll: true });
      });
    };
  }, [held]);
}

/** Begins in the first field of a form that has just been opened. */
export function useFocusInFirstField(form: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
  }, [form]);
}
