"""What a sensitivity table costs: ours in plain forwards, and the KL-MPQ paper's method in PyTorch.

    sensitivity.py MODEL [--text FILE] [--exact] [--torch] [--torch-layers N] [--precision P ...]

MODEL is a Hugging Face directory (make_checkpoint.py writes ones of real shapes). The table is of all
weight sites in four formats on 4 x 256 tokens; its cost is that of the whole pass (weights hashed,
packed and measured) over the number of candidates, in units of one plain forward of the fast
interpreter on the same 4 x 256 tokens with the same threads.

--torch times the method of arXiv 2604.13440 beside it: each linear layer alone is fake-quantized per
channel at 4 and at 8 bits, and one forward gives its KL; the teacher's log-probabilities are cached,
which the paper's code does not do. Every N-th layer is taken, and the seconds of a layer and bit are
set against ours for the same table. Without --text, tokens are random with a fixed seed.

--exact measures all cells too (precision 0), once more with exact arithmetic, and prints what the
numbers of docs/Design.md and Measure/Prediction.h come from: how far KL by byte products is from
KL in f32, and the spreads behind the priors. Beside seconds stand those of the processor, which on a
busy machine say more.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import kendalltau

import ssmq
from ssmq import machine, stages
from ssmq.machine import get_threads
from ssmq.model import Model
from ssmq.text import read_text
from ssmq.tokenizer import Tokenizer

SEQUENCES, LENGTH = 4, 256
FORMATS = ["int4:channel", "int4:g64", "int8:channel", "int8:g64"]
PAPER_FORMATS = ["int4:channel", "int8:channel"]


class Cost(NamedTuple):
    """Of some work: by the clock, and of the processor in this process."""
    seconds: float
    processor: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.processor:.1f} s of the processor)"


class Stopwatch:
    def __init__(self) -> None:
        self.start = Cost(time.perf_counter(), time.process_time())

    def read(self) -> Cost:
        return Cost(time.perf_counter() - self.start.seconds,
                    time.process_time() - self.start.processor)


def read_tokens(text: Path | None, model: Model, vocabulary: int) -> list[int]:
    if text:
        count = SEQUENCES * LENGTH
        return read_text(text, Tokenizer(model.directory), count).tokens[:count]
    return np.random.default_rng(0).integers(0, vocabulary, SEQUENCES * LENGTH).tolist()


def time_forward(model: Model, tokens: list[int], threads: int) -> Cost:
    """A plain forward over all sequences, the best of three."""
    program = model.interpreter("fast", threads)
    costs = []
    for _ in range(3):
        watch = Stopwatch()
        for first in range(0, len(tokens), LENGTH):
            program.forward(tokens[first:first + LENGTH - 1])
        costs.append(watch.read())
    return Cost(*map(min, zip(*costs)))


def measure(model: Model, tokens: list[int], formats: list[str], threads: int, folder: Path,
            **options) -> tuple[dict, Cost]:
    """The table of a fresh process's work, and its cost."""
    (folder / "tokens.json").write_text(json.dumps(tokens))
    output = folder / "table.json"
    watch = Stopwatch()
    model.run_pipeline(stages.pass_text(
        "ssmq-sensitivity", tokens=folder / "tokens.json", output=output, formats=formats,
        sequence_length=LENGTH, num_sequences=SEQUENCES, threads=threads, **options))
    cost = watch.read()
    return json.loads(output.read_text()), cost


def get_kl(table: dict) -> dict[tuple[str, str], float]:
    return {(row["site"], row["format"]): row["estimates"]["forwardKL"]["mean"]
            for row in table["rows"]}


def get_errors(table: dict) -> dict[tuple[str, str], float]:
    return {(row["site"], row["format"]): row["estimates"]["forwardKL"]["standardError"]
            for row in table["rows"]}


def compare(ours: dict, other: dict[tuple[str, str], float]) -> str:
    """Kendall's tau over the common rows, of all pairs and of those that our errors decide."""
    mine, errors = get_kl(ours), get_errors(ours)
    rows = sorted(mine.keys() & other.keys())
    x, y = np.array([mine[row] for row in rows]), np.array([other[row] for row in rows])
    e = np.array([errors[row] for row in rows])
    first, second = np.triu_indices(len(rows), 1)
    decided = np.abs(x[first] - x[second]) > 1.96 * np.hypot(e[first], e[second])
    same = np.sign(x[first] - x[second]) == np.sign(y[first] - y[second])
    agreement = 2 * same[decided].mean() - 1 if decided.any() else float("nan")
    log_error = np.sqrt(np.mean(np.log(x / y) ** 2))
    return (f"{len(rows)} rows, tau {kendalltau(x, y).statistic:.3f}; of the {decided.mean():.0%} of "
            f"pairs that the errors decide {agreement:.4f}; rms of ln KL {log_error:.3f}")


def get_spread(groups: dict) -> float:
    """Standard deviation within groups, over all of them."""
    squares = sum(np.sum((np.array(group) - np.mean(group)) ** 2) for group in groups.values())
    return float(np.sqrt(squares / max(1, sum(len(group) - 1 for group in groups.values()))))


