"""Makes the kits of a run."""

import sys

from average.paths import PROVISION_DIR
from average.provision_input import ProvisionInput
from average.provisioning import provision

if __name__ == "__main__":
    try:
        provision(ProvisionInput.read(PROVISION_DIR / "provision_input.json"), PROVISION_DIR)
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f"provision: {error}")
