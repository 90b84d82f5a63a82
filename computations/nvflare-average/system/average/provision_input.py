"""The order to provision: `provision_input.json`."""

import json
from dataclasses import dataclass
from pathlib import Path

from .parameters import Parameters

KEYS = {"users", "computation_parameters", "fed_learn_port", "host_identifier"}
NVFLARE_SERVER = "server"


@dataclass(frozen=True)
class ProvisionInput:
    """Who takes part, where they meet, and the parameters as the JSON they came in."""

    sites: tuple[str, ...]
    parameters: str
    port: int
    host: str

    @staticmethod
    def read(path: Path) -> "ProvisionInput":
        """What the file says; anything that it should not say is an error."""
        given = json.loads(path.read_text())
        _require(isinstance(given, dict), "is not a JSON object")
        _require(not given.keys() - KEYS, f"must not have the keys {sorted(given.keys() - KEYS)}")
        _require(not KEYS - given.keys(), f"lacks the keys {sorted(KEYS - given.keys())}")
        sites = tuple(user["id"] for user in given["users"])
        _require(len(sites) > 0 and len(set(sites)) == len(sites), "needs users, each with an id of its own")
        _require(NVFLARE_SERVER not in sites, f"calls a site {NVFLARE_SERVER}, as NVFlare calls central")
        port = given["fed_learn_port"]
        _require(type(port) is int and 1 <= port <= 65535, "has no fed_learn_port from 1 to 65535")
        parameters = given["computation_parameters"]
        Parameters.of(json.loads(parameters))
        return ProvisionInput(sites, parameters, port, given["host_identifier"])


def _require(fits: bool, problem: str) -> None:
    if not fits:
        raise ValueError(f"provision_input.json {problem}")
