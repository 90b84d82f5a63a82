/** The site gateway as a process: reads its settings, opens what it needs, and passes calls until it is told to end. */
import closeWithGrace from 'close-with-grace';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { destination, pino } from 'pino';
import { readTlsFiles } from '../../certificates/tls-files';
import { createPayloadCodec } from '../../sealing/payload-codec';
import { ConfigError } from '../config';
import { siteIdentityOf } from '../identity/certificate';
import { readCertificate, showRenewed, type ShownCertificate } from '../shown-certificate';
import { ApiAdmissions, gatewayName } from './admissions';
import { readGatewayConfig, type GatewayConfig } from './config';
import { createGateway } from './gateway';
import { remembering } from './identity';
import { sitePayloadsOf } from './payloads';
import { connectTemporal, type TemporalAddress } from './temporal';
import { TokenKeys } from './tokens';

/** Calls under way may take so long to end after a signal; polls are ended at once. */
const GRACE_MS = 10_000;
const COUNT_MS = 60_000;

async function main(): Promise<void> {
  const config = readGatewayConfig(process.env);
  // The audit has a line for each task: calls shall not wait for whoever reads the log.
  const log = pino(
    { base: { part: 'gateway' }, level: config.logLevel },
    destination({ dest: 1, sync: false }),
  );
  const ending = new AbortController();
  const [certificate, siteCa, temporal] = await Promise.all([
    readCertificate(config.certificate),
    readFile(config.siteCa),
    temporalAddress(config),
  ]);
  const access = { ...config.api, name: gatewayName(hostname(), config.port) };
  const admissions = await ApiAdmissions.open(access, log, ending.signal);
  const gateway = createGateway({
    ...{ certificate, siteCa, admissions, log, identityOf: remembering(siteIdentityOf) },
    temporal: connectTemporal(temporal),
    namespace: config.temporal.namespace,
    keys: new TokenKeys(config.keys),
    payloads: sitePayloadsOf(createPayloadCodec(config.payloadKeys)),
  });
  closeWithGrace({ delay: GRACE_MS + 1_000, logger: log }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'ending after an error');
    else log.info({ signal }, 'ending');
    ending.abort();
    await Promise.all([gateway.close(GRACE_MS), admissions.leave()]);
  });
  const show = (renewed: ShownCertificate) => gateway.setCertificate(renewed);
  showRenewed({ files: config.certificate, shown: certificate, show, log });
  const { address, port } = await gateway.listen(config.host, config.port);
  setInterval(() => log.info(gateway.counters(), 'counted'), COUNT_MS).unref();
  log.info({ address, port, namespace: config.temporal.namespace, pid: process.pid }, 'ready');
}

async function temporalAddress({ temporal: { address, tls } }: GatewayConfig): Promise<TemporalAddress> {
  return { address, ...(tls && { tls: await readTlsFiles('TEMPORAL', tls) }) };
}

main().catch((error: unknown) => {
  const wrong = error instanceof ConfigError;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(wrong ? 2 : 1);
});
