"""Central's view of the federation: who is there, the job, and the end; by NVFlare's administration interface."""

import json
import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from nvflare.fuel.flare_api.api_spec import JobNotDone, TargetType
from nvflare.fuel.flare_api.flare_api import Session, new_secure_session

from .flare_process import FlareProcess
from .job import write_job
from .provisioning import ADMIN

SERVER_START_SECONDS = 60
SITES_START_SECONDS = 3600
SITES_STOP_SECONDS = 20
LOOK_EVERY_SECONDS = 0.5
LISTEN_LOOK_SECONDS = 0.1


class Federation:
    """A server that runs, with an administrator's session."""

    def __init__(self, server: FlareProcess, admin_kit: Path) -> None:
        self._server = server
        self._session = self._connect(admin_kit)

    def wait_for(self, sites: tuple[str, ...]) -> None:
        """Resolves when every site has registered."""
        deadline = time.monotonic() + SITES_START_SECONDS
        while missing := set(sites) - {client.name for client in self._session.get_connected_client_list()}:
            self._require_server()
            if time.monotonic() > deadline:
                raise TimeoutError(f"These sites never came: {', '.join(sorted(missing))}")
            time.sleep(LOOK_EVERY_SECONDS)

    def run_job(self, sites: tuple[str, ...]) -> None:
        """Runs the job to its end; raises unless it completed."""
        with TemporaryDirectory() as folder:
            job_id = self._session.submit_job(str(write_job(Path(folder), sites)))
        _, meta = self._session.monitor_job_and_return_job_meta(job_id, poll_interval=LOOK_EVERY_SECONDS)
        status = (meta or {}).get("status")
        if status != "FINISHED:COMPLETED":
            raise RuntimeError(f"The job ended as {status}")

    def dismiss_sites(self) -> None:
        """Ends every client. What became of the job is known by now, so a client that does not end is no failure."""
        deadline = time.monotonic() + SITES_STOP_SECONDS
        while True:
            try:
                self._session.shutdown(TargetType.CLIENT, timeout=SITES_STOP_SECONDS)
                return
            except Exception as error:
                print(f"The sites could not be ended: {error}", flush=True)
                # A job counts as running for a moment after its end.
                if not isinstance(error, JobNotDone) or time.monotonic() > deadline:
                    return
                time.sleep(LOOK_EVERY_SECONDS)

    def _connect(self, admin_kit: Path) -> Session:
        # A session that is given up while it connects can wait for itself for ever: it is begun when the server listens.
        deadline = time.monotonic() + SERVER_START_SECONDS
        while not _listens(port_of(admin_kit)):
            self._require_server()
            if time.monotonic() > deadline:
                raise TimeoutError("NVFlare's server does not listen")
            time.sleep(LISTEN_LOOK_SECONDS)
        return new_secure_session(ADMIN, str(admin_kit), timeout=SERVER_START_SECONDS)

    def _require_server(self) -> None:
        if not self._server.running:
            raise RuntimeError("NVFlare's server ended by itself")


def port_of(admin_kit: Path) -> int:
    """The port of the server that an administrator's kit is for."""
    return int(json.loads((admin_kit / "startup" / "fed_admin.json").read_text())["admin"]["port"])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True
