/** The sites of a local stack join it as any site does; the code goes from hand to hand within this machine. */
import { createMusterApi } from '../client';
import { readIdentity, writeIdentity } from '../client/identity-folder';
import { joinSite } from '../client/join-site';
import { readCode } from '../workflows/enrolment-code';
import type { Stack } from './stack';

/** A certificate that ends so soon is not begun with. */
const SOON_MS = 86_400_000;

/** Sees to it that the site's identity folder says who it is. */
export async function ensureJoined(
  stack: Pick<Stack, 'paths' | 'api' | 'sites' | 'mint'>,
  siteId: string,
): Promise<void> {
  const folder = stack.paths.identity(siteId);
  const kept = await readIdentity(folder).catch(() => undefined);
  if (kept !== undefined && kept.notAfter > Date.now() + SOON_MS) return;
  const token = await stack.mint({ role: 'admin', sub: 'muster' }, '1h');
  const { code: text } = await createMusterApi({ url: stack.api.url, token }).addSite({
    body: { id: siteId },
  });
  const code = readCode(text);
  if (code === undefined) throw new Error(`The central API gave no code by which ${siteId} could join.`);
  await writeIdentity(folder, await joinSite(stack.sites.apiUrl, { ...code, text }));
}
