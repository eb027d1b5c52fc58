"""Models: an MLIR module and the directory that its weights and tokenizer are in."""

import functools
import json
import os
from pathlib import Path

import _ssmq

from .errors import USAGE, Error
from .program import Program

PROGRAM_FILES = ("program.mlirbc", "program.mlir")


@functools.cache
def _context() -> _ssmq.Context:
    return _ssmq.Context()


def load(path: str | os.PathLike) -> "Model":
    """Reads a Hugging Face directory (config.json, .safetensors) or one that `ssmq quantize`
    wrote (program.mlirbc beside them)."""
    directory = Path(path)
    if not directory.is_dir():
        raise Error(f"{directory} is not a directory; give a model's directory")
    for name in PROGRAM_FILES:
        program = directory / name
        if program.exists():
            module = _ssmq.Module.parse(_context(), program.read_bytes(), str(program))
            model = Model(module, directory, is_output=True)
            # The file names its weights relative to itself.
            model.name_checkpoint(directory.absolute())
            return model
    if not (directory / "config.json").exists():
        raise Error(f"{directory} holds neither config.json nor {PROGRAM_FILES[0]}")
    return Model(_ssmq.Module.import_hugging_face(_context(), str(directory)), directory)


class Model:
    def __init__(self, module: _ssmq.Module, directory: Path, is_output: bool = False):
        self._module = module
        self.directory = directory
        self.is_output = is_output

    def clone(self) -> "Model":
        return Model(self._module.clone(), self.directory, self.is_output)

    def name_checkpoint(self, path: str | os.PathLike) -> None:
        """Where the module's weights are from now on: a directory or a .safetensors file."""
        self._module.set_checkpoint(str(path))

    def run_pipeline(self, pipeline: str) -> None:
        """Runs passes on the module as `ssmq-opt --pass-pipeline`; a failure changes nothing."""
        self._module.run_pipeline(pipeline)

    def mlir(self) -> str:
        return self._module.print()

    def bytecode(self) -> bytes:
        return self._module.bytecode()

    def interpreter(self, kernels: str = "fast", threads: int | None = None) -> Program:
        """The program, interpreted with the "fast" or the "reference" kernels; threads default
        to all cores."""
        if kernels not in ("fast", "reference"):
            raise Error(f"kernels are 'fast' or 'reference', not '{kernels}'", USAGE)
        return Program(self._module.interpret(getattr(_ssmq.Kernels, kernels), threads or 0))

    def compile(self, threads: int | None = None, target: str = "",
                device: str = "cpu") -> Program:
        """The program, compiled in memory for this processor, or for an older `target` as -march
        of clang names it. Weights in formats that no kernel reads are held in f32, and others in
        tiles of rows, as kernels stream them: `ssmq quantize` has stored them so.

        `device` is what runs it: "cpu", or an OpenCL device: "xe" (the first GPU that can, else
        the first CPU) or "xe:N" (number N of `ssmq devices`)."""
        return Program(self._module.compile(threads or 0, target, device))

    @functools.cached_property
    def config(self) -> dict:
        path = self.directory / "config.json"
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Error(f"{path} is missing") from None
        except ValueError as error:
            raise Error(f"{path} is not JSON: {error}") from None
        if not isinstance(config, dict):
            raise Error(f"{path} is not a JSON object")
        return config

    @property
    def end_tokens(self) -> set[int]:
        """The tokens that end a text."""
        ends = self.config.get("eos_token_id")
        ends = ends if isinstance(ends, list) else [ends]
        return {token for token in ends if isinstance(token, int)}
