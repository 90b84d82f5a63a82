"""What a node's kit says beside NVFlare's own files: which node it is, who the others are, and the parameters."""

import json
from dataclasses import dataclass
from pathlib import Path

from .parameters import Parameters

CENTRAL = "central"


@dataclass(frozen=True)
class Kit:
    """A node's own copy of its kit."""

    folder: Path
    node: str
    sites: tuple[str, ...]
    parameters: Parameters

    @staticmethod
    def read(folder: Path) -> "Kit":
        """The kit in a folder."""
        about = json.loads((folder / "node.json").read_text())
        values = json.loads((folder / "parameters.json").read_text())
        return Kit(folder, about["node"], tuple(about["sites"]), Parameters.of(values))

    @staticmethod
    def write(folder: Path, node: str, sites: tuple[str, ...], parameters: str) -> None:
        """Adds these to what NVFlare made; `parameters` is the JSON they were given as."""
        (folder / "node.json").write_text(json.dumps({"node": node, "sites": sites}))
        (folder / "parameters.json").write_text(parameters)
