import { remembering } from '../../../server/gateway/identity';

it('a certificate is read once, and one that is not of a site each time', () => {
  const read: string[] = [];
  const identityOf = remembering((certificate) => {
    const siteId = certificate.toString();
    read.push(siteId);
    if (siteId === 'nobody') throw new Error('not a site');
    return { siteId, serial: `5a-${siteId}`, notAfter: 1 };
  });
  for (const who of ['biscoe', 'dream', 'biscoe', 'dream'])
    expect(identityOf(Buffer.from(who))).toEqual({ siteId: who, serial: `5a-${who}`, notAfter: 1 });
  for (let turn = 0; turn < 2; turn++) expect(() => identityOf(Buffer.from('nobody'))).toThrow('not a site');
  expect(read).toEqual(['biscoe', 'dream', 'nobody', 'nobody']);
});
