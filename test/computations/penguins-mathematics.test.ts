import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parsePoints, readPoints } from '../../computations/penguins/src/csv';
import { combine, fit, momentsOf, type Point } from '../../computations/penguins/src/least-squares';
import { ISLANDS, PENGUINS } from './penguins-processes';

const columns = { x: 'flipper_length_mm', y: 'body_mass_g' };
const island = (name: string) => readPoints(join(PENGUINS, 'data', name), columns);

const point = fc.record({
  x: fc.double({ min: -1e4, max: 1e4, noNaN: true }),
  y: fc.double({ min: -1e4, max: 1e4, noNaN: true }),
});
/** Sites' rows; some sites may have none. */
const sites = fc.array(fc.array(point, { maxLength: 30 }), { minLength: 1, maxLength: 8 });

/** The textbook's normal equations, on all rows in one place, in exact arithmetic as far as the inputs allow. */
function pooled(points: readonly Point[]) {
  const [n, meanX, meanY] = [points.length, average(points.map((p) => p.x)), average(points.map((p) => p.y))];
  const covariance = average(points.map((p) => (p.x - meanX) * (p.y - meanY)));
  const variance = average(points.map((p) => (p.x - meanX) ** 2));
  const slope = covariance / variance;
  return { n, slope, intercept: meanY - slope * meanX, spread: Math.sqrt(variance) };
}
const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('least squares across sites', () => {
  test('the penguins of three islands give the fit of the pooled table', () => {
    const rows = ISLANDS.map(island);
    expect(rows.map((points) => points.length)).toEqual([167, 124, 51]);
    const line = fit(combine(rows.map(momentsOf)));
    expect(line?.n).toBe(342);
    expect(line?.intercept).toBeCloseTo(-5780.8313581, 6);
    expect(line?.slope).toBeCloseTo(49.6855664, 6);
    expect(line?.rSquared).toBeCloseTo(0.7589925, 6);
  });

  test('however rows are spread over sites, the fit is that of all rows in one place', () => {
    fc.assert(
      fc.property(sites, (rows) => {
        const all = pooled(rows.flat());
        fc.pre(all.spread > 1e-3);
        const line = fit(combine(rows.map(momentsOf)));
        const scale = 1 + 1e4 / all.spread;
        expect(line?.n).toBe(all.n);
        expect(Math.abs((line?.slope ?? NaN) - all.slope)).toBeLessThan(1e-8 * scale);
        expect(Math.abs((line?.intercept ?? NaN) - all.intercept)).toBeLessThan(1e-8 * scale * 1e4);
      }),
    );
  });

  test('the order of sites changes nothing that matters', () => {
    fc.assert(
      fc.property(sites, (rows) => {
        const [there, back] = [combine(rows.map(momentsOf)), combine(rows.map(momentsOf).reverse())];
        expect(back.n).toBe(there.n);
        for (const key of ['meanX', 'meanY', 'sxx', 'sxy', 'syy'] as const)
          expect(Math.abs(back[key] - there[key])).toBeLessThanOrEqual(
            1e-6 + 1e-9 * Math.abs(there.sxx + there.syy),
          );
      }),
    );
  });

  test('values far from zero keep their digits', () => {
    const far = 1e9;
    const rows = [0, 1, 2].map((site) =>
      Array.from({ length: 20 }, (_, index) => ({ x: far + site + index, y: 2 * (site + index) - far })),
    );
    const line = fit(combine(rows.map(momentsOf)));
    expect(line?.slope).toBeCloseTo(2, 9);
    expect(line?.rSquared).toBeCloseTo(1, 9);
  });

  test('rows with one predictor value determine no line', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.array(fc.nat(), { minLength: 1 }),
        (x, ys) => {
          expect(fit(momentsOf(ys.map((y) => ({ x, y }))))).toBeUndefined();
        },
      ),
    );
    expect(fit(combine([]))).toBeUndefined();
  });
});

describe('a site’s table', () => {
  const table = (...lines: string[]) => parsePoints(lines.join('\n'), 'rows.csv', { x: 'a', y: 'b' });

  test('columns are found by name, quotes are read, and rows with a missing value are left out', () => {
    const text = ['\ufeff"b",note,a', '1,"x, ""y""",2', 'NA,,3', '4,,', '5,"",6', ''];
    expect(table(...text)).toEqual([
      { x: 2, y: 1 },
      { x: 6, y: 5 },
    ]);
    expect(parsePoints('a,b\r\n1,2\r\n', 'rows.csv', { x: 'a', y: 'b' })).toEqual([{ x: 1, y: 2 }]);
  });

  test.each([
    [['a,c', '1,2'], 'rows.csv has no column "b"'],
    [['a,b', '1,2', 'SECRET,2'], 'rows.csv, line 3: "a" is not a number'],
    [['a,b', '1,SECRET,3'], 'rows.csv, line 2: not as many fields as the header has columns'],
    [['a,b', '1,Infinity'], 'rows.csv, line 2: "b" is not a number'],
  ])('%j: the place of the error is told, the value is not', (lines, message) => {
    expect(() => table(...lines)).toThrow(new Error(message));
  });

  test('the islands’ files hold every row of the source, with all its columns', () => {
    const rows = ISLANDS.flatMap((name) =>
      readFileSync(join(PENGUINS, 'data', name, 'penguins.csv'), 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1),
    );
    expect(rows).toHaveLength(344);
    for (const row of rows) expect(row.split(',')).toHaveLength(8);
  });
});
