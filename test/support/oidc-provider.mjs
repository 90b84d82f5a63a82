// An OpenID provider as a process of its own: node oidc-provider.mjs PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI ACCOUNTS.
// Whoever comes is signed in as the `login_hint` of the request says, and agrees to everything; the hint `nobody` refuses.
import Provider from 'oidc-provider';

const [port, clientId, clientSecret, redirectUri, accounts] = process.argv.slice(2);
const known = JSON.parse(accounts);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  cookies: { keys: ['only for tests'] },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...known[id] }) }),
});

provider.use(async (context, next) => {
  if (!context.path.startsWith('/interaction/')) return next();
  const { prompt, params, session } = await provider.interactionDetails(context.req, context.res);
  await provider.interactionFinished(context.req, context.res, await answer(prompt, params, session));
  context.respond = false;
});

async function answer(prompt, params, session) {
  if (params.login_hint === 'nobody') return { error: 'access_denied', error_description: 'not today' };
  if (prompt.name === 'login') return { login: { accountId: params.login_hint } };
  const grant = new provider.Grant({ accountId: session.accountId, clientId });
  grant.addOIDCScope(params.scope);
  return { consent: { grantId: await grant.save() } };
}

provider.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
