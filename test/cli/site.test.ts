import { invitationText, siteTable } from '../../cli/site';

describe('muster site ls', () => {
  it('says of each site whether it is there', () => {
    const at = Date.UTC(2026, 10, 23, 8, 30);
    expect(
      siteTable([
        {
          ...{ id: 'biscoe', name: 'Biscoe', consortia: ['birds', 'seals'], presence: 'here', seenAt: at },
          ...{ runtimes: ['docker', 'process'], version: '0.1.0' },
          standing: { state: 'joined', at: Date.UTC(2026, 11, 23) },
        },
        { id: 'dream', name: 'Dr\u001beam', consortia: ['birds'], presence: 'unknown' },
        { ...{ id: 'new', consortia: [], presence: 'unknown' }, standing: { state: 'revoked', at } },
        { id: 'old', consortia: [], presence: 'away', seenAt: at, runtimes: ['process'], version: '0.0.9' },
      ]),
    ).toEqual([
      'SITE    STANDING                  PRESENCE  LAST SEEN                 RUNTIMES        VERSION  CONSORTIA    NAME',
      'biscoe  joined until 2026-12-23   here      2026-11-23T08:30:00.000Z  docker,process  0.1.0    birds,seals  Biscoe',
      'dream   -                         unknown   never                     -               -        birds        Dr eam',
      'new     revoked since 2026-11-23  unknown   never                     -               -        -            -',
      'old     -                         away      2026-11-23T08:30:00.000Z  process         0.0.9    -            -',
    ]);
  });

  it('says that there are none', () => {
    expect(siteTable([])).toEqual(['No sites.']);
  });
});

describe('muster site add', () => {
  it('says what to do with the code, and until when', () => {
    const expiresAt = Date.UTC(2026, 10, 24, 8, 30);
    const siteApiUrl = 'https://sites.example.org:7443';
    expect(invitationText({ siteId: 'biscoe', code: 'biscoe.AAAAA-BBBBB', expiresAt, siteApiUrl })).toEqual([
      'On the machine that is to be biscoe, before 2026-11-24T08:30:00.000Z:',
      '',
      '  muster site join https://sites.example.org:7443 biscoe.AAAAA-BBBBB',
      '',
      'The code is good once. Whoever has it can be the site: give it to nobody else. It is not kept anywhere.',
    ]);
  });
});
