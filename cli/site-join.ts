/** `muster site join`: makes this machine a site's. The key is made here and stays here; all trust comes from the code. */
import { access, constants, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { foundIn, writeIdentity } from '../client/identity-folder';
import { joinSite as exchange } from '../client/join-site';
import { readCode } from '../workflows/enrolment-code';
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

  const got = await exchange(address, { ...code, text }, env);
  await writeIdentity(folder, got);
  const { gatewayAddress: gateway, siteApiUrl: api, publicUrl: reports } = got;
  const addresses = { site: code.siteId, gateway, api, reports };
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
