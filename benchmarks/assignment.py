"""Quality against size of whole models: how good are the formats that each way of choosing finds?

    assignment.py MODEL -o DIRECTORY [--calibration TEXT] [--other TEXT] [--evaluation TEXT]

Ways: one format everywhere; the cuts p01..p10 of KL-MPQ (arXiv 2604.13440), and the same cuts of the
list by SQNR; at several budgets, the least sum over sites of the squared error of the logits (MSE;
to a factor that of all noise-to-signal ratios, so that SQNR would choose the same), or of KL(p||q),
this one by the greedy rule, proven optimal (also with no formats but the paper's), with mixes
measured and solved again (`ssmq quantize` does that), and with better rounding on top (GPTQ); and
optimal by tables of a twentieth of the calibration text and of a text of another domain.

Each model is scored on the whole evaluation text with the fast interpreter, since not all widths
compile yet. DIRECTORY gets results.json (`ssmq report TABLE --results` draws it), results.md, the
tables of sensitivity, and a PNG for KL and for perplexity. What is there already is not done again.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from ssmq import assignment, machine, quantize, stages, tables
from ssmq.machine import get_threads
from ssmq.model import Model, load
from ssmq.output import scratch_directory, write_file
from ssmq.report import Table, with_error
from ssmq.results import Point, Results, read_results
from ssmq.sensitivity import Estimate
from ssmq.text import Text, read_calibration, read_text
from ssmq.tokenizer import Tokenizer

FORMATS = ["int3:channel", "int3:g64", "int4:channel", "int4:g64", "int5:channel", "int6:channel",
           "int8:channel"]
PAPER_FORMATS = ["int4:channel", "int8:channel"]
GPTQ = stages.RefineOptions("gptq", num_sequences=64)
BUDGETS = ["3.3bpw", "3.6bpw", "4bpw", "4.5bpw", "5bpw", "5.5bpw", "6.5bpw"]
# What four bits a channel can meet.
PAPER_BUDGETS = BUDGETS[3:]
# All sequences of the text, and a twentieth of them.
LENGTH, SEQUENCES, FEW_SEQUENCES, VERIFY_SEQUENCES = 256, 0, 5, 16
EVALUATION_LENGTH = 512
MOST_BITS = 8.5
# Those of the report's light page.
COLOURS = ["#3a3a3a", "#d55e00", "#0072b2", "#c2185b", "#1b7f3b", "#7a3fb5", "#a07a00", "#3f51d5",
           "#7b4a22", "#00857a", "#e57fb0", "#6fa8dc"]
TEXTS = {"calibration": "calibration.txt", "other": "calibration-other.txt",
         "evaluation": "evaluation.txt"}


class Study:
    def __init__(self, options: argparse.Namespace):
        self.directory, self.threads = options.output, get_threads()
        self.model = load(options.model)
        self.tokenizer = Tokenizer(options.model)
        self.calibration = self.read(options.calibration)
        self.other = self.read(options.other)
        evaluation = read_text(options.evaluation, self.tokenizer)
        self.tokens = evaluation.tokens
        self.teacher_cache = self.directory / "teacher.bin"
        self.teacher = self.model.interpreter("fast", 1)
        self.results_path = self.directory / "results.json"
        if self.results_path.exists():
            self.results = read_results(self.results_path)
        else:
            result = self.teacher.evaluate(self.tokens, None, EVALUATION_LENGTH, self.threads)
            self.results = Results(options.model.resolve().name, evaluation.path.name,
                                   result.num_scored, to_estimate(result.perplexity))

    def read(self, path: Path) -> Text:
        return read_calibration(path, self.tokenizer, LENGTH)

    def measure(self, name: str, text: Text, formats: list[str], num_sequences: int) -> Path:
        table = self.directory / f"{name}.json"
        if not table.exists():
            print(f"measuring {name}", flush=True)
            stages.measure(self.model, text, table, stages.MeasureOptions(
                formats, LENGTH, num_sequences, self.threads),
                journal=self.directory / f"{name}.journal")
        return table

    def score(self, series: str, label: str, choose: Callable[[Model, Path], None],
              refine: stages.RefineOptions | None = None) -> None:
        """`choose` sets formats on a model and writes the assignment."""
        if any((one.series, one.label) == (series, label) for one in self.results.points):
            return
        with scratch_directory() as scratch:
            out = scratch / "model"
            quantize.write(self.model, out, choose, self.threads, self.calibration, refine=refine)
            size = tables.get_size(out / "assignment.json")
            program = load(out).interpreter("fast", 1)
            result = program.evaluate(self.tokens, self.teacher, EVALUATION_LENGTH, self.threads,
                                      self.teacher_cache, "interpreted")
        point = Point(series, label, size.num_bytes, size.bits, to_estimate(result.forward_kl),
                      to_estimate(result.perplexity_ratio))
        self.results.points.append(point)
        write_file(self.results_path, self.results.to_json())
        print(f"{series}, {label}: {size.bits:.2f} bits, KL {with_error(point.kl, 5)}, perplexity "
              f"x {with_error(point.perplexity_ratio, 4)}", flush=True)


def to_estimate(estimate) -> Estimate:
    return Estimate(estimate.mean, estimate.standard_error)


def run_uniform(study: Study) -> None:
    for series, refine in (("uniform", None), ("uniform, GPTQ", GPTQ)):
        for format in FORMATS:
            # A group may be longer than a row: such a site has a channel a scale.
            study.score(series, format,
                        lambda model, path: stages.assign_uniform(model, format, path), refine)


def run_rule(study: Study, series: str, label: str, table: Path,
             refine: stages.RefineOptions | None = None, **request: object) -> None:
    with scratch_directory() as scratch:
        chosen = scratch / "assignment.json"
        assignment.assign(table, output=chosen, **request)
        study.score(series, label, lambda model, path: stages.assign_file(model, chosen, path),
                    refine)


def solve_mix(study: Study, model: Model, table: Path, budget: str, path: Path) -> None:
    stages.solve_mix(model, table, budget, study.calibration, path,
                     stages.VerifyOptions(num_sequences=VERIFY_SEQUENCES, threads=study.threads))
    stages.apply(model, path)


def run_mix(study: Study, table: Path, budget: str) -> None:
    study.score("KL, measured and solved again", budget, lambda model, path: solve_mix(
        study, model, table, budget, path))


def run(study: Study) -> None:
    table = study.measure("table", study.calibration, FORMATS, SEQUENCES)
    paper = study.measure("paper", study.calibration, PAPER_FORMATS, SEQUENCES)
    few = study.measure("few", study.calibration, FORMATS, FEW_SEQUENCES)
    other = study.measure("other", study.other, FORMATS, SEQUENCES)
    run_uniform(study)
    for cut in range(1, 11):
        rule = f"kl-mpq-p{cut:02}"
        run_rule(study, "KL-MPQ p01 .. p10", f"p{cut:02}", paper, rule=rule)
        run_rule(study, "the same by SQNR", f"p{cut:02}", paper, rule=rule, metric="signalToNoise")
    for budget in BUDGETS:
        run_rule(study, "MSE", budget, table, budgets=[budget], metric="meanSquaredError")
        run_rule(study, "KL, greedy", budget, table, budgets=[budget], rule="greedy")
        if budget in PAPER_BUDGETS:
            run_rule(study, "KL, optimal, of the paper's formats", budget, paper,
                     budgets=[budget])
        run_rule(study, "KL, optimal", budget, table, budgets=[budget])
        run_mix(study, table, budget)
        run_rule(study, "KL, optimal, GPTQ", budget, table, refine=GPTQ, budgets=[budget])
        run_rule(study, "KL, optimal, 5 % of the text", budget, few, budgets=[budget])
        run_rule(study, "KL, optimal, other domain", budget, other, budgets=[budget])


def make_tables(results: Results) -> str:
    """Markdown: KL x 1000 and perplexity over the original's, sizes down, ways across."""
    text = [f"`benchmarks/assignment.py` on {machine.describe()}: {results.model}, perplexity "
            f"{with_error(results.perplexity, 2)} on {results.num_scored} tokens of "
            f"{results.evaluation}."]
    series = dict.fromkeys(point.series for point in results.points)
    fixed = [name for name in series
             if not any(point.label in BUDGETS for point in results.points if point.series == name)]
    for name in fixed:
        table = Table(name, ["formats", "bits", "KL x 1000", "perplexity ratio"])
        table.rows += [[point.label, f"{point.bits:.2f}", with_error(point.kl, 2, scale=1000),
                        with_error(point.perplexity_ratio, 4)]
                       for point in results.points if point.series == name]
        text.append(f"**{name}**\n\n{table.to_markdown()}")
    chosen = [name for name in series if name not in fixed]
    at = {(point.series, point.label): point for point in results.points}
    for title, show in (("KL x 1000", lambda point: with_error(point.kl, 2, scale=1000)),
                        ("Perplexity ratio", lambda point: with_error(point.perplexity_ratio, 4))):
        table = Table(title, ["chosen by", *BUDGETS])
        table.rows += [[name, *(show(at[name, budget]) if (name, budget) in at else ""
                                for budget in BUDGETS)] for name in chosen]
        text.append(f"**{title}**\n\n{table.to_markdown()}")
    return "\n\n".join(text) + "\n"


