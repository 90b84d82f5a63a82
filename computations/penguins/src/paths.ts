/** Where things are: given as environment variables, or the fixed places in a container. */
import { join } from 'node:path';

const { env } = process;
const kit = env.RUN_KIT_DIR ?? '/workspace/runKit';

export const PATHS = {
  provision: env.PROVISION_DIR ?? '/provisioning',
  kit,
  data: env.DATA_DIR ?? '/workspace/data',
  output: env.OUTPUT_DIR ?? '/workspace/output',
  parameters: env.PARAMETERS_FILE_PATH ?? join(kit, 'parameters.json'),
};
