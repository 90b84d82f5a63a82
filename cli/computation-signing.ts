/** `muster computation keygen | sign`: vouching for a computation by a key of one's own, which sites may ask for. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { exportJWK, importPKCS8, type CryptoKey } from 'jose';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { signComputation } from '../activities/shared/signed-computation';
import { errorCode } from '../nodes/error-code';
import { parseComputation } from './arguments';
import { messageOf } from './message-of';
import { UsageError } from './usage-error';

const PublicJwk = z.object({ x: z.string() });

/** Adds the commands to `muster computation`. */
export function registerComputationSigning(computation: Command): void {
  computation
    .command('keygen')
    .description('make a key to sign computations with')
    .argument('<file>', 'where the private key is to be; nothing is overwritten')
    .action(keygen);
  computation
    .command('sign')
    .description('sign what of a computation runs at sites, and write the signature into its file')
    .argument('<file>', 'its computation.yaml, with its image by digest')
    .requiredOption('--key <file>', 'the private key, as `muster computation keygen` made it')
    .action(sign);
}

async function keygen(file: string): Promise<void> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await writeFile(file, pem, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if (errorCode(error) === 'EEXIST') throw new UsageError(`${file} is there already: name another file.`);
    throw new UsageError(`${file} cannot be written: ${messageOf(error)}`);
  });
  const { publicKey } = await openKey(file);
  process.stdout.write(`${publicKey}\n`);
  process.stderr.write(`Sites name this key as \`signer\` in site.yaml. Keep ${file} away from others.\n`);
}

async function sign(file: string, { key }: { key: string }): Promise<void> {
  const text = await read(file);
  const computation = parseComputation(text, file);
  const keys = await openKey(key);
  const signature = await signComputation(computation, keys);
  if (signature === undefined) throw new UsageError(notByDigest(file, computation.image));
  const document = parseDocument(text);
  document.set('signature', signature);
  await writeFile(file, document.toString({ lineWidth: 0 }));
  process.stdout.write(`${computation.name}@${computation.version} is signed by ${keys.publicKey}\n`);
}

function notByDigest(file: string, image: string | undefined): string {
  if (image === undefined) return `${file} names no image: what runs as local processes cannot be signed.`;
  return (
    `${file}: image: ${image} may mean another image tomorrow: name it by its digest, repository@sha256:..., as ` +
    `\`docker image inspect --format '{{index .RepoDigests 0}}' ${image}\` says.`
  );
}

async function openKey(file: string): Promise<{ privateKey: CryptoKey; publicKey: string }> {
  const pem = await read(file);
  try {
    if (createPrivateKey(pem).asymmetricKeyType !== 'ed25519') throw new Error('another kind of key');
    const privateKey = await importPKCS8(pem, 'EdDSA', { extractable: true });
    return { privateKey, publicKey: PublicJwk.parse(await exportJWK(privateKey)).x };
  } catch {
    throw new UsageError(`${file} is not an Ed25519 private key as \`muster computation keygen\` makes it.`);
  }
}

const read = (file: string) =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`);
  });
