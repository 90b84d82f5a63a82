/** How the registry of computations reads in a terminal. */
import { describe as describeRecord, parseRef } from '../../cli/computation';
import { UsageError } from '../../cli/usage-error';
import { Computation } from '../../workflows/contract';

test('a version is named as name@version', () => {
  expect(parseRef('penguins@1.0.0')).toEqual({ name: 'penguins', version: '1.0.0' });
});

test.each(['penguins', '@1', 'penguins@', 'Penguins@1'])('%s names no version', (text) => {
  expect(() => parseRef(text)).toThrow(UsageError);
  expect(() => parseRef(text)).toThrow('such as penguins@1.0.0');
});

test('a record shows what the manifest left to the defaults, and the labels of its image', () => {
  const computation = Computation.parse({ name: 'mean', version: '2', image: 'sha256:1' });
  const image = { reference: 'localhost/mean:2', labels: { 'org.neuroflame.boilerplate.version': '0.1.0' } };
  const text = describeRecord({ computation, image, addedBy: 'ada', addedAt: 0 });
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      'mean@2',
      expect.stringMatching(/^ {2}image +localhost\/mean:2$/),
      expect.stringMatching(/^ {2}runs as +sha256:1$/),
      expect.stringMatching(/^ {2}edge +python \/workspace\/system\/entry_edge.py$/),
      expect.stringMatching(/^ {2}outputs +central none declared; edge none declared$/),
      expect.stringMatching(/^ {2}deadlines +provision 5m, start 10m, run 24h, stopGrace 20s$/),
      expect.stringMatching(/^ {2}org.neuroflame.boilerplate.version +0.1.0$/),
    ]),
  );
});
