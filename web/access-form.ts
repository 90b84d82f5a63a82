/** Asks for an access token where there is none, or none that the API accepts. */
import type { Frame } from './frame';
import { h } from './render';
import { forgetToken, keepToken } from './session';

/** Shows the form. `refused` says that the token that was there is not accepted. */
export function showAccessForm(frame: Frame, refused: boolean): void {
  forgetToken();
  const input = h('input', {
    id: 'token',
    type: 'password',
    autocomplete: 'off',
    required: true,
    spellcheck: 'false',
  });
  const form = h(
    'form',
    { class: 'access' },
    h('label', { for: 'token' }, 'Access token'),
    input,
    h('p', { class: 'hint' }, 'Paste the token that you were given. It stays in this browser tab only.'),
    h('button', { type: 'submit', class: 'primary' }, 'Continue'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keepToken(input.value.trim());
    location.reload();
  });
  const why = h(
    'p',
    { class: 'problem', role: 'alert' },
    'The API does not accept this access token. It may have expired.',
  );
  frame.showMessage('Your access', refused && why, form);
  input.focus();
}
