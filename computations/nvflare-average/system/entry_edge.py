"""A site: NVFlare's client, which does what the server asks until it is told to end."""

import signal
import sys
from types import FrameType

from average.failures import announce, failure_of, record
from average.flare_process import FlareProcess
from average.kit import Kit
from average.paths import KIT_DIR
from average.trouble import misbehave


class Terminated(Exception):
    """SIGTERM, told like any other failure."""


def on_sigterm(_number: int, _frame: FrameType | None) -> None:
    """Interrupts whatever the node is waiting for."""
    raise Terminated("The node was asked to terminate")


def take_part(kit: Kit) -> None:
    """Runs the client until the server ends it."""
    client = FlareProcess("client", kit.folder, {"uid": kit.node})
    try:
        code = client.wait()
    finally:
        client.kill()
    if code != 0:
        raise RuntimeError(f"NVFlare's client exited with code {code}")


def main() -> int:
    """The exit code. A site that failed says so itself; one that was only ended is content."""
    node = "site"
    signal.signal(signal.SIGTERM, on_sigterm)
    try:
        kit = Kit.read(KIT_DIR)
        node = kit.node
        misbehave(kit)
        take_part(kit)
    except Exception as error:
        record(failure_of(error, node, "federation"))
    return 1 if announce() else 0


if __name__ == "__main__":
    sys.exit(main())
