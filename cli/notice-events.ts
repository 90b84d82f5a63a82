/** `--on finished,failed`: of what somebody is to be told. */
import { InvalidArgumentError } from 'commander';
import { NOTICE_EVENTS, NoticeEvent } from '../workflows/notice-contract';

export const ON_OPTION = [
  '--on <events>',
  'of what: finished (complete, or stopped), failed, waiting (a person has to do something before a run goes on); with commas between',
  noticeEvents,
] as const;

/** @throws InvalidArgumentError */
export function noticeEvents(text: string): NoticeEvent[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  return names.map((name) => {
    const event = NoticeEvent.safeParse(name);
    if (event.success) return event.data;
    throw new InvalidArgumentError(`It is one or more of ${NOTICE_EVENTS.join(', ')}, with commas between.`);
  });
}

/** Where the last mail could not be sent, why. */
export const NO_MAIL_SERVER =
  'No mail gets out: the instance has no mail server set, which is for whoever runs it (MUSTER_SMTP_URL).';
