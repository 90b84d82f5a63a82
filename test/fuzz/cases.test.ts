import { CASES } from './fuzz';

it('there are a hundred thousand', () => {
  const all = Object.values(CASES).reduce((sum: number, cases) => sum + cases, 0);
  expect(all).toBeGreaterThanOrEqual(100_000);
});
