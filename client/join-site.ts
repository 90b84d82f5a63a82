/** How a site joins: all trust comes from the code, and the key is made where it is used. */
import { createHash, X509Certificate } from 'node:crypto';
import type { EnrolmentCode } from '../workflows/enrolment-code';
import type { SiteCredentials } from '../workflows/identity-contract';
import { createCentralApi, type CentralApi } from './central-api';
import { belongTogether } from './identity-folder';
import { newSiteKey } from './site-key';
import { createTransport, createUncheckedTransport, type Transport } from './site-transport';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a site is given, and the key that it is for. */
export interface JoinedSite extends SiteCredentials {
  /** PEM. */
  key: string;
}

/**
 * Exchanges a code, which is good once, for a certificate.
 * @param address of the API for sites
 * @param code as it was read, and as it was written
 */
export async function joinSite(
  address: string,
  code: EnrolmentCode & { text: string },
  env: Environment = process.env,
): Promise<JoinedSite> {
  const ca = await authorityOf(address, code, env);
  const { key, csr } = await newSiteKey(code.siteId);
  const got = await speak(createTransport(address, { ca }, env), address, (api) =>
    api.joinSite(code.siteId, { code: code.text, csr }),
  );
  if (!belongTogether(key, got.certificate))
    throw new Error(`${address} answered with a certificate for another key. Nothing was written.`);
  return { ...got, key };
}

/** What certifies the server that made the code, PEM. Whoever answers is not trusted: the code says what it has to be. */
async function authorityOf(address: string, { pin }: EnrolmentCode, env: Environment): Promise<string> {
  const { ca } = await speak(createUncheckedTransport(address, env), address, (api) =>
    api.getSiteAuthority(),
  );
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const known = blocks.find((block) => digestOf(block)?.equals(pin));
  if (known !== undefined) return known;
  throw new Error(
    `The server at ${address} is not the one that the code was made by. Check the address; if it is right, somebody answers in its place.`,
  );
}

function digestOf(pem: string): Buffer | undefined {
  try {
    return createHash('sha256').update(new X509Certificate(pem).raw).digest();
  } catch {
    return undefined;
  }
}

async function speak<T>(
  { fetch, close }: Transport,
  url: string,
  work: (api: CentralApi) => Promise<T>,
): Promise<T> {
  try {
    return await work(createCentralApi({ url, fetch }));
  } catch (error) {
    throw isOtherAuthority(error)
      ? new Error(
          `The connection to ${url} is not certified by what the code names: something between here and there opens it, ` +
            'as proxies that inspect TLS do. Ask for this address to be exempt from that.',
        )
      : error;
  } finally {
    await close();
  }
}

/** What Node says of a chain that does not end where it should. */
const OTHER_AUTHORITY =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/;

function isOtherAuthority(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return OTHER_AUTHORITY.test(codeOf(error)) || ('cause' in error && isOtherAuthority(error.cause));
}

const codeOf = (error: object) => ('code' in error && typeof error.code === 'string' ? error.code : '');
