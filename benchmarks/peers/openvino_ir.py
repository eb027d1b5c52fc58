"""Times OpenVINO in this process: `openvino_ir.py IR WORK PROPERTIES`, where IR is a directory with
openvino_model.xml, stateful as optimum-intel exports it, WORK JSON of sampling.Work, and PROPERTIES
JSON of OpenVINO's; prints JSON of its Sample. Logits of all words of a prompt are computed, for the
graph has no other. Finds sampling.py, of ssmq/bench, on PYTHONPATH."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import openvino
from sampling import Work, time_repeats

CONV_WINDOW = 4


def make_inputs(names: set[str], tokens: list[int], past: int) -> dict[str, np.ndarray]:
    """Of the graph's inputs those that it has. Pure Mamba has the places of its convolution's window
    instead of a past, and a mask of the new words only."""
    positions = np.arange(past, past + len(tokens))
    masked = len(tokens) if "cache_position" in names else past + len(tokens)
    inputs = {
        "input_ids": np.array([tokens]),
        "attention_mask": np.ones((1, masked), np.int64),
        "position_ids": positions[None],
        "cache_position": positions if past else np.arange(CONV_WINDOW),
        "beam_idx": np.zeros(1, np.int32),
    }
    return {name: value for name, value in inputs.items() if name in names}


def main() -> None:
    directory, work = Path(sys.argv[1]), Work(**json.loads(sys.argv[2]))
    properties = {"INFERENCE_NUM_THREADS": work.threads, "PERFORMANCE_HINT": "LATENCY",
                  **json.loads(sys.argv[3])}
    begin = time.perf_counter()
    model = openvino.Core().compile_model(directory / "openvino_model.xml", "CPU", properties)
    load_seconds = time.perf_counter() - begin
    request = model.create_infer_request()
    names = {name for port in model.inputs for name in port.get_names()}

    def run(prompt: list[int], num_tokens: int, tick: Callable[[], None]) -> None:
        request.reset_state()
        fed, past = prompt, 0
        for _ in range(num_tokens + 1):
            request.infer(make_inputs(names, fed, past), share_inputs=True)
            past += len(fed)
            fed = [int(request.get_tensor("logits").data[0, -1].argmax())]
            tick()

    sample = time_repeats(run, work)
    sample.load_seconds = load_seconds
    sample.weight_bytes = (directory / "openvino_model.bin").stat().st_size
    precision = model.get_property("INFERENCE_PRECISION_HINT").to_string()
    sample.version = f"{openvino.get_version()}, precision hint {precision}"
    print(json.dumps(asdict(sample)))


if __name__ == "__main__":
    main()
