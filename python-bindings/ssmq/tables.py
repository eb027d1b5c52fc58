"""Reads the documents of the passes, the sensitivity table and the assignment, for people."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from .errors import Error
from .report import Table


def _read(path: Path, document: str) -> dict:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Error(f"{path} does not exist") from None
    except (ValueError, IsADirectoryError):
        raise Error(f"{path} is not a JSON document") from None
    if not isinstance(value, dict) or value.get("document") != document:
        raise Error(f"{path} is not a document of type {document}")
    return value


def summarize_formats(path: Path) -> Table:
    """What each format costs when all weights have it, by the sum over weights."""
    table = _read(path, "ssmq-sensitivity")
    cost, bytes_, sites = defaultdict(float), Counter(), Counter()
    for row in table["rows"]:
        cost[row["format"]] += max(0.0, row["estimates"]["forwardKL"]["mean"])
        bytes_[row["format"]] += row["bytes"]
        sites[row["format"]] += 1
    size = table["model"]
    result = Table(f"{path}: {len(table['sites'])} weights",
                   ["format", "weights", "bits/weight", "predicted KL"])
    for name in sorted(cost, key=lambda name: -cost[name]):
        total = 8 * (bytes_[name] + size["fixedBytes"]) / size["numParameters"]
        bits = f"{total:.2f}" if sites[name] == len(table["sites"]) else ""
        result.rows.append([name, str(sites[name]), bits, f"{cost[name]:.2e}"])
    return result


def summarize_assignment(path: Path) -> Table:
    assignment = _read(path, "ssmq-assignment")
    report = assignment["report"]
    kl = report["predictedKL"]
    predicted = f", predicted KL {kl:.2e}" if kl is not None else ""
    result = Table(f"{report['totalBytes'] / 1e6:.2f} MB, "
                   f"{report['bitsPerWeight']:.2f} bits a weight{predicted}",
                   ["format", "weights"])
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
    report = _read(path, "ssmq-assignment")["report"]
    return Size(report["totalBytes"], report["bitsPerWeight"])


def get_original_size(path: Path) -> Size:
    """Of the model that a sensitivity table is about."""
    table = _read(path, "ssmq-sensitivity")
    num_bytes = table["model"]["fixedBytes"] + sum(one["baselineBytes"] for one in table["sites"])
    return Size(num_bytes, 8 * num_bytes / table["model"]["numParameters"])


def read_assignment(path: Path) -> dict[str, str]:
    """Site to format."""
    try:
        return {str(one["site"]): str(one["format"])
                for one in _read(path, "ssmq-assignment")["sites"]}
    except (KeyError, TypeError):
        raise Error(f"{path} is no whole assignment; was it edited?") from None
