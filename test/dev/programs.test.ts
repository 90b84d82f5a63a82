import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findMinio } from '../../dev/object-store';
import { cachePath, firstThatWorks, inCache, made, onPath, type Waiting } from '../../dev/programs';
import { findTemporal } from '../../dev/temporal';
import { useFolder } from '../support/folder';

const folder = useFolder();
const quiet: Waiting = { progress: () => undefined };
const tool = { name: 'tool', version: '1.2' };

async function program(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, 0o755);
  return path;
}

describe('where a program is looked for', () => {
  it('takes the one on PATH before the one in the cache', async () => {
    const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') };
    const cached = await program(cachePath(tool, env));
    const ways = [onPath('tool', env), inCache(tool, env)];
    await expect(firstThatWorks('tool', ways, '', quiet)).resolves.toBe(cached);
    const installed = await program(join(folder, 'bin', 'tool'));
    await expect(firstThatWorks('tool', ways, '', quiet)).resolves.toBe(installed);
  });

  it('passes over what cannot be run', async () => {
    const env = { PATH: join(folder, 'notes') };
    await mkdir(join(folder, 'notes', 'tool'), { recursive: true });
    await writeFile(join(folder, 'notes', 'other'), '');
    await expect(onPath('tool', env).take(quiet)).rejects.toThrow('not there');
    await expect(onPath('other', env).take(quiet)).rejects.toThrow('not there');
  });

  it('does not try the next way when nobody waits any more', async () => {
    const unwanted = new AbortController();
    const first = {
      name: 'first',
      take: () => Promise.reject(new Error('no')).finally(() => unwanted.abort(new Error('unwanted'))),
    };
    const second = { name: 'second', take: () => Promise.resolve('found') };
    await expect(
      firstThatWorks('tool', [first, second], '', { ...quiet, signal: unwanted.signal }),
    ).rejects.toThrow('unwanted');
  });
});

describe('a program that is made', () => {
  it('is whole and the same for all who make it at the same time, and leaves nothing else', async () => {
    const env = { XDG_CACHE_HOME: join(folder, 'shared-cache') };
    const make = (mark: string) => async (workshop: string) => {
      const path = await program(join(workshop, 'tool'));
      await writeFile(path, mark.repeat(10_000));
      return path;
    };
    const makers = ['a', 'b', 'c', 'd'].map((mark) => made('made', tool, make(mark), env).take(quiet));
    const paths = await Promise.all(makers);
    expect(new Set(paths)).toEqual(new Set([cachePath(tool, env)]));
    expect(await readFile(cachePath(tool, env), 'utf8')).toMatch(/^(a+|b+|c+|d+)$/);
    expect(await readdir(join(folder, 'shared-cache', 'muster'))).toEqual(['tool-1.2']);
  });

  it('does not appear when making it failed', async () => {
    const env = { XDG_CACHE_HOME: join(folder, 'failed-cache') };
    const way = made('made', tool, () => Promise.reject(new Error('no compiler')), env);
    await expect(way.take(quiet)).rejects.toThrow('no compiler');
    expect(await readdir(join(folder, 'failed-cache', 'muster'))).toEqual([]);
  });
});

describe('when every way fails', () => {
  // No programs, an empty cache, and a proxy at which nobody listens instead of the network.
  const nowhere = {
    PATH: join(folder, 'empty'),
    XDG_CACHE_HOME: join(folder, 'empty'),
    HTTPS_PROXY: 'http://127.0.0.1:9',
  };

  it('says so for each way to get Temporal, and what to do', async () => {
    const error: unknown = await findTemporal(quiet, nowhere).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/temporal on PATH: not there/);
    expect(String(error)).toMatch(/the cache: no .*empty.muster.temporal-1\.5\.1.temporal/);
    expect(String(error)).toMatch(/download by the Temporal SDK: .*temporal\.download/);
    expect(String(error)).toMatch(/build with Go: go is not installed/);
    expect(String(error)).toMatch(/set TEMPORAL_ADDRESS/);
  });

  it('says so for each way to get MinIO, and what to do', async () => {
    const error: unknown = await findMinio(quiet, nowhere).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/minio on PATH: not there/);
    expect(String(error)).toMatch(/the cache: no .*minio/);
    expect(String(error)).toMatch(/Docker .*: docker is not installed/);
    expect(String(error)).toMatch(/build with Go: go is not installed/);
    expect(String(error)).toMatch(/set MINIO_ENDPOINT, MINIO_ACCESS_KEY and MINIO_SECRET_KEY/);
  });
});
