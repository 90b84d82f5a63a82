/** What people said on the page of runs that wait here. It is asked for only where the site's own file takes such answers. */
import type { Logger } from 'pino';
import type { Approvals } from '../activities/edge/approvals';
import type { CentralApi } from '../client/central-api';

export interface PageAnswersParts {
  api: Pick<CentralApi, 'getAnswers'>;
  approvals: Pick<Approvals, 'list' | 'answerFirst'>;
  log: Pick<Logger, 'info'>;
}

/** Takes the answers to what has been asked here and nobody has answered; what else there is counts for nothing. */
export async function takePageAnswers(
  { api, approvals, log }: PageAnswersParts,
  signal: AbortSignal,
): Promise<void> {
  const { answers } = await api.getAnswers(signal);
  const open = new Map(
    (await approvals.list()).filter(({ answer }) => answer === undefined).map((asked) => [asked.id, asked]),
  );
  for (const { askId, ...said } of answers) {
    const asked = open.get(askId);
    if (!asked) continue;
    await approvals.answerFirst(asked, { ...said, via: 'page' });
    log.info(
      { runId: asked.request.runId, verdict: said.verdict, by: said.by },
      'a run was answered on the page',
    );
  }
}
