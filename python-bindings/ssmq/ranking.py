"""`ssmq rank`: which sites need more bits, and which of their ranks the data cannot tell apart."""

import json
from collections import defaultdict
from dataclasses import dataclass

from . import stages, statistics
from .errors import Error
from .report import Table
from .sensitivity import Row, SensitivityTable

ALL = "all"
EACH = "the smallest format of each kind"


@dataclass(frozen=True)
class Ranking:
    source: SensitivityTable
    format: str
    """Canonical, ALL or EACH."""
    rows: list[Row]
    ranks: list[statistics.Rank]
    """From the most sensitive on; `index` counts in `rows`."""
    floor: float
    top: int

    @property
    def shown(self) -> list[statistics.Rank]:
        return self.ranks[:self.top] if self.top else self.ranks

    @property
    def note(self) -> str:
        run, floors = self.source.run, self.source.noise_floor
        lines = [f"Means over {run['numSequences']} sequences of {run['sequenceLength']} tokens of "
                 f"{run['calibration']}, in nats a token."]
        if any(one.is_tied_with_previous and not one.is_below_floor for one in self.shown):
            lines.append("≈: the data do not tell this row from the one above; rank: the places "
                         "that a row may have.")
        if any(row.is_predicted for row in self.rows):
            lines.append("~: predicted, not measured on all sequences.")
        if self.source.overflow:
            lines.append(self.source.overflow)
        for row in floors:
            value = statistics.draw([row], resamples=1).values[0]
            lines.append(f"Noise floor: {value:.1e} ({row.format}).")
        if any(one.is_below_floor for one in self.shown):
            lines.append("noise: rows below the noise floor, whose order does not matter; ties.")
        return "\n".join(lines)

    def to_table(self) -> Table:
        unit = "row" if self.format == ALL else "site"
        table = Table(f"{self.source.path.name}: KL(p‖q) of each {unit}"
                      + ("" if self.format == ALL else f" in {self.format}"),
                      ["site", "kind", "format", "bytes", "KL", "95 % interval", "rank", ""])
        kinds = {site.name: site.kind for site in self.source.sites}
        for one in self.shown:
            row = self.rows[one.index]
            low, high = one.interval
            interval = f"{max(0.0, low):.2e} .. {high:.2e}" if low == low else "unknown"
            places = str(one.low) if one.low == one.high else f"{one.low}-{one.high}"
            table.rows.append([
                row.site, kinds[row.site], row.format, str(row.bytes),
                f"{'~' if row.is_predicted else ''}{one.value:.2e}", interval, places,
                "noise" if one.is_below_floor else "≈" if one.is_tied_with_previous else ""])
        if self.format not in (ALL, EACH):
            table.drop("format")
        if len(set(kinds.values())) == 1:
            table.drop("kind")
        return table

    def to_json(self) -> str:
        def describe(one: statistics.Rank) -> dict:
            row = self.rows[one.index]
            low, high = one.interval
            known = low == low
            return {"site": row.site, "format": row.format, "bytes": row.bytes,
                    "predicted": row.is_predicted, "kl": one.value,
                    "interval": [max(0.0, low), high] if known else None,
                    "rank": [one.low, one.high], "tiedWithPrevious": one.is_tied_with_previous,
                    "belowNoiseFloor": one.is_below_floor}

        floors = {row.format: float(statistics.draw([row], resamples=1).values[0])
                  for row in self.source.noise_floor}
        return json.dumps({"run": self.source.run, "level": statistics.LEVEL,
                           "noiseFloor": floors, "rows": [describe(one) for one in self.shown]},
                          indent=1)


def choose_smallest(table: SensitivityTable) -> dict[str, str]:
    """For each kind of site the smallest of the formats that the most sites of the kind have."""
    kinds = {site.name: site.kind for site in table.sites}
    covered = defaultdict(lambda: [0, 0])
    for row in table.rows:
        entry = covered[kinds[row.site], row.format]
        entry[0] -= 1
        entry[1] += row.bytes
    smallest: dict[str, str] = {}
    for kind, format in sorted(covered, key=lambda key: (covered[key], key)):
        smallest.setdefault(kind, format)
    return smallest


def rank(table: SensitivityTable, format: str | None = None, top: int = 0) -> Ranking:
    known = table.formats
    if not known:
        raise Error(f"{table.path} holds no rows")
    kinds = {site.name: site.kind for site in table.sites}
    smallest = choose_smallest(table)
    if format is None:
        format = EACH if len(set(smallest.values())) > 1 else next(iter(smallest.values()))
    elif format != ALL and format not in known:
        format = stages.get_spelling(format)
        if format not in known:
            raise Error(f"{table.path} has no rows in '{format}'; it has {', '.join(known)}")
    wanted = smallest if format == EACH else defaultdict(lambda: format)
    rows = [row for row in table.rows if format == ALL or row.format == wanted[kinds[row.site]]]
    # A row that was not measured at all has no place.
    rows = [row for row in rows if row.is_predicted or len(row.sequences)]
    if not rows:
        raise Error(f"{table.path} has no measurement in {format}")
    floor = statistics.get_floor(table.noise_floor)
    return Ranking(table, format, rows, statistics.rank(statistics.draw(rows), floor), floor, top)
