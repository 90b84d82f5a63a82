/** Whatever somebody types for a code, it is one by its form, or it is none. */
import fc from 'fast-check';
import { PIN_BYTES, readCode, SECRET_BYTES, writeCode } from '../../workflows/enrolment-code';
import { SiteId } from '../../workflows/contract';
import { fuzz } from './fuzz';

const good = fc
  .record({
    siteId: fc.constantFrom('biscoe', 'a', 'hospital-b'),
    secret: fc.uint8Array({ minLength: SECRET_BYTES, maxLength: SECRET_BYTES }),
    pin: fc.uint8Array({ minLength: PIN_BYTES, maxLength: PIN_BYTES }),
  })
  .map(writeCode);
const slip = fc.record({ at: fc.nat(120), cut: fc.nat(3), put: fc.string({ unit: 'binary', maxLength: 3 }) });

fuzz(
  'an enrolment code',
  {
    'any text': fc.string({ unit: 'binary', maxLength: 200 }),
    'letters of codes': fc.string({
      unit: fc.constantFrom('A', 'Z', '0', '9', 'I', 'O', 'U', '-', '.', ' ', '\n'),
      maxLength: 120,
    }),
    'a code with slips': fc
      .tuple(good, fc.array(slip, { maxLength: 4 }))
      .map(([code, slips]) =>
        slips.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), code),
      ),
    'very long ones': fc
      .tuple(fc.constantFrom('A', '-', '.', ' ', 'b.A'), fc.nat(20_000))
      .map(([text, times]) => text.repeat(times)),
  },
  (text) => {
    const code = readCode(text);
    if (code === undefined) return;
    expect(SiteId.parse(code.siteId)).toBe(code.siteId);
    expect([code.secret.length, code.pin.length]).toEqual([SECRET_BYTES, PIN_BYTES]);
  },
);
