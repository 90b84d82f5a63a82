import * as fc from 'fast-check';
import { proxyFor } from '../../client/proxy';

const PROXY = 'http://proxy.example.org:3128';
const isUsed = (host: string, NO_PROXY: string, port = 443) =>
  proxyFor(host, port, { HTTPS_PROXY: PROXY, NO_PROXY }) !== undefined;

it('is the one that the environment names, in the spelling of lower case first', () => {
  expect(proxyFor('a.org', 443, {})).toBeUndefined();
  expect(proxyFor('a.org', 443, { HTTPS_PROXY: '' })).toBeUndefined();
  expect(proxyFor('a.org', 443, { HTTPS_PROXY: PROXY })?.host).toBe('proxy.example.org:3128');
  expect(proxyFor('a.org', 443, { HTTPS_PROXY: PROXY, https_proxy: 'other:1' })?.host).toBe('other:1');
  expect(proxyFor('a.org', 443, { https_proxy: 'http://me:word@p:1' })?.password).toBe('word');
});

it.each(['ftp://p:21', 'http://', '::', 'socks5://p:1'])('cannot be %s', (HTTPS_PROXY) => {
  expect(() => proxyFor('a.org', 443, { HTTPS_PROXY })).toThrow(/^HTTPS_PROXY is not an address such as/);
});

it.each([
  ['a.org', 'b.org', true],
  ['a.org', 'a.org', false],
  ['A.org.', 'b.org, a.ORG', false],
  ['x.a.org', 'a.org', false],
  ['x.a.org', '.a.org', false],
  ['x.a.org', '*.a.org', false],
  ['xa.org', 'a.org', true],
  ['a.org', 'a.org:443', false],
  ['a.org', 'a.org:80', true],
  ['a.org', '*', false],
  ['a.org', ' , ,', true],
  ['127.0.0.1', 'localhost,127.0.0.1', false],
  ['[::1]', '::1', false],
  ['[::1]', '[::1]:443', false],
  ['[::1]', '[::1]:80', true],
])('for %s with NO_PROXY=%j: %s', (host, exempt, used) => {
  expect(isUsed(host, exempt)).toBe(used);
});

it('is never used for a host that is exempt itself, and always where nothing is', () => {
  fc.assert(
    fc.property(
      fc.domain(),
      fc.array(fc.domain()),
      fc.integer({ min: 1, max: 65_535 }),
      (host, others, port) => {
        expect(isUsed(host, [...others, host].join(','), port)).toBe(false);
        const unrelated = others.filter((other) => !`.${host}`.endsWith(`.${other}`));
        expect(isUsed(host, unrelated.join(' '), port)).toBe(true);
      },
    ),
  );
});
