/** Why the OpenID provider did not sign somebody in, in words, each with what to do. Pure. */
import { OidcFailure } from '../workflows/people-contract';

const WORDS: Readonly<Record<OidcFailure, string>> = {
  expired: 'Signing in took too long, or began in another browser. Try again.',
  refused:
    'The provider did not sign you in. Try again; if it goes on so, tell an administrator of this instance when you tried.',
  unknown:
    'You have no account here, and nobody has invited your address. Ask a consortium’s lead or an administrator for an invitation.',
  invitation: 'The invitation was used already, or has run out. Ask whoever invited you for another one.',
  disabled: 'Your account is disabled. Ask an administrator if it should not be.',
  account:
    'There is an account with your address already, which does not belong to this provider yet, or this sign-in belongs to another account. Sign in as you did before.',
  email:
    'The provider does not vouch for your e-mail address, so no account can be made of it. Ask for an invitation that names your address.',
};

/** A word that this page does not know is said to be one. */
export function wordsOfSignInFailure(failed: string): string {
  const known = OidcFailure.safeParse(failed);
  return known.success ? WORDS[known.data] : `You were not signed in (${failed.slice(0, 40)}). Try again.`;
}
