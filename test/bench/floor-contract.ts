/** What the floor's workflows, workers and the bench agree on. */

/** One run of the floor. */
export interface FloorRun {
  /** Everything of the run lies below it. */
  folder: string;
  program: FloorProgram;
  /** Where the central node listens. */
  port: number;
  parameters: Readonly<Record<string, unknown>>;
  sites: readonly FloorSite[];
}

/** The computation: its commands, and the folder in which they are run. */
export interface FloorProgram {
  folder: string;
  commands: Readonly<Record<'provision' | 'central' | 'edge', readonly string[]>>;
}

export interface FloorSite {
  id: string;
  /** Folder of the site's data. */
  folder: string;
}

/** One site's part. */
export interface FloorEdgeRun extends Pick<FloorRun, 'folder' | 'program'> {
  /** Workflow id of the run. */
  run: string;
  site: FloorSite;
}

export interface FloorNode {
  /** Workflow id of the run. */
  run: string;
  node: string;
}

export const FLOOR_QUEUE = 'floor';
export const floorSiteQueue = (site: string) => `floor.site.${site}`;

/** What the central floor worker does. */
export interface FloorCentralActivities {
  provision(run: FloorRun): Promise<void>;
  publish(): Promise<void>;
  launchCentral(input: FloorRun & FloorNode): Promise<void>;
  supervise(node: FloorNode): Promise<void>;
  reportStarted(): Promise<void>;
  reportStatus(): Promise<void>;
  signalEdges(starts: readonly FloorEdgeRun[]): Promise<void>;
}

/** What a site's floor worker does. */
export interface FloorEdgeActivities {
  fetch(): Promise<void>;
  launchEdge(input: FloorEdgeRun): Promise<void>;
  supervise(node: FloorNode): Promise<void>;
}
