/** What the activities of a worker know of the machine they run on. */
import type { CentralApi } from '../../client/central-api';
import type { HostImages, NodeRuntimes, RuntimeKind } from '../../nodes';
import type { KitFetch } from '../../storage/download-kit';
import type { LaunchFolders } from './launch-folders';
import type { HostPolicy } from './policy';

export interface NodeHost {
  runtimes: NodeRuntimes;
  /** Which runtime is meant on this host now; see chooseRuntime in nodes/. */
  chooseRuntime(kind: RuntimeKind | 'auto'): Promise<RuntimeKind>;
  images: HostImages;
  folders: LaunchFolders;
  /** Read anew at each call. */
  policy(): Promise<HostPolicy>;
  api: CentralApi;
  /** Reaches the object store at the addresses that kits are given out by. */
  fetchKit: KitFetch;
  /** Address by which nodes of a runtime reach the central API. */
  nodeApiUrl: Readonly<Partial<Record<RuntimeKind, string>>>;
}
