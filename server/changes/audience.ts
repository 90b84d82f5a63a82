/** Whom a change concerns: decided of the change and of who listens, without looking anything up. */
import type { Change } from '../../workflows/changes-contract';
import type { Person } from '../access';

/** A change, and where it belongs. */
export interface Told {
  change: Change;
  consortia: readonly string[];
  /** Sites whose administrators may know of it. */
  sites: readonly string[];
}

/** Who listens, with the consortia that they may see; `undefined` is all of them. */
export interface Reader {
  person: Pick<Person, 'admin' | 'sites'>;
  consortia: ReadonlySet<string> | undefined;
}

export function concerns({ consortia, sites }: Told, reader: Reader): boolean {
  if (reader.person.admin || reader.consortia === undefined) return true;
  return (
    consortia.some((id) => reader.consortia?.has(id)) || sites.some((id) => reader.person.sites.includes(id))
  );
}
