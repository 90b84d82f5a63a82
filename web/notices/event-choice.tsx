/** Of what somebody is told. */
import { NOTICE_EVENTS, type NoticeEvent } from '../../workflows/notice-contract';
import { AnyOf } from '../parts/controls';
import { EVENT_WORDS } from './words';

const OPTIONS = NOTICE_EVENTS.map((key) => ({ key, name: EVENT_WORDS[key] }));

interface EventChoiceProps {
  label: string;
  value: readonly NoticeEvent[];
  onChange: (on: NoticeEvent[]) => void;
  isReadOnly?: boolean;
}

export const EventChoice = (props: EventChoiceProps) => <AnyOf {...props} options={OPTIONS} />;

/** Said where mails do not get out. */
export const NoMailServer = () => (
  <p className="verdict tone-warn">
    <b>No mail gets out of this instance</b>
    Its operator has to set a mail server: MUSTER_SMTP_URL and MUSTER_SMTP_FROM of the central worker.
  </p>
);
