import { createWebhookAddresses, ForbiddenAddress } from '../../activities/central/webhook-address';

const open = createWebhookAddresses([]);
const own = createWebhookAddresses([
  { address: '10.1.0.0', prefix: 16, family: 'ipv4' },
  { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
]);

it.each([
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://10.1.2.3/',
  'https://100.64.0.1/',
  'https://169.254.169.254/latest/meta-data',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://0.0.0.0/',
  'https://255.255.255.255/',
  'https://[::1]/',
  'https://[::]/',
  'https://[::ffff:10.0.0.1]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::a00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[fd00::1]/',
  'https://[fe80::1]/',
  'http://127.0.0.1/',
  'http://example.org/',
])('a webhook may not lead to %s', (url) => {
  expect(() => open.check(new URL(url))).toThrow(ForbiddenAddress);
});

it.each([
  'https://93.184.215.14/',
  'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/',
  'https://example.org/',
])('a webhook may lead to %s', (url) => {
  expect(() => open.check(new URL(url))).not.toThrow();
});

it('may lead into the networks that the operator names, and there by plain HTTP only to the same machine', () => {
  expect(() => own.check(new URL('https://10.1.2.3/'))).not.toThrow();
  expect(() => own.check(new URL('http://127.0.0.1:8080/'))).not.toThrow();
  expect(() => own.check(new URL('https://10.2.0.1/'))).toThrow('MUSTER_WEBHOOK_NETWORKS');
  expect(() => own.check(new URL('http://10.1.2.3/'))).toThrow('TLS');
});

describe('a name', () => {
  const find = (addresses: typeof open) =>
    new Promise<unknown>((resolve, reject) =>
      addresses.lookup('localhost', { all: true }, (error, found) =>
        error ? reject(error) : resolve(found),
      ),
    );

  it('is refused by what it leads to when the connection is made', async () => {
    await expect(find(open)).rejects.toThrow(
      /^localhost \(.*\) is in a network that webhooks may not lead to/,
    );
  });

  it('leads to those of its addresses that may be used', async () => {
    await expect(find(own)).resolves.toEqual([{ address: '127.0.0.1', family: 4 }]);
  });
});
