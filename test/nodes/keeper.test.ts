import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readClaim } from '../../nodes/keeper';

test('whoever reads a claim while it is written is told the same as whoever reads it later', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keeper-'));
  try {
    for (let round = 0; round < 100; round++) {
      const file = join(folder, 'claim');
      writeFileSync(file, '');
      // Of another time than what is written next.
      const made = Date.now() / 1000 - 0.1;
      utimesSync(file, made, made);
      const early = readClaim(folder);
      writeFileSync(file, '4711\nboot/1\n');
      const late = await readClaim(folder);
      expect(late?.keeper).toEqual({ pid: 4711, started: 'boot/1' });
      await expect(early).resolves.toEqual(late);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
