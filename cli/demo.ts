/** `muster demo`: the penguins of three islands, each a site; shows what each knows alone and what they know together. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { packageRoot } from '../dev/package-root';
import { fitTable, Fit, type FitRow } from './fit-table';
import type { TrySummary } from './summary';
import { addTrialOptions, tryPlan, type TryOptions } from './try';
import { readPlan } from './try-plan';

const SITES = ['biscoe', 'dream', 'torgersen'];

/** Adds `muster demo`. */
export function registerDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('run the example computation: a regression over the penguins of three islands');
  addTrialOptions(command).action(async (options: TryOptions & { params?: string }) => {
    const folder = join(packageRoot(), 'computations', 'penguins');
    const site = SITES.map((id) => `${id}=${join(folder, 'data', id)}`);
    const plan = await readPlan(join(folder, 'computation.yaml'), { site, params: options.params });
    await tryPlan(plan, options, showFits);
  });
}

async function showFits({ outputs }: TrySummary): Promise<string[]> {
  const own = await Promise.all(
    Object.entries(outputs.sites).map(([site, folder]) => readFit(`${site} alone`, folder, 'local_fit.json')),
  );
  return ['', ...fitTable([...own, await readFit('all together', outputs.central, 'global_fit.json')]), ''];
}

async function readFit(name: string, folder: string, file: string): Promise<FitRow> {
  return { name, ...Fit.parse(JSON.parse(await readFile(join(folder, file), 'utf8'))) };
}
