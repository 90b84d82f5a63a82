/** Which process is meant, written down in files of the state folder. */
import { z } from 'zod';
import { identify } from '../nodes/process-table';

/** A process for ever: a pid is given out again, a pid with the moment it started is not. */
export const ProcessIdentity = z.object({ pid: z.int().positive(), started: z.string() });
export type ProcessIdentity = z.output<typeof ProcessIdentity>;

/** This process. */
export async function self(): Promise<ProcessIdentity> {
  return (await identify(process.pid)) ?? { pid: process.pid, started: 'unknown' };
}
