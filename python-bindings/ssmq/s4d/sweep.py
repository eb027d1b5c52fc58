"""What rounding costs a classifier without training: one component at a time, and mixes.

Every number comes from the rewritten program in the interpreter (`--ssmq-assign`,
`--ssmq-quantize`, `ssmq eval`). Static ranges are taken from the training sequences, accuracy and
KL from the test sequences.
"""

import json
from pathlib import Path

from .. import formats as stored
from .. import stages
from ..errors import Error
from ..machine import get_threads
from ..model import Model
from ..output import scratch_directory
from ..program import Evaluation, Program

STATIC = "static99.999"
"""The percentile of arXiv 2506.12480."""

COMPONENTS = {
    "A": (".ssm:a",), "B": (".ssm:b",), "C": (".ssm:c",), "D": (".ssm:d",),
    "encoder, classifier": ("encoder:weight", "classifier:weight"),
    "mixing": (".mixing:weight",), "state": (".ssm:state",),
    "activations": ("encoder:input", ".ssm:input", ".mixing:input", ".mixing:gate",
                    "classifier:input"),
}
BITS = (16, 8, 7, 6, 5, 4, 3, 2)


class Sweep:
    def __init__(self, model: Model, data: Path):
        """`data` holds train.safetensors and test.safetensors."""
        self.model, self.data = model, data
        self.sites = [site["name"] for site in stages.list_sites(model)]
        self.teacher = model.interpreter("fast", 1)

    def select(self, component: str) -> list[str]:
        return [site for site in self.sites if site.endswith(COMPONENTS[component])]

    def evaluate(self, formats: dict[str, str]) -> Evaluation:
        """The program with these formats of sites, against the original."""
        if not formats:
            return self._score(self.teacher)
        with scratch_directory() as scratch:
            return self._score(self.rewrite(formats, scratch).interpreter("fast", 1))

    def rewrite(self, formats: dict[str, str], directory: Path) -> Model:
        """Stores the weights of the rewritten program in the directory."""
        assignment, model = directory / "assignment.json", self.model.clone()
        assignment.write_text(json.dumps({
            "document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "",
            "method": "by hand",
            "sites": [{"site": site, "format": stages.get_spelling(format)}
                      for site, format in formats.items()]}))
        stages.apply(model, assignment)
        model.run_pipeline(stages.pass_text(
            "ssmq-quantize", output=directory / "weights.safetensors",
            tokens=self.data / "train.safetensors"))
        return model

    def _score(self, program: Program) -> Evaluation:
        return program.evaluate(self.data / "test.safetensors", self.teacher,
                                threads=get_threads())

    def find_unstable(self, formats: dict[str, str]) -> list[dict]:
        """Heads with |A| >= 1: site, head, state, magnitude."""
        with scratch_directory() as scratch:
            return stages.find_unstable(self.rewrite(formats, scratch))

    def score(self, formats: dict[str, str]) -> dict:
        """What documents say of a program with these formats."""
        try:
            return describe(self.evaluate(formats))
        except Error as error:
            # A state that grows without bound is what the formats cost.
            return {"accuracy": None, "error": None, "kl": None, "failure": str(error)}


def list_formats(component: str) -> dict[str, list[str]]:
    """The curves of a component, each with a format for each of BITS."""
    def curve(*parts: str) -> list[str]:
        return [":".join((f"int{bits}", *filter(None, parts))) for bits in BITS]

    if component == "activations":
        return {"tensor, static": curve("tensor", "asym", STATIC),
                "token, dynamic": curve("token", "asym")}
    if component == "D":
        return {"tensor": curve("tensor"), "tensor, asymmetric": curve("tensor", "asym")}
    rows = "channel" if component in ("encoder, classifier", "mixing") else "head"
    if component == "state":
        return {f"{sharing}, {'static' if ranges else 'dynamic'}{', asymmetric' * bool(asym)}":
                curve(sharing, asym, ranges)
                for sharing in ("tensor", "head") for ranges in (STATIC, "")
                for asym in ("", "asym")}
    return {f"{sharing}{', asymmetric' * bool(asym)}": curve(sharing, asym)
            for sharing in ("tensor", rows) for asym in ("", "asym")}


GRID_BITS = (16, 8, 7, 6)
"""Of A and of the state in heterogeneous mixes, as in Table III and Fig. 5c of the paper."""


def make_mix(sweep: Sweep, a: str, state: str, weights: str = "int4", activations: str = "int6"
             ) -> dict[str, str]:
    """W4A6 unless told otherwise: linear weights, B, C and D in `weights`, activations in
    `activations`, A and the state in formats of their own."""
    mix = {}
    for component in COMPONENTS:
        for site in sweep.select(component):
            mix[site] = {
                "A": a, "state": state, "D": f"{weights}:tensor:asym",
                "activations": f"{activations}:tensor:asym:{STATIC}",
            }.get(component, f"{weights}:channel:asym")
    return mix


def make_grid(sweep: Sweep) -> list[dict]:
    """W4A6 with each pair of bits of A and of the state, per head, and A in logpolar too."""
    cells = []
    formats = {f"int{bits}": f"int{bits}:head:asym" for bits in GRID_BITS}
    of_a = formats | {f"logpolar<1,{phase}>": f"logpolar<1,{phase}>:head" for phase in (11, 7)}
    for a, a_format in of_a.items():
        for state, state_format in formats.items():
            mix = make_mix(sweep, a_format, f"{state_format}:{STATIC}")
            cells.append({"a": a, "state": state, "bytes": count_bytes(sweep.model, mix),
                          **sweep.score(mix)})
    return cells


def count_bytes(model: Model, formats: dict[str, str]) -> int:
    """Of parameters and states, with codes and scales; f32 where there is no format and for
    biases."""
    total = 0
    for site in stages.list_sites(model):
        if site["kind"] in ("activation", "cache"):
            continue
        shape = (site["rows"], site["columns"])
        format = formats.get(site["name"])
        total += (stored.num_bytes(shape, format, site["kind"], head_size=1) if format
                  else site["bytes"])
    return total


def describe(evaluation: Evaluation) -> dict:
    return {"accuracy": evaluation.accuracy.mean, "error": evaluation.accuracy.standard_error,
            "kl": evaluation.forward_kl.mean}


def run(model: Model, data: Path, show=lambda line: None) -> dict:
    """All curves and the grid, as the document that `ssmq s4d-sweep` writes."""
    sweep = Sweep(model, data)
    whole = sweep.evaluate({})
    curves = []
    for component in COMPONENTS:
        for name, formats in list_formats(component).items():
            points = []
            for bits, format in zip(BITS, formats):
                points.append({"bits": bits, "format": stages.get_spelling(format),
                               **sweep.score(dict.fromkeys(sweep.select(component), format))})
            curves.append({"component": component, "curve": name, "points": points})
            show(f"{component}, {name}")
    for curve in curves:
        if curve["component"] == "A":
            for point in curve["points"]:
                point["unstable"] = sweep.find_unstable(
                    dict.fromkeys(sweep.select("A"), point["format"]))
    return {"document": "ssmq-s4d-sweep", "version": 1, "model": model.directory.name,
            "sequences": whole.num_scored, "bytesInF32": count_bytes(model, {}),
            "original": describe(whole), "curves": curves, "grid": make_grid(sweep)}
