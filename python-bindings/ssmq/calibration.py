"""What a quantized model remembers of its calibration text, so that nobody evaluates on it."""

import json
from pathlib import Path

from .errors import Error
from .overlap import Sketch

FILE = "calibration.json"


def write_sketch(directory: Path, sketch: Sketch) -> None:
    (directory / FILE).write_text(json.dumps(sketch.to_json()) + "\n")


def get_sketch(directory: Path) -> Sketch | None:
    path = directory / FILE
    if not path.exists():
        return None
    try:
        return Sketch.from_json(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError):
        raise Error(f"{path} is damaged; quantize the model again") from None
