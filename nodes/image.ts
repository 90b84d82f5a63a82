/** The image of a computation on this host: found, pulled, or built from the computation's own folder. */
import type Docker from 'dockerode';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../workflows/errors';
import { askFor, reasonOf } from './engine';
import { ensureNodeBase } from './node-base';
import { untilDone } from './progress';
import { ensurePythonBase } from './python-base';

export interface ImageRequest {
  engine: Docker;
  /** Reference or id. */
  image: string;
  /** The computation's folder, from whose Dockerfile the image can be built. */
  folder?: string;
  /** Build anew although the image is there: the folder may have changed. What did not is taken from the cache. */
  build?: boolean;
  /** Told what takes long, a line at a time. */
  say?: (line: string) => void;
  /** A registry that stays silent for so long is given up. */
  pullPatienceMs?: number;
}

interface Recipe {
  folder: string;
  dockerfile: string;
}

const PULL_PATIENCE_MS = 30_000;

/**
 * Sees to it that an image is on this host.
 * @returns the image's id, `sha256:...`, which names these very contents from now on
 * @throws ApplicationFailure `ImageMissing`, `EngineUnavailable`
 */
export async function ensureImage(request: ImageRequest): Promise<string> {
  const { image, build = false } = request;
  const recipe = await recipeIn(request.folder);
  if (recipe !== undefined && build) return buildImage(recipe, request);
  const present = await idOf(image, request);
  if (present !== undefined) return present;
  const trouble = await pull(image, request);
  if (trouble === undefined) return requireId(image, request);
  if (recipe !== undefined) return buildImage(recipe, request);
  throw failure('ImageMissing', `The image ${image} is not on this host and cannot be pulled: ${trouble}`);
}

const idOf = async (image: string, { engine }: ImageRequest) =>
  (await askFor(engine.getImage(image).inspect()))?.Id;

async function requireId(image: string, request: ImageRequest): Promise<string> {
  const id = await idOf(image, request);
  if (id !== undefined) return id;
  throw failure('ImageMissing', `The image ${image} was made and is gone again.`);
}

async function recipeIn(folder: string | undefined): Promise<Recipe | undefined> {
  if (folder === undefined) return undefined;
  const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8').catch(() => undefined);
  return dockerfile === undefined ? undefined : { folder, dockerfile };
}

/** Pulls an image, and says what was in the way if it could not be had. */
async function pull(image: string, request: ImageRequest): Promise<string | undefined> {
  const { engine, say, pullPatienceMs = PULL_PATIENCE_MS } = request;
  say?.(`Pulling ${image}`);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), pullPatienceMs);
  try {
    const answer = await engine.pull(image, { abortSignal: silence.signal });
    await untilDone(answer, say, () => timer.refresh());
    return undefined;
  } catch (error) {
    return silence.signal.aborted
      ? `the registry was silent for ${pullPatienceMs / 1000} s`
      : reasonOf(error);
  } finally {
    clearTimeout(timer);
  }
}

async function buildImage({ folder, dockerfile }: Recipe, request: ImageRequest): Promise<string> {
  const { engine, image, say } = request;
  const buildargs = await chooseBase(dockerfile, request);
  say?.(`Building ${image} from ${folder}`);
  try {
    const answer = await engine.buildImage(
      { context: folder, src: await readdir(folder) },
      { t: image, rm: true, forcerm: true, ...(buildargs !== undefined && { buildargs }) },
    );
    await untilDone(answer, say);
  } catch (error) {
    throw failure('ImageMissing', `The image ${image} could not be built from ${folder}: ${reasonOf(error)}`);
  }
  return requireId(image, request);
}

/** `ARG BASE=...` before `FROM ${BASE}`: the one line by which a computation lets its base be replaced. */
const BASE_ARG = /^ARG\s+BASE=["']?([^\s"']+)/m;

/** Bases that can be made here, and of what. */
const BASES = [
  { replaces: /(?:^|\/)node(?:[:@]|$)/, material: "this host's Node.js", make: ensureNodeBase },
  { replaces: /(?:^|\/)python:3\.11(?:[.-]|$)/, material: "Debian's packages", make: ensurePythonBase },
];

/** Where the base of a computation cannot be had, one that does the same is made if there is a way to. */
async function chooseBase(dockerfile: string, request: ImageRequest): Promise<{ BASE: string } | undefined> {
  const wanted = BASE_ARG.exec(dockerfile)?.[1];
  const base = wanted === undefined ? undefined : BASES.find(({ replaces }) => replaces.test(wanted));
  if (wanted === undefined || base === undefined) return undefined;
  if ((await idOf(wanted, request)) !== undefined) return undefined;
  const trouble = await pull(wanted, request);
  if (trouble === undefined) return undefined;
  request.say?.(`${wanted} cannot be pulled (${trouble}): building a base from ${base.material}`);
  return { BASE: await base.make(request.engine) };
}
