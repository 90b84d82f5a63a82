/** Which page is at which address. server/plugins/page.ts serves the document for each of them. */
import { createRootRoute, createRoute, createRouter, Link, Navigate, Outlet } from '@tanstack/react-router';
import { Frame } from './frame';
import { useChanges } from './live/use-changes';
import { ComputationsPage, HealthPage, PeoplePage } from './pages/admin';
import { AuditPage, readFilter } from './pages/audit';
import { ConsortiumPage } from './pages/consortium';
import { HomePage } from './pages/home';
import { MePage } from './pages/me';
import { NewConsortiumPage } from './pages/new-consortium';
import { RunPage } from './pages/run';
import { SitePage } from './pages/site';
import { SitesPage } from './pages/sites';

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

/** A run has a stream of its own; all other pages are kept as they are by the stream of changes. */
const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  component: function ShowRun() {
    const { runId } = run.useParams();
    return <RunPage key={runId} runId={runId} />;
  },
});
const kept = createRoute({
  getParentRoute: () => root,
  id: 'kept',
  component: function Kept() {
    useChanges();
    return <Outlet />;
  },
});
const home = createRoute({ getParentRoute: () => kept, path: '/', component: HomePage });
const newConsortium = createRoute({
  getParentRoute: () => kept,
  path: '/consortia/new',
  component: NewConsortiumPage,
});
const consortium = createRoute({
  getParentRoute: () => kept,
  path: '/consortia/$consortiumId',
  component: function ShowConsortium() {
    const { consortiumId } = consortium.useParams();
    return <ConsortiumPage key={consortiumId} consortiumId={consortiumId} />;
  },
});
const sites = createRoute({ getParentRoute: () => kept, path: '/sites', component: SitesPage });
const site = createRoute({
  getParentRoute: () => kept,
  path: '/sites/$siteId',
  component: function ShowSite() {
    const { siteId } = site.useParams();
    return <SitePage key={siteId} siteId={siteId} />;
  },
});
const me = createRoute({ getParentRoute: () => kept, path: '/me', component: MePage });
const people = createRoute({ getParentRoute: () => kept, path: '/admin/people', component: PeoplePage });
const computations = createRoute({
  getParentRoute: () => kept,
  path: '/admin/computations',
  component: ComputationsPage,
});
const audit = createRoute({
  getParentRoute: () => kept,
  path: '/admin/audit',
  validateSearch: readFilter,
  component: function ShowAudit() {
    return <AuditPage filter={audit.useSearch()} />;
  },
});
const health = createRoute({ getParentRoute: () => kept, path: '/admin/health', component: HealthPage });
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: () => <Navigate to="/" replace />,
});

export const createPageRouter = () =>
  createRouter({
    routeTree: root.addChildren([
      kept.addChildren([
        ...[home, newConsortium, consortium, sites, site, me],
        ...[people, computations, audit, health],
      ]),
      run,
      signIn,
    ]),
    scrollRestoration: false,
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPageRouter>;
  }
}
