/** A text that is copied rather than typed. */
import { useState } from 'react';
import { Button } from './controls';

/** `what`: what it is, for the button's name. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [said, setSaid] = useState('');
  // Browsers withhold the clipboard from pages that are not served over TLS.
  const canCopy = 'clipboard' in navigator;
  return (
    <div className="copy">
      <code>{text}</code>
      {canCopy && (
        <Button
          aria-label={`Copy ${what}`}
          onPress={() =>
            void navigator.clipboard.writeText(text).then(
              () => setSaid('Copied'),
              () => setSaid('Select it and copy it by hand'),
            )
          }
        >
          Copy
        </Button>
      )}
      <span className="hint" role="status">
        {said}
      </span>
    </div>
  );
}
