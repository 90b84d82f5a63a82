/** Pages that are for administrators alone: others are told so, in place of them. */
import { Outlet } from '@tanstack/react-router';
import { useMe } from '../session';
import { NotForYou } from './states';
import { useTitle } from './title';

export function ForAdmins() {
  return useMe().admin ? <Outlet /> : <NotAnAdmin />;
}

function NotAnAdmin() {
  const title = 'This page is for administrators';
  useTitle(title);
  return (
    <NotForYou title={title}>
      Whoever looks after this instance of Muster uses it. If you should be one of them, ask an administrator
      to make you one.
    </NotForYou>
  );
}
