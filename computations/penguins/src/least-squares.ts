/**
 * Ordinary least squares of one predictor, from sums that add up across sites. The sums are centred (about each
 * site's own means), because raw sums of squares lose the digits that matter when values are far from zero.
 */

/** All that a site tells of its rows. */
export interface Moments {
  n: number;
  meanX: number;
  meanY: number;
  /** Sums of the products of deviations from the means. */
  sxx: number;
  sxy: number;
  syy: number;
}

export interface Fit {
  n: number;
  intercept: number;
  slope: number;
  rSquared: number;
}

const NOTHING: Moments = { n: 0, meanX: 0, meanY: 0, sxx: 0, sxy: 0, syy: 0 };

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export interface Point {
  x: number;
  y: number;
}

/** The moments of rows. */
export function momentsOf(points: readonly Point[]): Moments {
  if (points.length === 0) return NOTHING;
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  let [sxx, sxy, syy] = [0, 0, 0];
  for (const { x, y } of points) {
    sxx += (x - meanX) ** 2;
    sxy += (x - meanX) * (y - meanY);
    syy += (y - meanY) ** 2;
  }
  return { n: points.length, meanX, meanY, sxx, sxy, syy };
}

/** The moments of all rows together, as if they had been in one place. */
export function combine(parts: readonly Moments[]): Moments {
  return parts.reduce(add, NOTHING);
}

function add(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const [dx, dy] = [b.meanX - a.meanX, b.meanY - a.meanY];
  const weight = (a.n * b.n) / n;
  return {
    n,
    meanX: a.meanX + (dx * b.n) / n,
    meanY: a.meanY + (dy * b.n) / n,
    sxx: a.sxx + b.sxx + dx * dx * weight,
    sxy: a.sxy + b.sxy + dx * dy * weight,
    syy: a.syy + b.syy + dy * dy * weight,
  };
}

/** The line through the rows, or undefined where they do not determine one. */
export function fit({ n, meanX, meanY, sxx, sxy, syy }: Moments): Fit | undefined {
  const spread = Math.sqrt(sxx / n);
  // No wider than rounding makes it: all rows have one predictor value.
  if (!(spread > 1e-12 * Math.abs(meanX))) return undefined;
  const slope = sxy / sxx;
  const rSquared = syy === 0 ? 1 : Math.min(1, sxy ** 2 / (sxx * syy));
  return { n, intercept: meanY - slope * meanX, slope, rSquared };
}
