/** The site's own folder for the consortium's name of the data. */
import { opendir } from 'node:fs/promises';
import type { Site } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { HostPolicy } from '../shared/policy';

/**
 * The folder that the site maps to the run's dataset. Its path stays at the site: the error does not name it.
 * @throws ApplicationFailure `DataMissing`
 */
export async function dataFolder({ dataset }: Site, { datasets }: HostPolicy): Promise<string> {
  const folder = Object.hasOwn(datasets, dataset) ? datasets[dataset] : undefined;
  if (folder === undefined) {
    throw failure(
      'DataMissing',
      `the site maps no folder to dataset "${dataset}": add it to datasets in site.yaml`,
    );
  }
  try {
    await (await opendir(folder)).close();
    return folder;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw failure(
      'DataMissing',
      `the folder that the site maps to dataset "${dataset}" cannot be read (${code})`,
    );
  }
}
