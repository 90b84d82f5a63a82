/** Which page is at which address. server/plugins/page.ts serves the document for each of them. */
import { createRootRoute, createRoute, createRouter, Link, Navigate } from '@tanstack/react-router';
import { Frame } from './frame';
import { HomePage } from './pages/home';
import { MePage } from './pages/me';
import { RunPage } from './pages/run';

const root = createRootRoute({
  component: Frame,
  notFoundComponent: () => (
    <section className="message">
      <h1>There is no such page</h1>
      <p>
        <Link to="/">Back to the first page</Link>
      </p>
    </section>
  ),
});
const home = createRoute({ getParentRoute: () => root, path: '/', component: HomePage });
const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  component: () => <RunPage key={run.useParams().runId} runId={run.useParams().runId} />,
});

const me = createRoute({ getParentRoute: () => root, path: '/me', component: MePage });
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: () => <Navigate to="/" replace />,
});

export const createPageRouter = () =>
  createRouter({ routeTree: root.addChildren([home, run, me, signIn]), scrollRestoration: false });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPageRouter>;
  }
}
