"""Rows of a sensitivity table with what can be said about them: intervals, ranks, ties."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import statistics
from .errors import Error
from .places import Place, name_places
from .sensitivity import Row, SensitivityTable, Site, read

KL = "forwardKL"


@dataclass(frozen=True)
class JudgedRow:
    """Numbers that are not known are None."""

    row: Row
    site: Site
    place: Place
    kl: float | None
    interval: tuple[float | None, float | None]
    # Among the rows that it was judged with; None without a KL.
    ranks: tuple[int, int] | None
    is_below_floor: bool
    # With the row before it.
    is_tied: bool

    @property
    def method(self) -> str:
        if self.row.is_unusable:
            return "unusable"
        return "predicted" if self.row.is_predicted else "measured"

    @property
    def bits(self) -> float | None:
        """Of an element, with its share of the scales."""
        return get_bits(self.row, self.site)


def read_table(path: Path) -> SensitivityTable:
    """Fails on a table that nothing can be said about."""
    table = read(path)
    if not table.rows:
        raise Error(f"{path} holds no rows; measure at least one site")
    return table


def get_bits(row: Row, site: Site) -> float | None:
    """Without a size, as the format's name has them."""
    if row.bytes > 0 and site.elements > 0:
        return 8 * row.bytes / site.elements
    width = re.match("[a-z]+([0-9]+)", row.format)
    return float(width[1]) if width else None


def known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _clip(interval: tuple[float, float]) -> tuple[float | None, float | None]:
    low, high = map(known, interval)
    return None if low is None else max(0.0, low), high


def judge(table: SensitivityTable, rows: Sequence[Row]) -> list[JudgedRow]:
    """Ranks `rows`, one for each site, among themselves, the worst first; those without a KL come
    last."""
    sites = {site.name: site for site in table.sites}
    places = name_places(list(sites))
    scored = [row for row in rows if KL in row.estimates and
              math.isfinite(row.estimates[KL].mean)]
    floor = statistics.get_floor(table.noise_floor)
    result = []
    for rank in statistics.rank(statistics.draw(scored), floor) if scored else []:
        row = scored[rank.index]
        result.append(JudgedRow(row, sites[row.site], places[row.site], known(rank.value),
                                _clip(rank.interval),
                                (rank.low, rank.high), rank.is_below_floor,
                                bool(rank.is_tied_with_previous)))
    ranked = {id(row) for row in scored}
    result += [JudgedRow(row, sites[row.site], places[row.site], None, (None, None), None, False,
                         False)
               for row in rows if id(row) not in ranked]
    return result
