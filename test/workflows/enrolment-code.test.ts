import * as fc from 'fast-check';
import { PIN_BYTES, readCode, SECRET_BYTES, writeCode } from '../../workflows/enrolment-code';

const codes = fc.record({
  siteId: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/).filter((id) => id !== 'central'),
  secret: fc.uint8Array({ minLength: SECRET_BYTES, maxLength: SECRET_BYTES }),
  pin: fc.uint8Array({ minLength: PIN_BYTES, maxLength: PIN_BYTES }),
});

describe('a code by which a site joins', () => {
  it('is printed in groups of letters that cannot be taken for one another', () => {
    const code = { siteId: 'biscoe', secret: new Uint8Array(16).fill(255), pin: new Uint8Array(32) };
    const text = writeCode(code);
    expect(text).toMatch(/^biscoe\.([0-9A-HJKMNP-TV-Z]{5}-){15}[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(readCode(text)).toEqual(code);
  });

  it('is read as it was written, in any case, with or without dashes and spaces', () => {
    fc.assert(
      fc.property(codes, (code) => {
        const text = writeCode(code);
        for (const written of [text, text.toLowerCase(), ` ${text.replaceAll('-', ' ')}\n`])
          if (written.includes('-') || !code.siteId.includes('-')) expect(readCode(written)).toEqual(code);
      }),
    );
  });

  it('is known to be wrong when a letter is wrong, or two have changed places', () => {
    fc.assert(
      fc.property(
        codes,
        fc.nat(),
        fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'.split('')),
        (code, at, other) => {
          const text = writeCode(code);
          const letters = [...text.matchAll(/[^.-]/g)].map(({ index }) => index);
          const place = letters[at % letters.length] ?? 0;
          const changed = text.slice(0, place) + other + text.slice(place + 1);
          if (changed.toUpperCase() !== text.toUpperCase()) expect(readCode(changed)).toBeUndefined();
          const swapped = text.replace(/([^.-])([^.-])(?=[^.]*$)/, '$2$1');
          if (swapped !== text) expect(readCode(swapped)).toBeUndefined();
        },
      ),
    );
  });

  it('is never taken from anything else', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(readCode(text)).toBeUndefined()));
    for (const text of [
      '',
      '.',
      'biscoe',
      'biscoe.',
      'biscoe.AAAAA',
      'A'.repeat(80),
      `b.${'A'.repeat(80)}.c`,
    ])
      expect(readCode(text)).toBeUndefined();
  });
});
