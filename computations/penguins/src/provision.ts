/** The command `provision`: makes the kits of one run. Each has what its node needs, and nothing of another's. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, type Certified } from './certificates';
import { KIT_FILES, readText, type CentralKit, type EdgeKit, type Parameters } from './messages';
import { PATHS } from './paths';
import { CENTRAL_KIT, parseProvisionInput } from './provision-input';

async function provision(): Promise<void> {
  const { sites, host, port, parameters } = parseProvisionInput(
    readText(join(PATHS.provision, 'provision_input.json')),
  );
  const authority = await createAuthority('penguins run');
  const kits = join(PATHS.provision, 'runKits');
  rmSync(kits, { recursive: true, force: true });

  const write = (name: string, settings: CentralKit | EdgeKit, certified: Certified) =>
    writeKit(join(kits, name), { settings, parameters, ca: authority.cert, certified });
  write(CENTRAL_KIT, { port, sites }, await authority.issueServer(host));
  for (const site of sites) write(site, { site, host, port }, await authority.issueClient(site));
  console.log(`provision: made the kits of central and ${sites.length} sites`);
}

interface KitContent {
  settings: CentralKit | EdgeKit;
  parameters: Parameters;
  ca: string;
  certified: Certified;
}

function writeKit(folder: string, { settings, parameters, ca, certified }: KitContent): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  write(KIT_FILES.settings, JSON.stringify(settings, undefined, 2));
  write(KIT_FILES.parameters, JSON.stringify(parameters, undefined, 2));
  write(KIT_FILES.ca, ca);
  write(KIT_FILES.cert, certified.cert);
  write(KIT_FILES.key, certified.key);
}

process.once('SIGTERM', () => process.exit(143));
provision().catch((error: unknown) => {
  console.error(`provision: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