def draw(results: Results, directory: Path) -> None:
    """PNGs of the charts of the report, up to the bits where all ways are."""
    import vl_convert
    from ssmq.html import charts
    from ssmq.html.sizes import make_results

    rows = [row for row in make_results(results)["points"] if row["bits"] <= MOST_BITS]
    names = list(dict.fromkeys(row["series"] for row in rows))
    for name, chart in (("kl", "klSizes"), ("perplexity", "perplexitySizes")):
        spec = charts.make_all()[chart] | {"width": 760, "background": "white"}
        spec["datasets"] = spec.get("datasets", {}) | {"rows": rows}
        for layer in spec["layer"]:
            layer["encoding"]["color"]["scale"] = {"domain": names, "range": COLOURS}
        # With the same domain both legends become one.
        spec["layer"][2]["encoding"]["shape"]["scale"] = {"domain": names}
        spec["layer"][2]["mark"] |= {"filled": True, "size": 45}
        (directory / f"{name}.png").write_bytes(vl_convert.vegalite_to_png(spec, scale=1.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    for name, file in TEXTS.items():
        parser.add_argument(f"--{name}", type=Path, help=f"default: MODEL/data/{file}")
    options = parser.parse_args()
    for name, file in TEXTS.items():
        if getattr(options, name) is None:
            setattr(options, name, options.model / "data" / file)
    options.output.mkdir(exist_ok=True)
    study = Study(options)
    run(study)
    write_file(options.output / "results.md", make_tables(study.results))
    draw(study.results, options.output)


if __name__ == "__main__":
    main()
