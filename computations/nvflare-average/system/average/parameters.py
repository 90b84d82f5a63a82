"""The parameters of a run: all of them ask for trouble, because the mean itself needs none."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Parameters:
    """Names as in `computation.yaml`; a node is a site's id or `central`."""

    sleepSeconds: float = 0
    failAt: str | None = None
    silentAt: str | None = None
    ignoreSigtermAt: str | None = None
    logMegabytes: float = 0
    neverStartAt: str | None = None

    @staticmethod
    def of(values: object) -> "Parameters":
        """What a JSON object says, if it says nothing else."""
        if not isinstance(values, dict):
            raise ValueError("The parameters are not a JSON object")
        unknown = values.keys() - {field.name for field in fields(Parameters)}
        if unknown:
            raise ValueError(f"There is no parameter {', '.join(sorted(unknown))}")
        return Parameters(**values)

    def silent(self, node: str) -> bool:
        """Whether the node is to end well and leave nothing."""
        return self.silentAt in (node, "*")
