"""A site's data: `values.csv`, one number per line."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = "values.csv"


@dataclass(frozen=True)
class Summary:
    """All that leaves a site."""

    total: float
    n: int

    @property
    def mean(self) -> float:
        """The mean of the numbers summed up."""
        return self.total / self.n

    def to_dict(self) -> dict[str, Any]:
        """As a site sends it."""
        return asdict(self)


def summarise(folder: Path) -> Summary:
    """The sum of a folder's numbers. An error names the line and never what is in it."""
    lines = (folder / FILE).read_text().splitlines()
    numbers = [_number(line, index + 1) for index, line in enumerate(lines) if line.strip()]
    if not numbers:
        raise ValueError(f"{FILE} holds no numbers")
    return Summary(math.fsum(numbers), len(numbers))


def combine(summaries: list[Summary]) -> Summary:
    """One summary of all; the same whatever their order."""
    return Summary(math.fsum(each.total for each in summaries), sum(each.n for each in summaries))


def _number(line: str, index: int) -> float:
    try:
        number = float(line)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        # Not raised from the first error, whose message quotes the line.
        raise ValueError(f"{FILE}, line {index} is not a number") from None
    return number
