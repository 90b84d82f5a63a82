/** How much memory a large kit takes on its way from the computation that made it to the node that uses it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const KIT_STEPS = ['pack', 'upload', 'download', 'open', 'extract'] as const;
export type KitStep = (typeof KIT_STEPS)[number];

export interface KitMemory {
  sizeBytes: number;
  /** A process that loads the same code and makes the bucket. */
  baselineBytes: number;
  /** The most that a process doing one step ever had resident. */
  peakRssBytes: Record<KitStep, number>;
  seconds: Record<KitStep, number>;
}

export interface KitMemoryOptions {
  /** The `MINIO_*` settings of an object store, with a bucket of its own. */
  env: Readonly<Record<string, string>>;
  sizeBytes?: number;
  /** The compiled kit-memory-steps. */
  script?: string;
}

/** Takes a kit of `sizeBytes` through every step, each in a process of its own. */
export async function kitMemory({
  env,
  sizeBytes = 2 ** 30,
  script = join(__dirname, 'kit-memory-steps.js'),
}: KitMemoryOptions): Promise<KitMemory> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-kit-memory-'));
  const run = async (step: KitStep | 'baseline') => {
    const started = performance.now();
    const command = [script, step, folder];
    const { stdout } = await promisify(execFile)(process.execPath, command, {
      env: { ...process.env, ...env },
    });
    return { bytes: Number(stdout), seconds: (performance.now() - started) / 1000 };
  };
  try {
    await writeKit(join(folder, 'kit'), sizeBytes);
    const baseline = await run('baseline');
    const pack = await run('pack');
    const upload = await run('upload');
    const download = await run('download');
    const opened = await run('open');
    const extract = await run('extract');
    return {
      sizeBytes,
      baselineBytes: baseline.bytes,
      peakRssBytes: {
        pack: pack.bytes,
        upload: upload.bytes,
        download: download.bytes,
        open: opened.bytes,
        extract: extract.bytes,
      },
      seconds: {
        pack: pack.seconds,
        upload: upload.seconds,
        download: download.seconds,
        open: opened.seconds,
        extract: extract.seconds,
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const MiB = 2 ** 20;

/** One large file, which is stored, and a quarter of the bytes in small files, which are compressed. */
async function writeKit(folder: string, sizeBytes: number): Promise<void> {
  await mkdir(folder);
  const quarter = Math.ceil(sizeBytes / 4);
  await writeBytes(join(folder, 'weights.bin'), sizeBytes - quarter);
  for (let left = quarter, part = 0; left > 0; left -= 4 * MiB, part++)
    await writeBytes(join(folder, `part-${part}.bin`), Math.min(left, 4 * MiB));
}

/** Deflate looks back 32 KiB, so a repeated random MiB does not compress. */
async function writeBytes(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  const block = randomBytes(MiB);
  for (let left = size; left > 0; left -= MiB) await file.write(block.subarray(0, left));
  await file.close();
}
