"""Reads the documents of the passes, the sensitivity table and the assignment, for people."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import inf
from pathlib import Path

from . import sensitivity
from .documents import read_document
from .errors import Error
from .report import Table

WEIGHT = "weight"


def summarize_formats(path: Path) -> Table:
    """What each format costs when all sites of a kind have it, by the sum over sites."""
    table = sensitivity.read(path)
    kinds = {site.name: site.kind for site in table.sites}
    num_sites = Counter(kinds.values())
    groups = defaultdict(list)
    for row in table.rows:
        groups[kinds[row.site], row.format].append(row)
    costs = {group: sum(inf if row.is_unusable else max(0.0, row.estimates["forwardKL"].mean)
                        for row in rows)
             for group, rows in groups.items()}
    result = Table(f"{path}: {len(table.sites)} sites",
                   ["format", "kind", "sites", "bits/weight", "predicted KL"])
    for kind, format in sorted(groups, key=lambda group: -costs[group]):
        rows = groups[kind, format]
        bits = ""
        if kind == WEIGHT and len(rows) == num_sites[kind]:
            total = sum(row.bytes for row in rows) + table.fixed_bytes
            bits = f"{8 * total / table.num_parameters:.2f}"
        result.rows.append([format, kind, str(len(rows)), bits, f"{costs[kind, format]:.2e}"])
    if len(num_sites) == 1:
        result.drop("kind")
    return result


def list_unstable(path: Path) -> list[str]:
    """Of an assignment that was applied, a line a site whose systems have |A| >= 1."""
    found = defaultdict(list)
    for one in read_document(path, "ssmq-assignment")["report"].get("unstable", []):
        # A magnitude that is no number is none.
        found[one["site"]].append((one["magnitude"] or float("inf"), one["head"]))
    return [f"{site}: {len(heads)} heads have |A| >= 1, up to {max(heads)[0]:.6f} (head "
            f"{max(heads)[1]}): their states grow; more bits, or logpolar, keep them stable"
            for site, heads in found.items()]


def describe_size(num_bytes: int) -> str:
    """Of a language model, or of a classifier of a few kilobytes."""
    return f"{num_bytes / 1e6:.2f} MB" if num_bytes >= 100_000 else f"{num_bytes:,} bytes"


def summarize_assignment(path: Path) -> Table:
    assignment = read_document(path, "ssmq-assignment")
    report = assignment["report"]
    size = f"{describe_size(report['totalBytes'])}, {report['bitsPerWeight']:.2f} bits a weight"
    kl, measured = report["predictedKL"], report.get("measuredKL")
    predicted = f", predicted KL {kl:.2e}" if kl is not None else ""
    if measured is not None:
        error = report.get("measuredKLError")
        predicted += f", measured {measured:.2e}" + (f" ± {error:.1e}" if error is not None else "")
    if report.get("refined"):
        predicted += f", after {report['refined']}"
        if "refinedKL" in report:
            predicted += f" {report['refinedKL']:.2e}"
    for what in ("activations", "states"):
        if report.get(what):
            predicted += f", {what} in {report[what]}"
    if "roundedKL" in report:
        predicted += f": {report['roundedKL']:.2e} ± {report['roundedKLError']:.1e}"
    note = report.get("note")
    result = Table(size + predicted + (f"; {note}" if note else ""), ["format", "sites"])
    for name, count in Counter(site["format"] for site in assignment["sites"]).most_common():
        result.rows.append([name, str(count)])
    return result


@dataclass
class Size:
    """Of the whole model as stored."""

    num_bytes: int
    bits: float


def get_size(path: Path) -> Size:
    """Under an assignment."""
    report = read_document(path, "ssmq-assignment")["report"]
    return Size(report["totalBytes"], report["bitsPerWeight"])


def get_original_size(path: Path) -> Size:
    """Of the model that a sensitivity table is about."""
    table = read_document(path, "ssmq-sensitivity")
    num_bytes = table["model"]["fixedBytes"] + sum(
        one["baselineBytes"] for one in table["sites"] if one.get("kind", WEIGHT) == WEIGHT)
    return Size(num_bytes, 8 * num_bytes / table["model"]["numParameters"])


def read_assignment(path: Path) -> dict[str, str]:
    """Site to format."""
    try:
        return {str(one["site"]): str(one["format"])
                for one in read_document(path, "ssmq-assignment")["sites"]}
    except (KeyError, TypeError):
        raise Error(f"{path} is no whole assignment; was it edited?") from None
