/** site.yaml as `muster site join` writes it: what is known, and what there is to decide, each with a word about it. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument, type Document } from 'yaml';
import { errorCode } from '../nodes/error-code';
import { messageOf } from './message-of';
import { UsageError } from './usage-error';

/** What site.yaml says of who the site is and whom it speaks to. */
export interface SiteAddresses {
  site: string;
  gateway: string;
  api: string;
  reports: string;
}

/** What is there at `path`; `undefined` if nothing is. @throws UsageError if it is not for this site */
export async function readSiteDocument(path: string, siteId: string): Promise<Document | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined;
    throw new UsageError(`${path} cannot be read: ${messageOf(error)}.`);
  });
  if (text === undefined) return undefined;
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) throw new UsageError(`${path}: ${fault.message.split('\n')[0] ?? ''}`);
  const site: unknown = document.get('site');
  if (site !== siteId)
    throw new UsageError(
      `${path} is of the site ${String(site)}, and the code of ${siteId}: use another --dir.`,
    );
  return document;
}

/** Writes a new site.yaml. */
export async function writeSiteFile(path: string, addresses: SiteAddresses): Promise<void> {
  await writeFile(path, skeleton(addresses), { flag: 'wx' });
}

/** What `document` says otherwise than it should, as lines for it. */
export function missingLines(document: Document, { gateway, api, reports }: SiteAddresses): string[] {
  return Object.entries({ gateway, api, reports })
    .filter(([key, value]) => document.get(key) !== value)
    .map(([key, value]) => `${key}: ${value}`);
}

/** Puts the addresses into what is there, and leaves the rest as it is, comments too. */
export async function updateSiteFile(
  path: string,
  document: Document,
  { gateway, api, reports }: SiteAddresses,
): Promise<void> {
  for (const [key, value] of Object.entries({ gateway, api, reports })) document.set(key, value);
  await writeFile(path, document.toString());
}

export function skeleton({ site, gateway, api, reports }: SiteAddresses): string {
  return `# Who this site is, and what it allows. Nothing runs here that this file does not name.

site: ${site}

# How the edge worker reaches the site gateway and the API. It only ever calls out.
gateway: ${gateway}
api: ${api}

# Where nodes may say how far they are. Without it, they cannot.
reports: ${reports}

# Where the files are that \`muster site join\` wrote, if not beside this one.
# identity: /etc/muster

# The computations that may run here: each by the digest of its image, or all that somebody signed (signer).
computations: []
#  - name: penguins
#    image: registry.example.org/penguins@sha256:0000000000000000000000000000000000000000000000000000000000000000

# This site's folders by the names that consortia have for datasets. Nodes can only read them.
datasets: {}
#  penguins: /data/penguins

# The most that a node may use, whatever its computation asks for.
# resources: { cpus: 4, memory: 8Gi, pids: 512 }

# How much of a node's log may leave: none, on-error (the last lines of one that failed) or stream.
logs: on-error

# Whether names and sizes of a node's results may be listed elsewhere, or are hidden. The results stay here in any case.
results: listed
`;
}
