"""Results: quality against size of whole models, such as benchmarks/assignment.py measures.

The document is JSON: {"document": "ssmq-results", "version": 1, "model", "evaluation", "numScored",
"perplexity", "points": [{"series", "label", "bytes", "bitsPerWeight", "forwardKL",
"perplexityRatio"}]}. Estimates are {"mean", "standardError"} with errors over sequences: the
original's perplexity, KL(original || model) in nats a token, and the model's perplexity over the
original's, whose error is far smaller since both see the same text. Points of a series are one way
to choose formats, at several sizes.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

from .documents import read_document
from .errors import Error
from .sensitivity import Estimate

DOCUMENT, VERSION = "ssmq-results", 1


@dataclass
class Point:
    series: str
    label: str
    bytes: int
    bits: float
    kl: Estimate
    perplexity_ratio: Estimate


@dataclass
class Results:
    model: str
    evaluation: str
    num_scored: int
    perplexity: Estimate
    points: list[Point] = field(default_factory=list)

    def to_json(self) -> str:
        points = [{"series": one.series, "label": one.label, "bytes": one.bytes,
                   "bitsPerWeight": one.bits, "forwardKL": _write(one.kl),
                   "perplexityRatio": _write(one.perplexity_ratio)} for one in self.points]
        return json.dumps({"document": DOCUMENT, "version": VERSION, "model": self.model,
                           "evaluation": self.evaluation, "numScored": self.num_scored,
                           "perplexity": _write(self.perplexity), "points": points}, indent=1, allow_nan=False) + "\n"


def _write(estimate: Estimate) -> dict:
    return {"mean": estimate.mean, "standardError": estimate.standard_error}


def _read(value: dict) -> Estimate:
    return Estimate(float(value["mean"]), float(value["standardError"]))


def read_results(path: Path) -> Results:
    value = read_document(path, DOCUMENT, VERSION)
    try:
        points = [Point(str(one["series"]), str(one["label"]), int(one["bytes"]),
                        float(one["bitsPerWeight"]), _read(one["forwardKL"]),
                        _read(one["perplexityRatio"])) for one in value["points"]]
        results = Results(str(value["model"]), str(value["evaluation"]), int(value["numScored"]),
                          _read(value["perplexity"]), points)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Error(f"{path} is no whole document of results ({type(error).__name__} {error}); was "
                    "it edited?") from None
    for one in points:
        numbers = (one.bits, one.kl.mean, one.kl.standard_error,
                   one.perplexity_ratio.mean, one.perplexity_ratio.standard_error)
        if not all(map(math.isfinite, numbers)):
            raise Error(f"{path}: {one.series}, {one.label} has a number that cannot be")
    return results
