/** The site's own folder for the consortium's name of the data. */
import { opendir } from 'node:fs/promises';
import { errorCode } from '../../nodes/error-code';
import type { Site } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { HostPolicy } from '../shared/policy';

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a folder',
};

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
  const problem = await opendir(folder).then(
    (opened) => opened.close(),
    (error: unknown) => PROBLEMS[errorCode(error) ?? ''] ?? 'cannot be read by the edge worker',
  );
  if (problem === undefined) return folder;
  throw failure('DataMissing', `the folder that the site maps to dataset "${dataset}" ${problem}`);
}
