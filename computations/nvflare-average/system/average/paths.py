"""Where the orchestrator puts things; the image sets the same in its environment."""

import os
from pathlib import Path

PROVISION_DIR = Path(os.environ.get("PROVISION_DIR", "/provisioning"))
KIT_DIR = Path(os.environ.get("RUN_KIT_DIR", "/workspace/runKit"))
DATA_DIR = Path(os.environ.get("DATA_DIR", "/workspace/data"))
OUTPUT_DIR = Path(os.environ.get("OUTPUT_DIR", "/workspace/output"))
