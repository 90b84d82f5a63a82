/** `muster site join`: makes this machine a site's. The key is made here and stays here; all trust comes from the code. */
import { createHash, X509Certificate } from 'node:crypto';
import { access, constants, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createCentralApi, type CentralApi } from '../client';
import { belongTogether, foundIn, writeIdentity } from '../client/identity-folder';
import { newSiteKey } from '../client/site-key';
import { createTransport, createUncheckedTransport, type Transport } from '../client/site-transport';
import { errorCode } from '../nodes/error-code';
import { readCode, type EnrolmentCode } from '../workflows/enrolment-code';
import type { SiteCredentials } from '../workflows/identity-contract';
import { messageOf } from './message-of';
import { missingLines, readSiteDocument, updateSiteFile, writeSiteFile } from './site-file';
import { UsageError } from './usage-error';

export interface JoinOptions {
  /** Where the files go. */
  dir: string;
  /** Whether keys that are there may be replaced. */
  force?: true;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Joins, and answers what the person is to know. */
export async function joinSite(
  address: string,
  text: string,
  { dir, force }: JoinOptions,
  env: Environment = process.env,
): Promise<string[]> {
  const code = readCode(text);
  if (code === undefined)
    throw new UsageError(
      'The code is not complete, or a letter of it is wrong: copy it as it was given to you.',
    );
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:')
    throw new UsageError(`${address} is not an address such as https://sites.muster.example.org:7443.`);
  const folder = resolve(dir);
  const siteFile = join(folder, 'site.yaml');
  const document = await readSiteDocument(siteFile, code.siteId);
  await mustBeFree(folder, force);

  const ca = await authorityOf(address, code, env);
  const { key, csr } = await newSiteKey(code.siteId);
  const got = await speak(createTransport(address, { ca }, env), address, (api) =>
    api.joinSite(code.siteId, { code: text, csr }),
  );
  if (!belongTogether(key, got.certificate))
    throw new Error(`${address} answered with a certificate for another key. Nothing was written.`);
  await writeIdentity(folder, { key, ...got });
  const addresses = { site: code.siteId, gateway: got.gatewayAddress, api: got.siteApiUrl };
  const told = [joined(code.siteId, got, folder)];
  if (document === undefined) {
    await writeSiteFile(siteFile, addresses);
    return [...told, `Say in ${siteFile} what may run here; then start the edge worker with it.`];
  }
  const lines = missingLines(document, addresses);
  if (lines.length === 0) return told;
  if (!force) return [...told, `${siteFile} is as it was. Put these lines into it:`, ...lines];
  await updateSiteFile(siteFile, document, addresses);
  return [...told, `${siteFile} has the new addresses.`];
}

const joined = (siteId: string, { notAfter }: SiteCredentials, folder: string) =>
  `${siteId} has joined; who it is, is in ${folder}. Its certificate is good until ` +
  `${new Date(notAfter).toISOString().slice(0, 10)}, and the edge worker renews it.`;

/** Finds out now whether the files can be written: the code is good once. */
async function mustBeFree(folder: string, force: true | undefined): Promise<void> {
  const [there] = await foundIn(folder);
  if (there !== undefined && !force)
    throw new UsageError(`${there} is there: this site has joined. Use --force to replace its key.`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new UsageError(`Files cannot be written to ${folder}: ${messageOf(error)}.`);
  }
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
  return OTHER_AUTHORITY.test(errorCode(error) ?? '') || ('cause' in error && isOtherAuthority(error.cause));
}
