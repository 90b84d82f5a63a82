/** Signing in at an OpenID provider: authorization code, with PKCE, state and nonce. */
import * as client from 'openid-client';
import type { OidcConfig } from '../config';

/** What of a sign-in that has begun is kept, in the browser that began it, until that comes back. */
export interface OidcFlow {
  state: string;
  nonce: string;
  verifier: string;
}

/** Who somebody is there. */
export interface OidcIdentity {
  issuer: string;
  subject: string;
  name: string | undefined;
  /** In small letters; and only if the provider says that it is theirs. */
  verifiedEmail: string | undefined;
}

export interface Oidc {
  /** What the provider is called. */
  readonly name: string;
  /** Where the browser is sent to. */
  begin(): Promise<{ url: URL; flow: OidcFlow }>;
  /**
   * Who came back by this address.
   * @throws whatever is wrong with what came back, or the provider that does not answer
   */
  finish(url: URL, flow: OidcFlow): Promise<OidcIdentity>;
}

const SCOPE = 'openid profile email';
const PATIENCE_SECONDS = 10;

/** @param redirectUri where the provider sends browsers back to */
export function createOidc({ issuer, clientId, clientSecret, name }: OidcConfig, redirectUri: string): Oidc {
  let known: Promise<client.Configuration> | undefined;

  /** Asked for when it is needed, for the provider may be away when the server starts. */
  function provider(): Promise<client.Configuration> {
    known ??= client
      .discovery(new URL(issuer), clientId, undefined, client.ClientSecretBasic(clientSecret), {
        timeout: PATIENCE_SECONDS,
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- what readConfig lets through without TLS is on this machine
        ...(issuer.startsWith('http:') && { execute: [client.allowInsecureRequests] }),
      })
      .catch((error: unknown) => {
        known = undefined;
        throw error;
      });
    return known;
  }

  return {
    name,

    async begin() {
      const flow = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(await provider(), {
        ...{ redirect_uri: redirectUri, scope: SCOPE, state: flow.state, nonce: flow.nonce },
        code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
      });
      return { url, flow };
    },

    async finish(url, { state, nonce, verifier }) {
      const at = await provider();
      const tokens = await client.authorizationCodeGrant(at, url, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('the provider sent no id token');
      const { iss, sub } = claims;
      const more =
        claims.email === undefined && at.serverMetadata().userinfo_endpoint !== undefined
          ? await client.fetchUserInfo(at, tokens.access_token, sub)
          : claims;
      const { name: called, email, email_verified: isTheirs } = more;
      return {
        ...{ issuer: iss, subject: sub },
        name: typeof called === 'string' ? called : undefined,
        verifiedEmail: isTheirs === true && typeof email === 'string' ? email.toLowerCase() : undefined,
      };
    },
  };
}
