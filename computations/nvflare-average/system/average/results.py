"""The file that every node leaves."""

import json
from typing import Any

from .paths import OUTPUT_DIR


def write_result(result: dict[str, Any]) -> None:
    """Writes `global_mean.json`."""
    (OUTPUT_DIR / "global_mean.json").write_text(json.dumps(result, indent=2) + "\n")
