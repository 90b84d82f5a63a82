/** A worker for tests: brings one node up, says so, and then stays until it is killed. */
import { connectEngine } from '../../nodes/engine';
import { createDockerRuntime } from '../../nodes/docker';
import type { NodeSpec, RuntimeKind } from '../../nodes/node-runtime';
import { createProcessRuntime } from '../../nodes/process';

interface Order {
  kind: RuntimeKind;
  stateDir: string;
  spec: NodeSpec;
}

async function main(): Promise<void> {
  const { kind, stateDir, spec } = JSON.parse(process.argv[2]!) as Order;
  const runtime =
    kind === 'docker'
      ? createDockerRuntime({ engine: connectEngine(), stateDir })
      : createProcessRuntime({ stateDir });
  const { id } = await runtime.ensure(spec);
  process.stdout.write(`${id}\n`);
  setInterval(() => undefined, 60_000);
}

void main();
