/** What the bench compares: two ways of bringing the same nodes up. */
export interface Side {
  /** Makes sure that the workers of the first `count` sites run. */
  startSites(count: number): Promise<void>;
  /** Seconds from the start of a run to the last of the first `count` sites' user code running. The run is gone then. */
  bringUp(count: number): Promise<number>;
}

/** What both sides start: the same programs, with the same data. */
export interface BenchSite {
  id: string;
  /** Folder of the site's data. */
  folder: string;
}