def describe_spreads(table: dict) -> str:
    """Spreads of r = ln(KL / local error / noise floor) in a table with all sums and errors."""
    noise = next(row for row in table["noiseFloor"] if "bf16" in row["format"])["sums"]["forwardKL"]
    cuts = {site["name"]: (site["kind"], site.get("cut", site["name"])) for site in table["sites"]}
    by_site, by_cut, by_sequence = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in table["rows"]:
        errors = row["localError"]
        ratios = [np.log(kl / (error or errors[0]) / scale) for kl, error, scale
                  in zip(row["sums"]["forwardKL"], errors, noise) if kl > 0 and errors[0]]
        for sequence, ratio in enumerate(ratios):
            by_site[row["site"], sequence].append(ratio)
            by_cut[cuts[row["site"]], sequence].append(ratio)
            by_sequence[row["site"], row["format"]].append(ratio)
    return (f"spread of ln(KL / error): of formats at a site {get_spread(by_site):.3f}, of sequences "
            f"{get_spread(by_sequence):.3f}, of sites and formats at a cut {get_spread(by_cut):.3f}")


def add_errors(errors: dict, sums: dict) -> dict:
    """A table's local errors and cuts with the sums of another one."""
    known = {(row["site"], row["format"]): row["sums"] for row in sums["rows"]}
    rows = [row | {"sums": known[row["site"], row["format"]]} for row in errors["rows"]]
    return errors | {"rows": rows}


def describe_arithmetic(ours: dict, exact: dict) -> str:
    pairs = get_kl(exact)
    deviations = [abs(kl / pairs[row] - 1) for row, kl in get_kl(ours).items() if pairs[row] > 0]
    return (f"KL by byte products against f32: median deviation "
            f"{np.median(deviations):.2%}, largest {max(deviations):.2%}")


def run_torch(directory: Path, tokens: list[int], stride: int, threads: int
              ) -> tuple[dict[tuple[str, str], float], Cost]:
    """KL of every stride-th linear layer at 4 and 8 bits, and the median cost of one."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    ids = torch.tensor(tokens).view(SEQUENCES, LENGTH)[:, :-1]
    layers = [(name, module) for name, module in model.named_modules()
              if isinstance(module, torch.nn.Linear)]
    head = model.get_output_embeddings()
    results, costs = {}, []
    with torch.inference_mode():
        teacher = torch.log_softmax(model(ids).logits, -1)
        probabilities = teacher.exp()
        for name, layer in layers[::stride]:
            for bits in (4, 8):
                watch = Stopwatch()
                saved = layer.weight.data
                scale = saved.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
                # The scale is stored in f16, rounded up, as in our table.
                half = scale.half()
                scale = torch.where(half.float() < scale,
                                    torch.nextafter(half, torch.full_like(half, torch.inf)),
                                    half).float()
                layer.weight.data = torch.round(saved / scale) * scale
                student = torch.log_softmax(model(ids).logits, -1)
                kl = (probabilities * (teacher - student)).sum(-1).mean().item()
                layer.weight.data = saved
                costs.append(watch.read())
                if layer is not head or not model.config.tie_word_embeddings:
                    results[f"{name}:weight", f"i{bits} sym per_channel"] = kl
    return results, Cost(*map(statistics.median, zip(*costs)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", type=Path, help="calibration text, for the model's tokenizer")
    parser.add_argument("--precision", type=float, nargs="*", default=[0.15, 0.4])
    parser.add_argument("--exact", action="store_true",
                        help="compare with precision 0 and with exact arithmetic too")
    parser.add_argument("--torch", action="store_true")
    parser.add_argument("--torch-layers", type=int, default=1, metavar="N",
                        help="every N-th linear layer")
    parser.add_argument("--threads", type=int, default=get_threads())
    options = parser.parse_args()

    model = ssmq.load(options.model)
    vocabulary = model.interpreter("fast", 1).vocab_size
    tokens = read_tokens(options.text, model, vocabulary)
    forward = time_forward(model, tokens, options.threads)
    print(f"{machine.describe()}; {options.threads} threads; {options.model.name}, "
          f"{SEQUENCES} x {LENGTH} tokens; one forward {forward}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        def run(formats: list[str], **settings) -> tuple[dict, Cost]:
            table, cost = measure(model, tokens, formats, options.threads, Path(scratch), **settings)
            count = len(table["rows"])
            predicted = sum(row["method"] == "predicted" for row in table["rows"])
            what = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())
            print(f"{len(formats)} formats, {what}: {count} candidates ({predicted} predicted) in "
                  f"{cost}, {cost.seconds / count * 1000:.0f} ms each: "
                  f"{cost.seconds / count / forward.seconds:.3f} forwards a candidate, "
                  f"{cost.processor / count / forward.processor:.3f} by the processor", flush=True)
            return table, cost

        exact = run(FORMATS, precision=0)[0] if options.exact else None
        if exact:
            # The first takes local errors at the ops, the second at cuts.
            print(" ", describe_arithmetic(exact, run(FORMATS, precision=0, exact_arithmetic=True)[0]))
            print(" ", describe_spreads(add_errors(run(FORMATS, precision=1e-9)[0], exact)))
            print(" ", describe_spreads(add_errors(run(FORMATS, precision=1)[0], exact)))
        for precision in options.precision:
            table, _ = run(FORMATS, precision=precision)
            if exact:
                print("  against precision 0:", compare(table, get_kl(exact)))
        if options.torch:
            other, per_layer = run_torch(options.model, tokens, options.torch_layers,
                                         options.threads)
            for precision in options.precision:
                table, cost = run(PAPER_FORMATS, precision=precision)
                count = len(table["rows"])
                print(f"  PyTorch {per_layer} for a layer and bit: "
                      f"{per_layer.seconds * count / cost.seconds:.0f} times as long, "
                      f"{per_layer.processor * count / cost.processor:.0f} by the processor")
                print("  against PyTorch:", compare(table, other))


if __name__ == "__main__":
    main()
