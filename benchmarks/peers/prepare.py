"""Files of the peers, made from a checkpoint unless they are there, and the contenders on them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from isa import Isa
from ssmq.bench import llama_cpp, sampling
from ssmq.bench.contender import Contender, read_sample
from ssmq.bench.sampling import Work
from ssmq.errors import Error

GGUF_TYPES = ["F16", "Q8_0", "Q4_0", "Q4_K_M"]
IR_FORMATS = {"f32": 16, "int8": 8, "int4": 4}
EAGER_TYPES = ["float32", "bfloat16"]
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peers:
    """What setup-peers made in a directory."""

    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / "venv" / "bin" / "python"

    @property
    def llama_source(self) -> Path:
        return self.directory / "llama.cpp"

    def get_transformers(self, checkpoint: Path) -> str:
        """The folder of the version that optimum-intel exports this model with; "" is the
        environment's own."""
        kind = json.loads((checkpoint / "config.json").read_text())["model_type"]
        return "" if kind == "mamba" else str(self.python.parents[1] / "hybrid")

    def get_llama(self, build: str, program: str) -> Path:
        return self.directory / f"llama-{build}" / "bin" / program


def _run(command: list[str | Path], environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                              env=os.environ | (environment or {}))
    except OSError as error:
        raise Error(f"{error}; was setup-peers run?") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Error(f"{Path(command[0]).name} {Path(command[1]).name}: {lines[-1][:200]}")


def make_gguf(peers: Peers, build: str, checkpoint: Path, made: Path, type: str) -> Path:
    file = made / f"{type}.gguf"
    if not file.exists():
        unfinished = made / f".{type}.gguf"
        if type == "F16":
            _run([peers.python, _HERE / "to_gguf.py", peers.llama_source, checkpoint, unfinished])
        else:
            source = make_gguf(peers, build, checkpoint, made, "F16")
            _run([peers.get_llama(build, "llama-quantize"), source, unfinished, type])
        unfinished.rename(file)
    return file


def make_ir(peers: Peers, checkpoint: Path, made: Path, format: str) -> Path:
    directory = made / "ir" / format
    if not directory.exists():
        directory.parent.mkdir(exist_ok=True)
        _run([peers.python, _HERE / "make_ir.py", checkpoint, directory.parent, format],
             {"PYTHONPATH": peers.get_transformers(checkpoint)})
    return directory


def _get_environment(isa: Isa) -> dict[str, str]:
    paths = [str(Path(sampling.__file__).parent), os.environ.get("PYTHONPATH", "")]
    return isa.environment | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def make_openvino(peers: Peers, ir: Path, work: Work, isa: Isa, state_bytes: int) -> Contender:
    command = [str(peers.python), str(_HERE / "openvino_ir.py"), str(ir), work.to_json(),
               json.dumps(isa.openvino_properties)]
    return Contender("OpenVINO", ir.name, IR_FORMATS[ir.name], command, read_sample,
                     _get_environment(isa), state_bytes)


def make_eager(checkpoint: Path, type: str, work: Work, isa: Isa, state_bytes: int) -> Contender:
    command = [sys.executable, str(_HERE / "transformers_eager.py"), str(checkpoint), type,
               work.to_json()]
    return Contender("transformers", type, 16, command, read_sample, _get_environment(isa),
                     state_bytes)


def make_llama(peers: Peers, file: Path, work: Work, isa: Isa, state_bytes: int) -> Contender:
    program = peers.get_llama(isa.llama_build, "llama-bench")
    if not program.exists():
        raise Error(f"{program} is missing; was setup-peers run?")
    return llama_cpp.make_contender(program, file, work, state_bytes)
