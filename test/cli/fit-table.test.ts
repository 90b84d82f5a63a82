import { fitTable } from '../../cli/fit-table';

test('names on the left, numbers aligned on the right, a fit that is not there is a dash', () => {
  const columns = { outcome: 'body_mass_g', predictor: 'flipper_length_mm' };
  expect(
    fitTable([
      { name: 'biscoe alone', ...columns, n: 167, intercept: -6787.28, slope: 54.76889 },
      { name: 'one', ...columns, n: 1 },
      { name: 'all together', ...columns, n: 342, intercept: -5780.8313581, slope: 49.6855664 },
    ]),
  ).toEqual([
    'body_mass_g = intercept + slope x flipper_length_mm',
    '                n   intercept    slope',
    'biscoe alone  167  -6787.2800  54.7689',
    'one             1           -        -',
    'all together  342  -5780.8314  49.6856',
  ]);
});
