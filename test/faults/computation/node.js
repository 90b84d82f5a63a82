// A computation that can be held: each of its nodes waits for a file called `release` in a folder that its host sees too.
// It counts its own starts, so that a node that was started twice cannot hide. Plain JavaScript: nothing is installed in its image.
const { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { randomBytes } = require('node:crypto');
const { join } = require('node:path');

const LOOK_EVERY_MS = 50;
const [, , role] = process.argv;
const { PROVISION_DIR, OUTPUT_DIR, RUN_KIT_DIR, MUSTER_NODE } = process.env;
const folder = role === 'provision' ? PROVISION_DIR : OUTPUT_DIR;
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

appendFileSync(join(folder, 'starts'), `${role} ${process.pid} ${new Date().toISOString()}\n`);
({ provision, central: work, edge: work })[role]();

/** Kits of a megabyte or two that no compression makes smaller. */
function provision() {
  const input = readJson(join(PROVISION_DIR, 'provision_input.json'));
  const parameters = JSON.parse(input.computation_parameters);
  whenReleased(parameters.holdProvision !== true, () => {
    for (const node of ['centralNode', ...input.users.map(({ id }) => id)]) {
      const kit = join(PROVISION_DIR, 'runKits', node);
      mkdirSync(kit, { recursive: true });
      writeFileSync(
        join(kit, 'parameters.json'),
        JSON.stringify({ ...parameters, port: input.fed_learn_port }),
      );
      writeFileSync(join(kit, 'payload.bin'), randomBytes(parameters.payloadBytes));
    }
  });
}

/** Until released, or for `seconds`; then the results. */
function work() {
  const { port, seconds, deaf, failing, payloadBytes } = readJson(join(RUN_KIT_DIR, 'parameters.json'));
  let released = false;
  const server = role === 'central' ? createServer().listen(port) : undefined;
  process.on('SIGTERM', () => {
    writeFileSync(join(OUTPUT_DIR, 'told-to-stop'), '');
    if (deaf !== true || released) process.exit(143);
    whenReleased(false, () => process.exit(143));
  });
  const end = () => {
    released = true;
    if (failing === MUSTER_NODE) {
      console.log(`${MUSTER_NODE} was told to fail`);
      process.exit(3);
    }
    writeFileSync(join(OUTPUT_DIR, 'payload.bin'), randomBytes(payloadBytes));
    writeFileSync(join(OUTPUT_DIR, 'result.json'), JSON.stringify({ node: MUSTER_NODE }));
    server?.close();
  };
  if (seconds === undefined) whenReleased(false, end);
  else setTimeout(end, seconds * 1000);
}

function whenReleased(already, then) {
  if (already || existsSync(join(folder, 'release'))) then();
  else setTimeout(whenReleased, LOOK_EVERY_MS, false, then);
}
