"""How well a cost table predicts: the sum over ops against the measured step of the compiled model,
all weights in one format.

    python benchmarks/costs.py MODEL COSTS.json [FORMAT ...]

`rest` of the table comes from up to three measured models, so that the error is that of what
changes between formats.
"""

import json
import sys
import tempfile
from pathlib import Path

from ssmq import quantize, stages
from ssmq.costs.timing import time_model
from ssmq.model import load


def predict(table, format):
    """Microseconds a decoded and a prefilled token."""
    entries = {(one["op"], one["rows"], one["columns"], one["format"]): one
               for one in table["entries"]}
    result = []
    for key in ("decodeNanoseconds", "prefillNanosecondsPerToken"):
        total = table["rest"][key] + sum(
            entries[op, site["rows"], site["columns"], format][key]
            for site in table["sites"] for op in site["ops"])
        result.append(total / 1e3)
    return result


def main(directory, costs, *formats):
    table = json.loads(Path(costs).read_text())
    threads = table["target"]["threads"]
    print("| all weights in | decode, predicted | measured | error | prefill, predicted | measured "
          "| error |\n|---|---:|---:|---:|---:|---:|---:|")
    for format in formats or ("keep", "int8:channel", "int4:g64"):
        model = load(directory)
        with tempfile.TemporaryDirectory() as scratch:
            if format != "keep":
                out = Path(scratch) / "out"
                quantize.write(model, out, lambda one, path, format=format:
                               stages.assign_uniform(one, format, path), threads)
                model = load(out)
                format = stages.get_spelling(format)
            times = time_model(model.compile(threads))
        cells = [format]
        for predicted, measured in zip(predict(table, format), (times.decode, times.prefill)):
            measured /= 1e3
            cells += [f"{predicted:.1f}", f"{measured:.1f}", f"{predicted / measured - 1:+.0%}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
