/** The page's start. */
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { config } from 'zod';
import { PAGE_ADDRESSES } from '../workflows/page-addresses';
import { AcceptInvitation } from './pages/invitation';
import { FirstPassword } from './pages/password';
import { SignIn } from './pages/sign-in';
import { Skeleton } from './parts/states';
import { createPageRouter } from './router';
import { MeProvider, meQuery, onNewToken, queries, takeToken } from './session';
import { wordsOf } from './api/errors';
import './styles/page.css';
import './styles/parts.css';

// The page's policy lets nothing be compiled from text.
config({ jitless: true });

const router = createPageRouter();

/** What is at this address, for who is here. */
function Page() {
  const { data: me, error, failureReason } = useQuery(meQuery);
  if (me === undefined)
    return (
      <main className="alone">
        {failureReason ? (
          <p className="banner" role="status">
            {wordsOf(failureReason)} {error === null && 'Trying again…'}
          </p>
        ) : (
          <Skeleton what="Muster" lines={4} />
        )}
      </main>
    );
  if (location.pathname === PAGE_ADDRESSES.invitation) return <AcceptInvitation me={me} />;
  if (me === null) return <SignIn />;
  if (me.mustChangePassword) return <FirstPassword />;
  return (
    <MeProvider value={me}>
      <RouterProvider router={router} />
    </MeProvider>
  );
}

takeToken();
onNewToken(() => location.reload());
const place = document.getElementById('page');
if (place)
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Page />
      </QueryClientProvider>
    </StrictMode>,
  );
