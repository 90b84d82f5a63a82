/** A site's machine: where its edge worker runs the site's nodes. */
import type { NodeHost } from '../shared/host';
import type { Approvals } from './approvals';
import type { SiteRules } from './site-rules';

export interface EdgeHost extends NodeHost {
  siteId: string;
  policy(): Promise<SiteRules>;
  /** What waits for a person here. */
  approvals: Approvals;
}
