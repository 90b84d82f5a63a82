/**
 * Keeps the container engine's socket out of containers. Whoever reaches it is root on the host, and a read-only mount does
 * not keep anybody from speaking through it.
 */
import type Docker from 'dockerode';
import { realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { failure } from '../workflows/errors';

/** Where engines listen unless they are told otherwise. */
const USUAL = [
  '/run/docker.sock',
  '/var/run/docker.sock',
  '/run/containerd/containerd.sock',
  '/run/podman/podman.sock',
  '/run/crio/crio.sock',
];

/**
 * The socket of an engine that a container would reach through a mount of `folder`: the folder holds it, or is it.
 * `undefined` if there is none, or no such folder.
 */
export async function socketWithin(folder: string, engine: Docker): Promise<string | undefined> {
  const place = await realpath(folder).catch(() => undefined);
  if (place === undefined) return undefined;
  const own = await stat(place);
  for (const socket of new Set([...ownSockets(engine), ...USUAL])) {
    // Whatever its folder is called there: `/var/run` is `/run`.
    const real = await realpath(socket).catch(() => undefined);
    if (real === undefined) continue;
    if (isBelow(real, place) || (await hasAbove(real, own))) return socket;
  }
  return undefined;
}

/** @throws ApplicationFailure `NodeNotStarted`, which names the mount and not the folder: that is the host's business */
export async function refuseSockets(
  mounts: readonly { Source: string; Target: string }[],
  engine: Docker,
): Promise<void> {
  for (const { Source, Target } of mounts) {
    const socket = await socketWithin(Source, engine);
    if (socket === undefined) continue;
    throw failure(
      'NodeNotStarted',
      `The folder for ${Target} is not mounted, for the container engine's socket ${socket} would be in it.`,
    );
  }
}

function ownSockets({ modem }: Docker): string[] {
  const { socketPath } = modem as { socketPath?: unknown };
  return typeof socketPath === 'string' ? [socketPath] : [];
}

const isBelow = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** Whether the file itself, or a folder above it, is the same by another name: a bind mount has one of its own. */
async function hasAbove(path: string, { dev, ino }: { dev: number; ino: number }): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found?.dev === dev && found.ino === ino) return true;
    if (at === dirname(at)) return false;
  }
}
