"""KL-guided formats of an S4D classifier against the hand-made W4A6 mixes, at the same memory.

    s4d_assignment.py MODEL --data DIR -o DIRECTORY

Measures what each format costs at each weight, parameter and state on the validation sequences of
DIR (`ssmq s4d-data`), assigns formats within the bytes of each cell of the hand-made grid
(`ssmq s4d-sweep`), and takes the accuracy of both on the test sequences, activations in 6 bits in
both. `static` chooses from static formats of states, as the hand has them; `any` also from dynamic
ones, which take as many bytes. Then the same for budgets below those of the grid. DIRECTORY gets
the tables, which are not measured again, results.json and results.md.
"""

import argparse
import json
from pathlib import Path

from ssmq import assignment, stages
from ssmq.machine import get_threads
from ssmq.model import load
from ssmq.output import write_file
from ssmq.report import Table
from ssmq.s4d import sweep
from ssmq.text import Labelled

KINDS = ["weight", "parameter", "state"]
BITS = (2, 3, 4, 5, 6, 7, 8, 16)
POLAR = ("1x5", "1x6", "1x7", "1x8", "1x9", "1x11", "2x6")
SMALLER = (0.9, 0.8, 0.7, 0.6)


def list_formats(kind: str, least: dict[str, int]) -> list[str]:
    bits = [one for one in BITS if one >= least.get(kind, 2)]
    if kind == "state":
        return [f"int{one}:head:asym{ranges}" for one in bits for ranges in ("", f":{sweep.STATIC}")]
    rows = "channel" if kind == "weight" else "head"
    uniform = [f"int{one}:{sharing}:asym" for one in bits for sharing in (rows, "tensor")]
    return uniform + [f"logpolar<{one}>:head" for one in POLAR if kind == "parameter"]


def measure(model, data: Path, directory: Path, count: int,
            least: dict[str, int]) -> dict[str, Path]:
    """Tables with static formats of states only, and with all."""
    whole = None
    for kind in KINDS:
        path = directory / f"{kind}.json"
        if not path.exists():
            stages.measure(model, Labelled(data / "validation.safetensors"), path,
                           stages.MeasureOptions(
                               list_formats(kind, least), num_sequences=count, sites=[kind],
                               threads=get_threads(), precision=0, exact_arithmetic=True),
                           journal=path.with_suffix(".journal"))
        part = json.loads(path.read_text())
        if whole:
            whole["rows"] += part["rows"]
            whole["sites"] += part["sites"]
        whole = whole or part
    tables = {menu: directory / f"{menu}.json" for menu in ("static", "any")}
    write_file(tables["any"], json.dumps(whole))
    whole["rows"] = [row for row in whole["rows"]
                     if not row["site"].endswith(":state") or "static" in row["format"]]
    write_file(tables["static"], json.dumps(whole))
    return tables


class Contest:
    def __init__(self, model, data: Path):
        self.sweep = sweep.Sweep(model, data)
        hand = sweep.make_mix(self.sweep, "int8:head:asym", f"int8:head:asym:{sweep.STATIC}")
        self.activations = {site: format for site, format in hand.items()
                            if site in self.sweep.select("activations")}

    def score(self, formats: dict[str, str]) -> dict:
        chosen = {site: format for site, format in formats.items() if format != assignment.NONE}
        return {"bytes": sweep.count_bytes(self.sweep.model, chosen), "formats": chosen,
                **self.sweep.score(self.activations | chosen)}

    def assign(self, table: Path, num_bytes: int) -> dict:
        """The least KL in so many bytes of weights, parameters and states."""
        def solve(limit: int) -> assignment.Assignment:
            return assignment.assign(table, memory=f"{limit}B", sites=KINDS)

        # What the tool counts beside these: biases.
        whole = solve(10**9)
        chosen = {site: one for site, one in whole.formats.items() if one != assignment.NONE}
        rest = whole.report["memoryBytes"] - sweep.count_bytes(self.sweep.model, chosen)
        found = solve(num_bytes + rest)
        return {"predictedKL": found.report["predictedKL"], **self.score(found.formats)}


def run(contest: Contest, tables: dict[str, Path], pairs: list[str],
        shares: tuple[float, ...]) -> dict:
    cells = []
    bits = {f"int{bits}": f"int{bits}:head:asym" for bits in sweep.GRID_BITS}
    for a, a_format in (bits | {"logpolar<1,7>": "logpolar<1,7>:head"}).items():
        for state, state_format in bits.items():
            if pairs and f"{a}/{state}" not in pairs:
                continue
            mix = sweep.make_mix(contest.sweep, a_format, f"{state_format}:{sweep.STATIC}")
            hand = contest.score({site: format for site, format in mix.items()
                                  if site not in contest.activations})
            cells.append({"a": a, "state": state, "hand": hand} | {
                menu: contest.assign(one, hand["bytes"]) for menu, one in tables.items()})
            print(a, state, hand["accuracy"], *(cells[-1][menu]["accuracy"] for menu in tables),
                  flush=True)
    least = min(cell["hand"]["bytes"] for cell in cells)
    smaller = [{"budget": round(share * least)} | {
        menu: contest.assign(one, round(share * least)) for menu, one in tables.items()}
        for share in shares]
    return {"cells": cells, "smaller": smaller, "original": contest.score({}),
            "error": cells[0]["hand"]["error"]}


def show(number: float | None, digits: int, scale: float = 1) -> str:
    """A program that overflows has none."""
    return "-" if number is None else f"{scale * number:.{digits}f}"


def to_table(results: dict) -> Table:
    table = Table("", ["bytes", "A, state by hand", "by hand %", "static %", "any %",
                       "KL by hand", "KL static", "KL any"])
    for cell in sorted(results["cells"], key=lambda cell: -cell["hand"]["bytes"]):
        ways = [cell[way] for way in ("hand", "static", "any")]
        table.rows.append([str(cell["hand"]["bytes"]), f"{cell['a']}, {cell['state']}",
                           *(show(way["accuracy"], 1, 100) for way in ways),
                           *(show(way["kl"], 3) for way in ways)])
    for cell in results["smaller"]:
        ways = [cell[way] for way in ("static", "any")]
        table.rows.append([str(cell["budget"]), "", "",
                           *(show(way["accuracy"], 1, 100) for way in ways),
                           "", *(show(way["kl"], 3) for way in ways)])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("--pairs", type=lambda text: text.split("+"), default=[],
                        help="cells of the grid: int8/int8+logpolar<1,7>/int8; all otherwise")
    parser.add_argument("--smaller", type=int, default=len(SMALLER),
                        help="so many budgets below the grid's")
    parser.add_argument("--num-sequences", type=int, default=0,
                        help="of validation; 0 takes all")
    for kind in ("parameter", "state"):
        parser.add_argument(f"--least-{kind}-bits", type=int, default=2,
                            help="what overflows takes time to measure and is never chosen")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    model = load(options.model)
    tables = measure(model, options.data, options.output, options.num_sequences,
                     {"parameter": options.least_parameter_bits,
                      "state": options.least_state_bits})
    results = run(Contest(model, options.data), tables, options.pairs,
                  SMALLER[:options.smaller])
    write_file(options.output / "results.json", json.dumps(results, indent=1) + "\n")
    text = to_table(results).to_markdown()
    write_file(options.output / "results.md", text)
    print(text)


if __name__ == "__main__":
    main()
