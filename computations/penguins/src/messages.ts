/** What the programs of a run hand to each other: kit files, parameters, and the messages between edge and central. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Moments } from './least-squares';
import { asArray, asInteger, asNumber, asObject, asText, parseJson } from './shape';

// ---------------------------------------------------------------- parameters

export interface Parameters {
  /** The column to explain. */
  outcome: string;
  /** The column to explain it by. */
  predictor: string;
  /** How long central waits, once it has heard from every site, before it answers. */
  pauseSeconds: number;
}

const DEFAULTS: Parameters = { outcome: 'body_mass_g', predictor: 'flipper_length_mm', pauseSeconds: 0 };

export function asParameters(value: unknown): Parameters {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const given = isObject ? { ...DEFAULTS, ...value } : value;
  const { outcome, predictor, pauseSeconds } = asObject(given, 'The parameters', Object.keys(DEFAULTS));
  return {
    outcome: asText(outcome, 'outcome'),
    predictor: asText(predictor, 'predictor'),
    pauseSeconds: asInteger(pauseSeconds, 'pauseSeconds', 0, 600),
  };
}

// ---------------------------------------------------------------- kits

/** A node's certificate and key, and the certificate of the run's authority; all PEM. */
export interface Credentials {
  ca: string;
  cert: string;
  key: string;
}
export interface CentralKit {
  port: number;
  sites: string[];
}
export interface EdgeKit {
  site: string;
  host: string;
  port: number;
}

export const KIT_FILES = {
  settings: 'node.json',
  parameters: 'parameters.json',
  ca: 'ca.pem',
  cert: 'certificate.pem',
  key: 'key.pem',
} as const;

export function readCredentials(kit: string): Credentials {
  const { ca, cert, key } = KIT_FILES;
  return { ca: readText(join(kit, ca)), cert: readText(join(kit, cert)), key: readText(join(kit, key)) };
}

export function readCentralKit(kit: string): CentralKit {
  const { port, sites } = asObject(readSettings(kit), KIT_FILES.settings, ['port', 'sites']);
  return { port: asPort(port), sites: asArray(sites, 'sites').map((site) => asText(site, 'A site')) };
}

export function readEdgeKit(kit: string): EdgeKit {
  const { site, host, port } = asObject(readSettings(kit), KIT_FILES.settings, ['site', 'host', 'port']);
  return { site: asText(site, 'site'), host: asText(host, 'host'), port: asPort(port) };
}

export function readParameters(file: string): Parameters {
  return asParameters(parseJson(readText(file), file));
}

export const asPort = (value: unknown): number => asInteger(value, 'port', 1, 65535);

function readSettings(kit: string): unknown {
  const file = join(kit, KIT_FILES.settings);
  return parseJson(readText(file), file);
}

/** @throws Error that says which file cannot be read, and why */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`${file} cannot be read (${code})`);
  }
}

// ---------------------------------------------------------------- edge and central

export const STATISTICS_PATH = '/statistics';
export const ACKNOWLEDGEMENT_PATH = '/acknowledgement';

/** The answer to statistics when every site has sent them (200); it is also the results file of every node. */
export interface GlobalFit {
  outcome: string;
  predictor: string;
  sites: number;
  n: number;
  intercept: number;
  slope: number;
  rSquared: number;
}
/** The answer before that (202): send them again. */
export interface NotYet {
  received: number;
  expected: number;
}

const MOMENTS = ['n', 'meanX', 'meanY', 'sxx', 'sxy', 'syy'] as const;

export function asMoments(value: unknown): Moments {
  const moments = asObject(value, 'The statistics', MOMENTS);
  return {
    n: asInteger(moments.n, 'n', 1, Number.MAX_SAFE_INTEGER),
    meanX: asNumber(moments.meanX, 'meanX'),
    meanY: asNumber(moments.meanY, 'meanY'),
    sxx: asNumber(moments.sxx, 'sxx', 0),
    sxy: asNumber(moments.sxy, 'sxy'),
    syy: asNumber(moments.syy, 'syy', 0),
  };
}

const FIT = ['outcome', 'predictor', 'sites', 'n', 'intercept', 'slope', 'rSquared'] as const;

export function asGlobalFit(value: unknown): GlobalFit {
  const fit = asObject(value, 'The fit', FIT);
  return {
    outcome: asText(fit.outcome, 'outcome'),
    predictor: asText(fit.predictor, 'predictor'),
    sites: asInteger(fit.sites, 'sites', 1, Number.MAX_SAFE_INTEGER),
    n: asInteger(fit.n, 'n', 1, Number.MAX_SAFE_INTEGER),
    intercept: asNumber(fit.intercept, 'intercept'),
    slope: asNumber(fit.slope, 'slope'),
    rSquared: asNumber(fit.rSquared, 'rSquared', 0, 1),
  };
}

export function asNotYet(value: unknown): NotYet {
  const { received, expected } = asObject(value, 'The answer', ['received', 'expected']);
  return { received: asNumber(received, 'received'), expected: asNumber(expected, 'expected') };
}
