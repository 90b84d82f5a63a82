import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { findTemporal } from '../../dev/temporal';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
import { createTestAuthority } from '../support/certificates';
import { useFolder } from '../support/folder';
import { useTemporal } from '../support/temporal';
import { startTlsFront, type TlsFront } from '../support/tls-front';

const root = resolve(__dirname, '../..');
const folder = useFolder();
const run = promisify(execFile);

const Service = z.object({
  image: z.string(),
  restart: z.string(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  environment: z.record(z.string(), z.string()),
  ports: z.array(z.string()).default([]),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
});

/** The settings of .env.example: those to fill in are empty. */
const settings = Object.fromEntries(
  readFileSync(join(root, '.env.example'), 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => line.split('=') as [string, string]),
);
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const compose = Compose.parse(parse(text, { merge: true }));

function composeCommand(): [string, ...string[]] | undefined {
  for (const [command, ...args] of [['docker', 'compose'], ['docker-compose']] as [string, ...string[]][]) {
    try {
      execFileSync(command, [...args, 'version'], { stdio: 'ignore' });
      return [command, ...args];
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

async function config(values: Record<string, string>, ...more: string[]): Promise<string> {
  const [command = '', ...args] = composeCommand() ?? [];
  const file = join(folder, 'env');
  await writeFile(
    file,
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const { stdout } = await run(
    command,
    [
      ...args,
      ...['docker-compose.yml', ...more].flatMap((name) => ['--file', join(root, name)]),
      ...['--env-file', file, 'config'],
    ],
    {
      env: { PATH: process.env.PATH, HOME: folder },
    },
  );
  return stdout;
}

const withCompose = composeCommand() === undefined ? it.skip : it;
const filledIn = Object.fromEntries(
  Object.entries(settings).map(([name, value]) => [name, value === '' ? `value-of-${name}` : value]),
);

describe('docker-compose.yml', () => {
  withCompose('is understood by Docker Compose once .env is filled in', async () => {
    const shown = Compose.pick({ volumes: true })
      .extend({ services: z.record(z.string(), z.unknown()) })
      .parse(parse(await config(filledIn)));
    expect(Object.keys(shown.services).sort()).toEqual(Object.keys(compose.services).sort());
    expect(Object.keys(shown.volumes).sort()).toEqual(['api', 'object-store', 'postgres']);
  });

  withCompose('does not start with a secret left out, and names it', async () => {
    await expect(config({ ...filledIn, MUSTER_API_SECRET: '' })).rejects.toThrow(
      'set MUSTER_API_SECRET in .env',
    );
  });

  it('asks for just what .env.example lists', () => {
    const asked = [...text.matchAll(/\$\{(\w+):[?-]/g)].map(([, name]) => name);
    expect(new Set(asked)).toEqual(new Set(Object.keys(settings)));
  });

  it('has a password or key in clear nowhere', () => {
    for (const { environment } of Object.values(compose.services)) {
      for (const [name, value] of Object.entries(environment)) {
        // An instance need not have an OpenID provider.
        if (name === 'MUSTER_OIDC_CLIENT_SECRET') expect(value).toBe('${MUSTER_OIDC_CLIENT_SECRET:-}');
        else if (/PASSWORD|PWD|SECRET|TOKEN|ACCESS_KEY|_KEYS$|ROOT_USER/.test(name))
          expect(value).toMatch(/^\$\{\w+:\?set \w+ in \.env\}$/);
      }
    }
  });

  it('knows of every part when it is healthy or done; the central worker is known by what it does', () => {
    for (const [name, { healthcheck, restart }] of Object.entries(compose.services)) {
      const isOneShot = restart === 'on-failure';
      if (!isOneShot && name !== 'central-worker')
        expect([name, healthcheck?.test.length]).toEqual([name, expect.any(Number)]);
    }
  });

  it('fixes the version of every image, and opens nothing but by choice to other machines', () => {
    for (const { image, ports } of Object.values(compose.services)) {
      if (image !== 'muster') expect(image).toMatch(/:[\w.-]*\d[\w.-]*$/);
      for (const port of ports)
        expect(port).toMatch(/^(127\.0\.0\.1|\$\{MUSTER_(?:SITE_)?BIND:-127\.0\.0\.1\}):/);
    }
  });
});

describe('docker-compose.tls.yml', () => {
  withCompose('leaves no service without TLS to Temporal, Postgres and the object store', async () => {
    const shown = z
      .object({ services: z.record(z.string(), Service.pick({ environment: true })) })
      .parse(parse(await config(filledIn, 'docker-compose.tls.yml')));
    const ca = '/etc/muster/centre/ca.crt';
    const using = (variable: string) =>
      Object.values(shown.services)
        .map(({ environment }) => environment)
        .filter((environment) => environment[variable] !== undefined);
    for (const environment of using('TEMPORAL_ADDRESS'))
      expect(environment.TEMPORAL_TLS_CA ?? environment.TEMPORAL_TLS_SERVER_CA_CERT_PATH).toBe(ca);
    for (const environment of using('MINIO_ENDPOINT'))
      expect(environment).toMatchObject({ MINIO_ENDPOINT: 'https://object-store:9000', MINIO_TLS_CA: ca });
    for (const environment of using('DATABASE_URL'))
      expect(environment).toMatchObject({ DATABASE_TLS_CA: ca });
    for (const environment of using('POSTGRES_SEEDS'))
      expect(environment).toMatchObject({ SQL_CA: ca, SQL_HOST_VERIFICATION: 'true' });
    for (const environment of using('SQL_HOST')) expect(environment).toMatchObject({ SQL_TLS_CA_FILE: ca });
    expect(['TEMPORAL_ADDRESS', 'MINIO_ENDPOINT', 'DATABASE_URL'].map((name) => using(name).length)).toEqual([
      5, 2, 1,
    ]);
  });
});

describe('deploy/temporal/setup-namespace.sh', () => {
  const temporal = useTemporal();
  const fronts: TlsFront[] = [];
  afterAll(() => Promise.all(fronts.map((front) => front.close())));

  /** By TLS, as docker-compose.tls.yml has it. */
  async function byTls(): Promise<Record<string, string>> {
    const authority = await createTestAuthority();
    const [server, own] = await Promise.all([authority.issueServer(), authority.issue({})]);
    const front = await startTlsFront(temporal.address, server, authority.cert);
    fronts.push(front);
    for (const [name, pem] of Object.entries({ ca: authority.cert, cert: own.cert, key: own.key }))
      await writeFile(join(folder, name), pem);
    return {
      TEMPORAL_ADDRESS: front.address,
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'ca'),
      TEMPORAL_TLS_CLIENT_CERT_PATH: join(folder, 'cert'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: join(folder, 'key'),
    };
  }

  it('makes the namespace with the search attributes of the contract, and can be run again', async () => {
    const cli = await findTemporal({ progress: () => undefined });
    const bin = join(folder, 'temporal');
    await writeFile(bin, `#!/bin/sh\nexec '${cli}' "$@"\n`, { mode: 0o755 });
    const namespace = `${temporal.namespace}-deployed`;
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      HOME: folder,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: namespace,
    };
    const script = join(root, 'deploy/temporal/setup-namespace.sh');
    await run('sh', [script], { env });
    await run('sh', [script], { env: { ...env, ...(await byTls()) } });
    expect(fronts[0]?.shown.length).toBeGreaterThan(0);
    const { customAttributes } = await temporal.connection.operatorService.listSearchAttributes({
      namespace,
    });
    expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)));
  });
});
