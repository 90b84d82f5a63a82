/** A computation whose nodes work for as long as a test wants, and `muster try` with it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunInputDraft } from '../../workflows/contract';
import { Consortium } from './consortium';

type Manifest = RunInputDraft['computation'];

export class Patient {
  /**
   * @param folder of the sites, and of all that tells their nodes what to do
   * @param more of its manifest
   */
  constructor(
    private readonly folder: string,
    private readonly sites: readonly string[],
    private readonly more: Partial<Manifest> = {},
  ) {}

  /** Its nodes are processes; at first they may go on. */
  async open(): Promise<Consortium> {
    this.mayGo(true);
    const data = (site: string) => join(this.folder, 'data', site);
    for (const site of this.sites) mkdirSync(data(site), { recursive: true });
    const manifest = join(this.folder, 'computation.json');
    writeFileSync(manifest, JSON.stringify(this.computation()));
    const sites = this.sites.flatMap((site) => ['--site', `${site}=${data(site)}`]);
    return Consortium.open([manifest, ...sites, '--runtime', 'process']);
  }

  /** Nodes wait until they may go on to their end. */
  mayGo(yes: boolean): void {
    this.mark('go', yes);
  }

  /** A node that is to fail does so at its start. */
  fails(node: string, yes: boolean): void {
    this.mark(`fail-${node}`, yes);
  }

  private mark(name: string, yes: boolean): void {
    const file = join(this.folder, name);
    if (yes) writeFileSync(file, '');
    else rmSync(file, { force: true });
  }

  private computation(): Manifest {
    const kits = [...this.sites, 'centralNode'].map((node) => `"$PROVISION_DIR/runKits/${node}"`).join(' ');
    const node = shell(`
      if [ -e "${this.folder}/fail-$MUSTER_NODE" ]; then exit 3; fi
      while [ ! -e "${this.folder}/go" ]; do sleep 0.1; done
      echo "{}" > "$OUTPUT_DIR/result.json"
    `);
    return {
      name: 'patient',
      version: '1',
      commands: {
        provision: shell(`for kit in ${kits}; do mkdir -p "$kit"; echo {} > "$kit/kit.json"; done`),
        central: node,
        edge: node,
      },
      outputs: { central: ['result.json'], edge: ['result.json'] },
      deadlines: { stopGrace: '1s' },
      ...this.more,
    };
  }
}

const shell = (script: string) => ['sh', '-c', script];
