/** The base for computations in Python, made of Debian's packages where no registry answers. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Docker from 'dockerode';
import { connectEngine } from '../../nodes/engine';
import { ensurePythonBase } from '../../nodes/python-base';
import { describeWithEngine } from './needs-engine';

const engine = connectEngine();

describeWithEngine('a base image with Python', () => {
  const say = (script: string) => {
    const options = ['run', '--rm', '--network', 'none', '--user', '4711:4711', '--cap-drop', 'ALL'];
    return spawnSync('docker', [...options, TAG, 'sh', '-c', script], { encoding: 'utf8' });
  };
  const TAG = 'localhost/muster-python-base:3.11-bookworm';

  beforeAll(async () => {
    expect(await ensurePythonBase(engine)).toBe(TAG);
  }, 600_000);

  test('has the Python that its name tells, and a pip that installs where it is found', () => {
    const { stdout } = say(
      'python --version && pip --version && python -m venv --without-pip /tmp/own && echo own',
    );
    expect(stdout).toMatch(/^Python 3\.11\.\d+\npip .*python 3\.11\)\nown\n$/);
    expect(say('pip install --no-index nothing-of-this-name').stderr).not.toContain('externally-managed');
  });

  test('trusts the authorities that this host trusts, and speaks UTF-8', () => {
    const script = [
      'import ssl, sys',
      'assert ssl.create_default_context().get_ca_certs()',
      'print(sys.stdout.encoding, "Ærø")',
    ].join('\n');
    expect(say(`python -c '${script}'`).stdout).toBe('utf-8 Ærø\n');
  });

  test('is made once only', async () => {
    const importImage = jest.spyOn(engine, 'importImage');
    expect(await ensurePythonBase(engine)).toBe(TAG);
    expect(importImage).not.toHaveBeenCalled();
  });
});

test('without the rights of root it is missing for now, and the failure says what to do', async () => {
  const bare = createServer((_, response) => response.writeHead(404).end('{"message":"No such image"}'));
  await once(bare.listen(0, '127.0.0.1'), 'listening');
  const getuid = jest.spyOn(process, 'getuid').mockReturnValue(1000);
  try {
    const { port } = bare.address() as AddressInfo;
    const barren = new Docker({ protocol: 'http', host: '127.0.0.1', port });
    await expect(ensurePythonBase(barren)).rejects.toMatchObject({
      type: 'ImageMissing',
      nonRetryable: false,
      message: expect.stringMatching(/rights of root.*Pull an image instead/) as string,
    });
  } finally {
    getuid.mockRestore();
    bare.close();
  }
});
