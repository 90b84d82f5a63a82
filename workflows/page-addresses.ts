/**
 * Where the page has its pages; `$name` stands for one part. The page tells them apart (web/router.tsx), and the central API answers
 * each with the page's document (server/plugins/page.ts).
 */
export const PAGE_ADDRESSES = {
  home: '/',
  run: '/runs/$runId',
  newConsortium: '/consortia/new',
  consortium: '/consortia/$consortiumId',
  sites: '/sites',
  site: '/sites/$siteId',
  me: '/me',
  people: '/admin/people',
  computations: '/admin/computations',
  audit: '/admin/audit',
  health: '/admin/health',
  signIn: '/sign-in',
  invitation: '/invitation',
} as const;
