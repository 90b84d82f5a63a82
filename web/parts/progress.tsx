/** A part of 1, as a length that the style sheet reads. */
import type { CSSProperties } from 'react';

/** A style that React sets by itself, so that the page needs no inline style in its document. */
export const progressStyle = (part: number): CSSProperties & Record<'--progress', string> => ({
  '--progress': String(part),
});

export const Progress = ({ part, className }: { part: number; className: string }) => (
  <span className={className} style={progressStyle(part)} />
);
