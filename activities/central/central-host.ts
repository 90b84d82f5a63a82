/** A central host: a machine that provisions launches and runs their central nodes. */
import type { PortLedger, RuntimeKind } from '../../nodes';
import type { ObjectStore } from '../../storage';
import type { NodeHost } from '../shared/host';

export interface CentralHost extends NodeHost {
  hostId: string;
  /** The name that edges connect to; by default what works on one machine with the computation's runtime. */
  centralName: string | undefined;
  ports: PortLedger;
  store: ObjectStore;
}

/** What edges connect to, as the kits of a launch whose central node runs so name it. */
export const nameForEdges = ({ centralName }: CentralHost, runtime: RuntimeKind): string =>
  centralName ?? (runtime === 'docker' ? 'host.docker.internal' : 'localhost');
