"""Sensitivity tables, as the pass ssmq-sensitivity writes them, read into arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .documents import read_document
from .errors import Error

DOCUMENT = "ssmq-sensitivity"
VERSION = 3
# No measurement is larger, and squares and products stay finite.
LARGEST = 1e100


@dataclass(frozen=True)
class Estimate:
    """NaN where it is unknown; nats a token, or what the metric counts in."""

    mean: float
    standard_error: float


@dataclass(frozen=True)
class Site:
    name: str
    kind: str
    rows: int
    columns: int
    elements: int
    baseline_bytes: int


@dataclass(frozen=True)
class Row:
    """One site in one format; `sums` are columns, an entry for each of `sequences`."""

    site: str
    format: str
    bytes: int
    is_predicted: bool
    estimates: dict[str, Estimate]
    sequences: np.ndarray
    sums: dict[str, np.ndarray]
    is_unusable: bool = False
    """The model overflows with it: no sums, and no estimates."""


@dataclass(frozen=True)
class SensitivityTable:
    path: Path
    run: dict
    num_parameters: int
    fixed_bytes: int
    sites: list[Site]
    rows: list[Row]
    noise_floor: list[Row]

    @property
    def formats(self) -> list[str]:
        """In the order of the bytes that all sites take, the smallest first."""
        total: dict[str, int] = {}
        for row in self.rows:
            total[row.format] = total.get(row.format, 0) + row.bytes
        return sorted(total, key=lambda name: (total[name], name))

    @property
    def gaps(self) -> list[str]:
        """What is missing, in words: a shard that was not merged leaves sites without rows or rows
        without all sequences, unless both were never asked for."""
        known = {row.site for row in self.rows}
        empty = [site.name for site in self.sites if site.name not in known]
        short = [row for row in self.rows if not row.is_predicted and not row.is_unusable
                 and len(row.sequences) < self.run["numSequences"]]
        gaps = []
        if not self.noise_floor:
            gaps.append("there is no noise floor")
        if empty:
            gaps.append(f"{len(empty)} of {len(self.sites)} sites have no row ({empty[0]} ...)")
        if short:
            gaps.append(f"{len(short)} of {len(self.rows)} rows lack sequences "
                        f"({short[0].site} in {short[0].format} ...)")
        return gaps

    @property
    def unusable(self) -> list[Row]:
        return [row for row in self.rows if row.is_unusable]

    @property
    def overflow(self) -> str:
        """What overflows, in a line; empty where nothing does."""
        names = [f"{row.site} in {row.format}" for row in self.unusable]
        if not names:
            return ""
        more = f" and {len(names) - 1} more of {len(self.rows)}" if len(names) > 1 else ""
        return f"The model overflows with {names[0]}{more}: never chosen."

    def select(self, format: str) -> list[Row]:
        """The rows of one format, in the order of the sites."""
        return [row for row in self.rows if row.format == format]


def _check(is_good: bool, problem: str) -> None:
    if not is_good:
        raise ValueError(problem)


def _number(value: float | None) -> float:
    number = float("nan") if value is None else float(value)
    _check(value is None or abs(number) < LARGEST, f"{value} is no measurement")
    return number


def _column(value: list, site: str) -> np.ndarray:
    column = np.array(value, dtype=float)
    _check(column.ndim == 1 and bool((np.abs(column) < LARGEST).all()),
           f"a column of {site} is no list of numbers")
    return column


def _read_site(value: dict) -> Site:
    return Site(value["name"], str(value.get("kind", "weight")), int(value["rows"]), int(value["columns"]),
                int(value["elements"]), int(value["baselineBytes"]))


def _read_row(value: dict, site: str) -> Row:
    estimates = {name: Estimate(_number(one["mean"]), _number(one["standardError"]))
                 for name, one in value["estimates"].items() if isinstance(one, dict)}
    sums = {name: _column(column, site) for name, column in value["sums"].items()}
    sequences = sums.pop("sequence")
    _check(all(len(column) == len(sequences) for column in sums.values()),
           f"the columns of {site} differ in length")
    _check(len(set(sequences)) == len(sequences) and
           bool(((sequences >= 0) & (sequences < 2 ** 31)).all()),
           f"the sequences of {site} are not distinct")
    _check((sums["positions"] > 0).all(), f"a sequence of {site} has no positions")
    is_predicted = value.get("method") == "predicted"
    _check("forwardKL" in (estimates if is_predicted else sums), f"{site} has no KL")
    is_unusable = value.get("unusable") is not None
    _check(not is_unusable or not len(sequences) and not is_predicted,
           f"{site} overflows, yet has numbers")
    return Row(site, str(value["format"]), int(value.get("bytes", 0)), is_predicted, estimates,
               sequences.astype(int), sums, is_unusable)


def read(path: Path) -> SensitivityTable:
    value = read_document(path, DOCUMENT, VERSION)
    try:
        return _parse(path, value)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise Error(f"{path} is no whole sensitivity table: {type(error).__name__} {error}; was "
                    "it edited?") from None


def _parse(path: Path, value: dict) -> SensitivityTable:
    run, model = value["run"], value["model"]
    run = run | {name: int(run[name]) for name in ("numSequences", "sequenceLength", "vocabSize")}
    run = run | {name: str(run[name]) for name in ("model", "calibration")}
    _check(min(run["numSequences"], int(model["numParameters"])) > 0, "the run is empty")
    sites = [_read_site(one) for one in value["sites"]]
    rows = [_read_row(one, one["site"]) for one in value["rows"]]
    names = {site.name for site in sites}
    _check(all(isinstance(name, str) for name in names) and len(names) == len(sites) and
           all(row.site in names for row in rows) and
           len({(row.site, row.format) for row in rows}) == len(rows),
           "its rows and its sites do not agree")
    return SensitivityTable(path, run, int(model["numParameters"]), int(model["fixedBytes"]), sites,
                            rows, [_read_row(one, "noise-floor") for one in value["noiseFloor"]])
