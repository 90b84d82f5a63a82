/** The page's start. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { config } from 'zod';
import { ApiError } from './api/errors';
import { AccessForm } from './pages/access-form';
import { createPageRouter } from './router';
import { access, onNewToken, openSession } from './session';
import { useStore } from './store';
import './styles/page.css';
import './styles/parts.css';

// The page's policy lets nothing be compiled from text.
config({ jitless: true });

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 3 && !(error instanceof ApiError && !error.mayPass),
      staleTime: 10_000,
    },
  },
});
const router = createPageRouter();

function Page() {
  const state = useStore(access);
  if (state !== 'there') return <AccessForm refused={state === 'refused'} />;
  return <RouterProvider router={router} />;
}

openSession();
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
