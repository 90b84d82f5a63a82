"""The job as NVFlare wants it: a folder of JSON."""

import json
from pathlib import Path

from .tasks import PUBLISH, SUMMARISE

NAME = "average"
POLL_SECONDS = 0.2


def write_job(folder: Path, sites: tuple[str, ...]) -> Path:
    """Writes the job for these sites; all of them have to take part."""
    job = folder / NAME
    config = job / "app" / "config"
    config.mkdir(parents=True)
    _write(
        job / "meta.json",
        {
            "name": NAME,
            "resource_spec": {},
            "min_clients": len(sites),
            "mandatory_clients": list(sites),
            "deploy_map": {"app": ["@ALL"]},
        },
    )
    _write(
        config / "config_fed_server.json",
        {
            "format_version": 2,
            "server": {"task_request_interval": POLL_SECONDS},
            "task_data_filters": [],
            "task_result_filters": [],
            "components": [],
            "workflows": [{"id": NAME, "path": "average.controller.AverageController", "args": {}}],
        },
    )
    _write(
        config / "config_fed_client.json",
        {
            "format_version": 2,
            "default_task_fetch_interval": POLL_SECONDS,
            "task_check_interval": 1.0,
            "executors": [
                {
                    "tasks": [SUMMARISE, PUBLISH],
                    "executor": {"path": "average.executor.AverageExecutor", "args": {}},
                }
            ],
            "task_data_filters": [],
            "task_result_filters": [],
            "components": [],
        },
    )
    return job


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2))
