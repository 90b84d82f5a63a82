/** A site's machine: where its edge worker runs the site's nodes. */
import type { NodeHost } from '../shared/host';

export interface EdgeHost extends NodeHost {
  siteId: string;
}
