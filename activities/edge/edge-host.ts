/** A site's machine: where its edge worker runs the site's nodes. */
import type { NodeHost } from '../shared/host';
import type { Approvals } from './approvals';
import type { SiteRules } from './site-rules';

export interface EdgeHost extends NodeHost {
  siteId: string;
  policy(): Promise<SiteRules>;
  /** By which the site knows the centre, and the centre the site. */
  identity: {
    /** The instance signs with its other half: Ed25519, PEM. */
    readonly instanceKey: string;
    /** A key that was sealed to this site's certificate; `undefined` if it was sealed to another. */
    openSealed(sealed: string): Promise<Buffer | undefined>;
  };
  /** What waits for a person here. */
  approvals: Approvals;
}
