/** The example computation as `muster try` is told of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Consortium } from './consortium';

const folder = join(__dirname, '../../computations/penguins');

export const PENGUINS = join(folder, 'computation.yaml');
export const ISLANDS = ['biscoe', 'dream', 'torgersen'];
export const ISLAND_ARGUMENTS = ISLANDS.flatMap((island) => [
  '--site',
  `${island}=${join(folder, 'data', island)}`,
]);

/** A consortium of the islands that is up, its first run complete. */
export function openPenguins(folder: string, parameters: object): Promise<Consortium> {
  const params = join(folder, 'params.json');
  writeFileSync(params, JSON.stringify(parameters));
  return Consortium.open([PENGUINS, ...ISLAND_ARGUMENTS, '--params', params, '--runtime', 'process']);
}

const Fit = z.looseObject({ n: z.number(), intercept: z.number(), slope: z.number() });

/** The federated fit in an output folder. */
export function globalFit(output: string): z.output<typeof Fit> {
  return Fit.parse(JSON.parse(readFileSync(join(output, 'global_fit.json'), 'utf8')));
}
