/** A code by which a site joins, as it is shown this once. */
import { Copy } from './copy';
import { Moment } from './times';

export interface MadeCode {
  siteId: string;
  code: string;
  siteApiUrl: string;
  expiresAt: number;
}

export function JoinCode({ made: { siteId, code, siteApiUrl, expiresAt } }: { made: MadeCode }) {
  return (
    <div className="shown-once" role="status">
      <p>
        Run this on the site’s machine before <Moment at={expiresAt} />. The code for <b>{siteId}</b> is good
        once, and is not shown again.
      </p>
      <Copy text={`muster site join ${siteApiUrl} ${code}`} what="the command" />
    </div>
  );
}
