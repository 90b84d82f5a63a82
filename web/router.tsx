/** Which page is at which address. */
import { createRootRoute, createRoute, createRouter, Link, Navigate, Outlet } from '@tanstack/react-router';
import { PAGE_ADDRESSES } from '../workflows/page-addresses';
import { Frame } from './frame';
import { useChanges } from './live/use-changes';
import { AuditPage, readFilter } from './pages/audit';
import { ComputationsPage } from './pages/computations';
import { ConsortiumPage } from './pages/consortium';
import { HealthPage } from './pages/health';
import { HomePage } from './pages/home';
import { MePage } from './pages/me';
import { NewConsortiumPage } from './pages/new-consortium';
import { PeoplePage } from './pages/people';
import { RunPage } from './pages/run';
import { SitePage } from './pages/site';
import { SitesPage } from './pages/sites';
import { ForAdmins } from './parts/for-admins';

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
  path: PAGE_ADDRESSES.run,
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
const home = createRoute({ getParentRoute: () => kept, path: PAGE_ADDRESSES.home, component: HomePage });
const newConsortium = createRoute({
  getParentRoute: () => kept,
  path: PAGE_ADDRESSES.newConsortium,
  component: NewConsortiumPage,
});
const consortium = createRoute({
  getParentRoute: () => kept,
  path: PAGE_ADDRESSES.consortium,
  component: function ShowConsortium() {
    const { consortiumId } = consortium.useParams();
    return <ConsortiumPage key={consortiumId} consortiumId={consortiumId} />;
  },
});
const sites = createRoute({ getParentRoute: () => kept, path: PAGE_ADDRESSES.sites, component: SitesPage });
const site = createRoute({
  getParentRoute: () => kept,
  path: PAGE_ADDRESSES.site,
  component: function ShowSite() {
    const { siteId } = site.useParams();
    return <SitePage key={siteId} siteId={siteId} />;
  },
});
const me = createRoute({ getParentRoute: () => kept, path: PAGE_ADDRESSES.me, component: MePage });
const forAdmins = createRoute({ getParentRoute: () => kept, id: 'for admins', component: ForAdmins });
const people = createRoute({
  getParentRoute: () => forAdmins,
  path: PAGE_ADDRESSES.people,
  component: PeoplePage,
});
const computations = createRoute({
  getParentRoute: () => forAdmins,
  path: PAGE_ADDRESSES.computations,
  component: ComputationsPage,
});
const audit = createRoute({
  getParentRoute: () => kept,
  path: PAGE_ADDRESSES.audit,
  validateSearch: readFilter,
  component: function ShowAudit() {
    return <AuditPage filter={audit.useSearch()} />;
  },
});
const health = createRoute({
  getParentRoute: () => forAdmins,
  path: PAGE_ADDRESSES.health,
  component: HealthPage,
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: PAGE_ADDRESSES.signIn,
  component: () => <Navigate to="/" replace />,
});

export const createPageRouter = () =>
  createRouter({
    routeTree: root.addChildren([
      kept.addChildren([
        ...[home, newConsortium, consortium, sites, site, me, audit],
        forAdmins.addChildren([people, computations, health]),
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
