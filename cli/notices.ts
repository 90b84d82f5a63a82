/** `muster notices`: of what one is told by mail. */
import type { Command } from 'commander';
import type { NoticeEvent } from '../workflows/notice-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { examples } from './help';
import { NO_MAIL_SERVER, ON_OPTION } from './notice-events';
import { JSON_OPTION, print, type JsonOption } from './output';
import { UsageError } from './usage-error';

interface Options extends ApiOptions, JsonOption {
  on?: NoticeEvent[];
  off?: true;
}

/** Adds `muster notices`. */
export function registerNotices(program: Command): void {
  examples(
    withApiOptions(program.command('notices'))
      .description('show, or change, of what you are told by mail: of the runs of your consortia and sites')
      .option(...ON_OPTION)
      .option('--off', 'of nothing')
      .option(...JSON_OPTION)
      .action(notices),
    ['muster notices', 'muster notices --on failed,waiting', 'muster notices --off'],
  );
}

async function notices({ on, off, json, ...where }: Options): Promise<void> {
  if (on !== undefined && off) throw new UsageError('--on and --off are opposites.');
  const api = await openApi(where);
  const wished = off ? [] : on;
  const now =
    wished === undefined ? await api.getMyNotices() : await api.putMyNotices({ body: { on: wished } });
  print(json, now, [
    now.on.length === 0 ? 'You get no mail.' : `You get mail of: ${now.on.join(', ')}.`,
    ...(now.noMailServer && now.on.length > 0 ? [NO_MAIL_SERVER] : []),
  ]);
}
