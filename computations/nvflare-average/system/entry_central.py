"""The central node: NVFlare's server, and the administrator that gives it the job."""

import os
import sys
from pathlib import Path

from average.failures import announce, failure_of, record
from average.federation import Federation
from average.flare_process import FlareProcess
from average.kit import CENTRAL, Kit
from average.paths import KIT_DIR
from average.trouble import fail_if_asked, misbehave


def claim(kit: Path) -> None:
    """A server's state is in its kit, so a kit serves one server only."""
    with (kit / "pid.fl").open("x") as file:
        file.write(str(os.getpid()))


def serve(kit: Kit) -> None:
    """Runs the job once all sites are there, and ends them all whatever came of it."""
    server = FlareProcess("server", kit.folder / "server")
    try:
        federation = Federation(server, kit.folder / "admin")
        federation.wait_for(kit.sites)
        try:
            federation.run_job(kit.sites)
        finally:
            federation.dismiss_sites()
    finally:
        # Not asked to end by itself: it takes long over it, and nothing of it is needed any more.
        server.kill()


def main() -> int:
    """The exit code."""
    stage = "start"
    try:
        kit = Kit.read(KIT_DIR)
        claim(kit.folder)
        misbehave(kit)
        fail_if_asked(kit)
        stage = "federation"
        serve(kit)
    except Exception as error:
        record(failure_of(error, CENTRAL, stage))
    return 1 if announce() else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The administrator's session leaves threads that would keep this process.
    os._exit(code)
