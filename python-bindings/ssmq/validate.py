"""`ssmq validate`: measures a model on the texts, and writes how far metrics and truth agree."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from . import agreement, machine, sensitivity, stages, statistics
from .agreement import PREDICTED, SHARES, Agreement, MetricResult, Parts
from .model import Model
from .output import scratch_directory
from .overlap import Sketch
from .report import Table
from .text import Text, read_calibration, refuse_overlap


@dataclass(frozen=True)
class Texts:
    evaluation: Path
    calibration: Path
    other: Path | None


def validate(model: Model, texts: Texts, journals: Path, options: stages.MeasureOptions
             ) -> Agreement:
    """Measures every site on each text, the truth without the sweep's short cuts, and nothing is
    predicted but in the metric of that name. Journals, from which an interrupted run goes on, are
    named after `journals`."""
    read = {name: read_calibration(path, model.directory, options.sequence_length)
            for name, path in vars(texts).items() if path}
    for name in read.keys() - {"evaluation"}:
        refuse_overlap(Sketch.of(read[name].path.name, read[name].content), read["evaluation"])
    journals_of = {name: journals.with_name(f"{journals.name}.{name}.journal")
                   for name in (*read, PREDICTED)}
    with scratch_directory() as scratch:
        def measure(name: str, text: Text, **more: object) -> sensitivity.SensitivityTable:
            table = scratch / f"{name}.json"
            stages.measure(model, text, table, replace(options, **more), journals_of[name])
            return sensitivity.read(table)

        tables = {name: measure(name, text, precision=0,
                                exact_arithmetic=name == "evaluation" or None)
                  for name, text in read.items()}
        predicted = measure(PREDICTED, read["calibration"])
    result = agreement.judge(tables["evaluation"], tables["calibration"], tables.get("other"),
                             predicted)
    for journal in journals_of.values():
        journal.unlink(missing_ok=True)
    return result


def _to_text(tau: statistics.Tau) -> str:
    if math.isnan(tau.value):
        return "none"
    low, high = tau.interval
    return f"{tau.value:.2f} ({low:.2f} .. {high:.2f})"


def _to_range(part: Parts) -> str:
    known = [tau for tau in part.taus if not math.isnan(tau)]
    if not known:
        return ""
    return f"{sum(known) / len(known):.2f} ({min(known):.2f} .. {max(known):.2f})"


def _get_title(metric: MetricResult) -> str:
    return "KL(p‖q), predicted" if metric.name == PREDICTED else statistics.METRICS[
        metric.name].title


def _to_share(tau: float, num_pairs: int) -> str:
    return f"{tau:.2f} ({num_pairs})" if num_pairs else ""


def _count(run: dict) -> str:
    return f"{run['calibration']} ({run['numSequences']} x {run['sequenceLength']} tokens)"


def to_tables(result: Agreement) -> list[Table]:
    shares = [f"{share:.0%} of it" for share in SHARES]
    tables = []
    for one in result.formats:
        title = (f"{one.format}: perplexity with one of {one.num_sites} sites quantized "
                 f"{one.perplexities[0]:.3f} .. {one.perplexities[1]:.3f}, full precision "
                 f"{result.perplexity:.3f}; the evaluation text decides {one.share_decided:.0%} of "
                 f"the pairs of sites, its halves agree with tau {one.halves:.2f}")
        table = Table(title, ["metric", "tau, 95 % interval", "truth decides", "both decide",
                              "against KL", *shares]
                      + (["other domain"] if result.other else []))
        for metric in one.metrics:
            tau = metric.tau
            cells = [_get_title(metric), _to_text(tau),
                     _to_share(tau.by_reference, tau.num_by_reference),
                     _to_share(tau.by_both, tau.num_by_both), _to_text(metric.fidelity),
                     *map(_to_range, metric.parts)]
            if metric.other:
                cells.append(_to_text(metric.other))
            table.rows.append(cells + [""] * (len(table.columns) - len(cells)))
        tables.append(table)
    return tables


def describe(result: Agreement) -> str:
    """What the numbers of the tables are."""
    other = f" Other domain: {_count(result.other)}." if result.other else ""
    return (f"Kendall's tau over sites, of each metric on {_count(result.calibration)} against "
            f"perplexity on {_count(result.evaluation)} with only that site quantized.{other} "
            "Intervals: bootstrap over the sequences of both texts. Truth decides: tau over the "
            "pairs of sites whose order of perplexity the evaluation text decides, and their "
            "number; both decide: of those, the pairs whose order the calibration text decides "
            "too. Against KL: the metric against KL(p‖q) on the evaluation text. Of shares: mean "
            "(least .. largest) over disjoint parts of the calibration text. "
            "Predicted: as ssmq measure has it, with predictions where they are good enough.")


def to_markdown(result: Agreement) -> str:
    return "\n".join([describe(result), "",
                      *(f"{table.title}.\n\n{table.to_markdown()}" for table in to_tables(result))])


def _describe_tau(tau: statistics.Tau) -> dict:
    return {"tau": tau.value, "interval": list(tau.interval),
            "pairs": tau.num_pairs,
            "truthDecides": {"tau": tau.by_reference, "pairs": tau.num_by_reference},
            "bothDecide": {"tau": tau.by_both, "pairs": tau.num_by_both}}


def _describe_metric(metric: MetricResult) -> dict:
    value = {"metric": metric.name, "calibration": _describe_tau(metric.tau),
             "againstKL": _describe_tau(metric.fidelity),
             "shares": [{"share": part.share, "sequences": part.num_sequences, "taus": part.taus}
                        for part in metric.parts]}
    if metric.other:
        value["otherDomain"] = _describe_tau(metric.other)
    return value


def to_json(result: Agreement) -> str:
    def finite(value: object) -> object:
        if isinstance(value, dict):
            return {key: finite(one) for key, one in value.items()}
        if isinstance(value, list):
            return [finite(one) for one in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(finite({
        "document": "ssmq-validation", "version": 1, "machine": machine.describe(),
        "evaluation": result.evaluation, "calibration": result.calibration, "other": result.other,
        "level": statistics.LEVEL, "perplexity": result.perplexity,
        "formats": [{"format": one.format, "sites": one.num_sites,
                     "perplexities": list(one.perplexities), "shareDecided": one.share_decided,
                     "halves": one.halves,
                     "metrics": [_describe_metric(metric) for metric in one.metrics]}
                    for one in result.formats]}), indent=1) + "\n"
