"""What a program runs on, as a choice of the command line."""

from enum import StrEnum

from .errors import USAGE, Error
from .model import Model
from .program import Program


class Engine(StrEnum):
    compiled = "compiled"
    fast = "fast"
    reference = "reference"


def make_program(model: Model, engine: Engine, threads: int, device: str = "cpu") -> Program:
    if engine == Engine.compiled:
        return model.compile(threads, device=device)
    if device != "cpu":
        raise Error(f"--device {device} runs compiled programs, not --engine {engine}", USAGE)
    return model.interpreter(engine.value, threads)
