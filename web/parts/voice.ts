/** What a screen reader says, when it is news. */
import { useEffect } from 'react';
import { createStore } from '../store';

export const voice = createStore('');

/** Says `text` whenever it has changed. */
export function useVoice(text: string | undefined): void {
  useEffect(() => {
    if (text !== undefined) voice.set(text);
  }, [text]);
}
