import { firstAddress } from '../../dev/bridge';

test.each([
  ['172.17.0.0/16', '172.17.0.1'],
  ['10.1.2.16/28', '10.1.2.17'],
  ['fd00::/64', undefined],
  ['', undefined],
])('the first address of %j is %s', (subnet, address) => {
  expect(firstAddress(subnet)).toBe(address);
});
