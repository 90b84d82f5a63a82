/** Times on the page: fixed ones, and lengths that grow while they are watched. */
import { dayTime, duration, fullTime } from '../format';
import { serverNow } from '../live/clock';
import { useNow } from '../live/now';

/** How long ago `at` was; it grows every second. */
export function Growing({ at }: { at: number }) {
  const now = useNow();
  return <time title={`since ${fullTime(at)}`}>{duration(now - at)}</time>;
}

/** A moment: its local time of day, with the date where that is another one; the zone is in its title. */
export function Moment({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
      {dayTime(at, serverNow())}
    </time>
  );
}
