"""NVFlare's own programs, started as the scripts in its kits start them, but once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from nvflare.apis.fl_constant import FLMetaKey

from .provisioning import ORGANISATION


class FlareProcess:
    """A running server or client of NVFlare."""

    def __init__(self, kind: str, workspace: Path, settings: dict[str, str] | None = None) -> None:
        given = {"secure_train": "true", "org": ORGANISATION, "config_folder": "config", **(settings or {})}
        (workspace / "transfer").mkdir(exist_ok=True)
        self._rc_file = workspace / FLMetaKey.PROCESS_RC_FILE
        command = [sys.executable, "-u", "-m", "average.brief", f"nvflare.private.fed.app.{kind}.{kind}_train"]
        command += ["-m", str(workspace), "-s", f"fed_{kind}.json"]
        command += ["--set", *(f"{name}={value}" for name, value in given.items())]
        environment = {**os.environ, "MALLOC_ARENA_MAX": "4"}
        self._process = subprocess.Popen(command, env=environment)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. One that has lingering threads kills itself and leaves its code in a file."""
        code = self._process.wait(timeout)
        if code == -signal.SIGKILL and self._rc_file.exists():
            return int(self._rc_file.read_text())
        return code

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()
