"""How a node says why it failed: a file in its output folder, and a line of its log."""

import json
import traceback
from typing import Any

from .kit import CENTRAL
from .paths import OUTPUT_DIR

MARKER = OUTPUT_DIR / ".neuroflame_error.json"
LINE = "NEUROFLAME_SHARED_ERROR:"

Failure = dict[str, Any]


def failure_of(error: BaseException, node: str, stage: str) -> Failure:
    """An error in the words of the contract. `scope` is the node where it happened."""
    return {
        "schema_version": 1,
        "origin": "central" if node == CENTRAL else "site",
        "stage": stage,
        "scope": node,
        "error_type": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
    }


def record(failure: Failure) -> None:
    """Leaves the failure in the output folder. The first one stays: what comes later is its consequence."""
    if not MARKER.exists():
        MARKER.write_text(json.dumps(failure))


def announce() -> bool:
    """Prints the failure that was recorded, by whichever process of this node; tells whether there is one."""
    if not MARKER.exists():
        return False
    print(f"{LINE}{MARKER.read_text()}", flush=True)
    return True
