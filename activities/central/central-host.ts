/** A central host: a machine that provisions launches and runs their central nodes. */
import type { PortLedger } from '../../nodes';
import type { ObjectStore } from '../../storage';
import type { NodeHost } from '../shared/host';

export interface CentralHost extends NodeHost {
  hostId: string;
  /** The name that edges connect to; by default what works on one machine with the computation's runtime. */
  centralName: string | undefined;
  ports: PortLedger;
  store: ObjectStore;
}
