"""Choosing formats from a finished table: rules, budgets, the Pareto front. Needs no model.

    formats = assign("table.json", budgets=["4.5bpw"]).formats
    front = compute_front("table.json").points
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import _ssmq

from .report import Table
from .tables import describe_size

# What an assignment calls a site that stays as it is, and what people read.
KEEP, NONE = "keep", "none"


@dataclass(frozen=True)
class Assignment:
    document: dict

    @property
    def formats(self) -> dict[str, str]:
        """Of each site; "none" where it stays as the checkpoint stores it."""
        return {one["site"]: NONE if one["format"] == KEEP else one["format"]
                for one in self.document["sites"]}

    @property
    def counts(self) -> dict[str, int]:
        """Sites by format, the most frequent first."""
        return dict(Counter(self.formats.values()).most_common())

    @property
    def report(self) -> dict:
        return self.document["report"]

    def to_json(self) -> str:
        heads = {name: self.document[name] for name in ("method", "model", "checkpoint", "report")}
        return json.dumps(heads | {"counts": self.counts, "formats": self.formats}, indent=2)


@dataclass(frozen=True)
class FrontPoint:
    num_bytes: int
    bits: float
    kl: float
    formats: dict[str, str]


@dataclass(frozen=True)
class Front:
    model: str
    num_points: int | None
    """Of the whole front; None when there are too many to count."""
    points: list[FrontPoint]

    def to_json(self) -> str:
        points = [{"bytes": one.num_bytes, "bitsPerWeight": one.bits, "predictedKL": one.kl,
                   "formats": one.formats} for one in self.points]
        return json.dumps({"model": self.model, "numPoints": self.num_points, "points": points},
                          indent=2)

    def to_csv(self) -> str:
        lines = ["bytes,bitsPerWeight,predictedKL"]
        lines += [f"{one.num_bytes},{one.bits!r},{one.kl!r}" for one in self.points]
        return "\r\n".join(lines) + "\r\n"

    def to_table(self, title: str) -> Table:
        many = "more than can be listed" if self.num_points is None else f"{self.num_points}"
        table = Table(f"{title}: {len(self.points)} of {many} assignments that no other beats",
                      ["MB", "bits/weight", "predicted KL", "formats"])
        for one in self.points:
            counts = Counter(NONE if name == KEEP else name for name in one.formats.values())
            table.rows.append([f"{one.num_bytes / 1e6:.3f}", f"{one.bits:.3f}", f"{one.kl:.3e}",
                               ", ".join(f"{count} {name}"
                                         for name, count in counts.most_common(3))
                               + (" ..." if len(counts) > 3 else "")])
        return table


def _make_request(table: Path | str, options: dict) -> str:
    """JSON of what is given, under the names of ssmq/Assign/Request.h."""
    names = {"cache_tokens": "cacheTokens", "decode_ms": "decodeMilliseconds",
             "prefill_ms": "prefillMilliseconds", "site_kl": "siteKL"}
    given = {names.get(name, name): str(value) if isinstance(value, Path) else value
             for name, value in options.items() if value is not None}
    return json.dumps({"table": str(table)} | given)


def assign(table: Path | str, *, output: Path | None = None, **options: object) -> Assignment:
    """Chooses a format for each site, and writes the assignment to `output`.

    Options: rule, budgets ["4.5bpw"], memory "3MB", cache_tokens, decode_ms and prefill_ms (of a
    token), costs (the table of times), site_kl, formats, sites (kinds), ties (patterns), keep,
    metric, gamma, perplexity. include/ssmq/Assign/Request.h says what they mean."""
    text = _ssmq.assign(_make_request(table, options), str(output) if output else None)
    return Assignment(json.loads(text))


def compute_front(table: Path | str, max_points: int = 200, **options: object) -> Front:
    """The assignments that no other beats in both size and KL, at most so many of them (0 gives
    all). Options: site_kl, formats, sites, ties, keep."""
    value = json.loads(_ssmq.compute_front(_make_request(table, options), max_points))
    points = [FrontPoint(one["bytes"], one["bitsPerWeight"], one["predictedKL"],
                         dict(zip(value["sites"], one["formats"]))) for one in value["points"]]
    return Front(value["model"], value["numPoints"], points)


def describe(assignment: Assignment) -> str:
    """Its method, size and KL in a line."""
    report, parts = assignment.report, [assignment.document["method"]]
    if report["totalBytes"]:
        parts.append(f"{describe_size(report['totalBytes'])}, {report['bitsPerWeight']:.2f} bits "
                     "a weight")
    if report["predictedKL"] is not None:
        parts.append(f"predicted KL {report['predictedKL']:.2e}")
    if "decodeNanoseconds" in report:
        parts.append(f"{report['decodeNanoseconds'] / 1e6:.3f} ms a token")
    return ", ".join(parts)


def to_table(assignment: Assignment) -> Table:
    return Table("", ["format", "sites"],
                 [[name, str(count)] for name, count in assignment.counts.items()])
