"""Sensitivity tables with known values, for tests of what reads them."""

import json
import random
from dataclasses import replace

from ssmq.results import Point, Results
from ssmq.sensitivity import Estimate

RUN = {"model": "tiny", "calibration": "calibration.txt", "calibrationDigest": "0" * 16,
       "checkpoint": "1" * 16, "formatSet": "1", "numSequences": 8, "sequenceLength": 11,
       "vocabSize": 32}
POSITIONS, SEQUENCES = 10, 8


def make_site(name, kind="weight", rows=8, columns=32):
    return {"name": name, "kind": kind, "rows": rows, "columns": columns,
            "elements": rows * columns, "baselineBytes": 2 * rows * columns}


def make_estimates(kl, error, **more):
    """Each further estimate as (mean, standard error)."""
    means = {"forwardKL": (kl, error)} | more
    return {name: {"mean": mean, "standardError": error} for name, (mean, error) in means.items()}


def make_row(site, format, num_bytes, kl, seed=0, **more):
    """Measured, with a spread of a tenth over sequences."""
    generator = random.Random(f"{site} {format} {seed}")
    sums = [POSITIONS * kl * generator.uniform(0.9, 1.1) for _ in range(SEQUENCES)]
    mean = sum(sums) / (POSITIONS * SEQUENCES)
    return {"site": site, "format": format, "bytes": num_bytes, "method": "measured",
            "localError": [0.5] * SEQUENCES,
            "estimates": {"sequences": SEQUENCES, "positions": POSITIONS * SEQUENCES,
                          **make_estimates(mean, 0.03 * kl, **more)},
            "sums": {"sequence": list(range(SEQUENCES)), "positions": [POSITIONS] * SEQUENCES,
                     "forwardKL": sums}}


def make_predicted(site, format, num_bytes, kl, error):
    row = make_row(site, format, num_bytes, 1)
    row["method"] = "predicted"
    row["estimates"] = {"sequences": 0, "positions": 0,
                        **make_estimates(kl, error, sameTop1=(None, None))}
    row["sums"] = {"sequence": [], "positions": [], "forwardKL": []}
    return row


def make_table(path, sites, rows, floor=1e-5, **more):
    noise = make_row("", "weights in bf16", 0, floor)
    del noise["site"], noise["bytes"]
    path.write_text(json.dumps({
        "document": "ssmq-sensitivity", "version": 3, "run": RUN,
        "model": {"numParameters": 1000, "fixedBytes": 0}, "sites": sites, "rows": rows,
        "noiseFloor": [noise], **more}))
    return path


def make_assignment(path, formats, **more):
    path.write_text(json.dumps({
        "document": "ssmq-assignment", "version": 1, **more,
        "sites": [{"site": site, "format": format} for site, format in formats.items()]}))
    return path


def make_results(path, **changes):
    """Two ways to choose formats, at two sizes each; `changes` are of the first point."""
    points = [Point(series, f"{bits} bits", 1000 * bits, bits, Estimate(kl / bits, 1e-4),
                    Estimate(1 + kl, 1e-3))
              for series, kl in (("uniform", 0.05), ("optimal <b>", 0.03)) for bits in (4, 8)]
    points[0] = replace(points[0], **changes)
    path.write_text(Results("tiny", "text.txt", 1000, Estimate(17.0, 0.5), points).to_json())
    return path


SUMS = ["forwardKL", "reverseKL", "squaredError", "squaredTeacher", "teacherCrossEntropy",
        "crossEntropyChange", "squaredTeacherCrossEntropy", "squaredCrossEntropyChange",
        "crossEntropyProduct", "probabilityChange", "squaredProbabilityChange"]
ZEROS = ["meanSquaredError", "crossEntropyChange", "perplexityChange", "probabilityChange",
         "rmsProbabilityChange", "teacherCrossEntropy", "accuracy", "accuracyChange"]


def make_whole_row(site, format, num_bytes, kl):
    """Of one sequence, with all that ssmq reads back; both KL are `kl`, other changes 0."""
    sums = {name: [0.0] for name in SUMS} | {"sequence": [0], "positions": [POSITIONS],
                                             "sameTop1": [POSITIONS],
                                             "correct": [0], "teacherCorrect": [0]}
    sums["forwardKL"] = sums["reverseKL"] = [POSITIONS * kl]
    means = dict.fromkeys(ZEROS, 0.0) | {"forwardKL": kl, "reverseKL": kl, "sameTop1": 1.0,
                                         "signalToNoise": None, "crossEntropyCorrelation": None}
    return {"site": site, "format": format, "bytes": num_bytes, "method": "measured",
            "estimates": {"sequences": 1, "positions": POSITIONS,
                          **{name: {"mean": mean, "standardError": None}
                             for name, mean in means.items()}},
            "sums": sums}


def make_whole_table(path, sites, rows):
    """A table that ssmq itself reads, of one sequence."""
    path.write_text(json.dumps({
        "document": "ssmq-sensitivity", "version": 3, "run": RUN | {"numSequences": 1},
        "model": {"numParameters": 1000, "fixedBytes": 0}, "sites": sites, "rows": rows,
        "noiseFloor": []}))
    return path
