"""Our programs as contenders."""

import json
import os
import sys
from pathlib import Path

from ..documents import read_document
from ..errors import Error
from .contender import Contender, read_sample
from .sampling import Sample, Work
from .traffic import count_operations, count_state_elements, count_weight_bytes


def _read_formats(directory: Path) -> list[str]:
    assignment = directory / "assignment.json"
    if not assignment.exists():
        return []
    sites = read_document(assignment, "ssmq-assignment").get("sites", [])
    return [str(site.get("format")) for site in sites]


def read_config(directory: Path) -> dict:
    """An Error when it is no directory of a model, or of a family without limits here."""
    path = directory / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        count_operations(config), count_state_elements(config)
    except FileNotFoundError:
        raise Error(f"{path} is missing; give a model's directory") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Error(f"{path} is not of a model that can be timed ({type(error).__name__}: "
                    f"{error})") from None
    return config


def get_bits(formats: list[str]) -> int:
    """Of most sites: 16 where most are no integers."""
    counts = {bits: sum(one.startswith(f"i{bits} ") for one in formats) for bits in (4, 8)}
    most = max(counts, key=lambda bits: counts[bits])
    return most if counts[most] else 16


def make_contender(directory: Path, work: Work, label: str | None = None, bits: int | None = None,
                   state_bits: int = 32, compile_options: dict | None = None,
                   multiplies_integers: bool = False) -> Contender:
    """`compile_options` are arguments of Model.compile."""
    config = read_config(directory)
    weight_bytes = count_weight_bytes(directory)

    def read(text: str) -> Sample:
        sample = read_sample(text)
        sample.weight_bytes = weight_bytes
        return sample

    command = [sys.executable, "-m", "ssmq.bench.worker", str(directory), work.to_json()]
    if compile_options:
        command.append(json.dumps(compile_options))
    # A worker finds the package where this process found it.
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return Contender("ssmq", label or directory.name,
                     bits or get_bits(_read_formats(directory)), command, read, paths,
                     count_state_elements(config) * state_bits // 8, multiplies_integers)
