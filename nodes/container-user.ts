/**
 * As whom a container runs: as the user of its worker, whose the mounted folders are. Without the capability to override
 * permissions not even root in a container could write to a folder of another user.
 */
import type Docker from 'dockerode';
import { z } from 'zod';
import { ask } from './engine';

/** What of a container's making is about its user. */
export interface ContainerUser {
  User?: string;
  UsernsMode?: string;
  /** Variables that an image made for root does not set for others. */
  env: Readonly<Record<string, string>>;
}

const Info = z.object({
  SecurityOptions: z
    .array(z.string())
    .nullish()
    .transform((options) => options ?? []),
});

/** The user of containers that `engine` makes for this process. */
export async function containerUser(engine: Docker): Promise<ContainerUser> {
  const { SecurityOptions } = Info.parse(await ask(engine.info()));
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  return uid === undefined || gid === undefined ? { env: {} } : userOf({ uid, gid }, SecurityOptions);
}

/** Whether `engine` bounds the system calls of containers, as it does unless it was told not to. */
export async function seccompOf(engine: Docker): Promise<boolean> {
  const { SecurityOptions } = Info.parse(await ask(engine.info()));
  const option = SecurityOptions.find((one) => one.split(',').includes('name=seccomp'));
  return option !== undefined && !option.includes('profile=unconfined');
}

/** How `worker` is called in a container of an engine with these security options. */
export function userOf(
  worker: { uid: number; gid: number },
  securityOptions: readonly string[],
): ContainerUser {
  const has = (name: string) => securityOptions.some((option) => option.split(',').includes(`name=${name}`));
  // Of a rootless engine the user who runs it is root in its containers, and has no other name there.
  if (has('rootless')) return { User: '0:0', env: {} };
  const { uid, gid } = worker;
  return {
    User: `${uid}:${gid}`,
    // An engine that renames users would make another one of it.
    ...(has('userns') && { UsernsMode: 'host' }),
    // The image knows no user of this number: no home that it may write to, and no name.
    env: uid === 0 ? {} : { HOME: '/tmp', USER: 'muster', LOGNAME: 'muster' },
  };
}
