"""`ssmq export`: tables and assignments in the forms of other tools."""

from collections import Counter
from pathlib import Path

from . import csv_table
from .deploy import checkpoint, llama_cpp, nncf, torchao
from .deploy.choices import match, read
from .errors import USAGE, Error
from .model import load
from .output import write_file
from .quantize import load_original

_FINDERS = {"llama.cpp": llama_cpp.find, "nncf": nncf.find, "torchao": torchao.find,
            "safetensors": checkpoint.find}


def write_csv(table: Path, output: Path) -> str:
    """Returns what was done, in words, as the function below does."""
    text = csv_table.format(table)
    write_file(output, text)
    return f"{output}: {text.count(chr(10)) - 1} rows"


def write_assignment(assignment: Path, target: str, output: Path, model: Path | None,
                     take_nearest: bool) -> str:
    if assignment.is_dir():
        if target == "safetensors":
            return _write_values(assignment, output, model, take_nearest)
        assignment = assignment / "assignment.json"
    if target == "safetensors" and not model:
        raise Error("safetensors needs the weights: give --model", USAGE)
    loaded = load_original(model) if model else None
    found = match(read(assignment, loaded), _FINDERS[target], target, take_nearest)
    if target == "safetensors":
        checkpoint.write_directory(found, loaded, output)
    elif target == "llama.cpp":
        write_file(output, llama_cpp.render(found, assignment.name, output.name))
    elif target == "nncf":
        write_file(output, nncf.render(found, assignment.name))
    else:
        write_file(output, torchao.render(found))
    return _describe(found, output)


def _write_values(directory: Path, output: Path, model: Path | None, take_nearest: bool) -> str:
    if model:
        raise Error("a quantized directory has its own values; leave --model out", USAGE)
    loaded = load(directory)
    if not loaded.is_output:
        raise Error(f"{directory} is not quantized; give what `ssmq quantize` wrote, or an "
                    "assignment")
    checkpoint.check_values(directory / "assignment.json", take_nearest)
    checkpoint.write_values(loaded, output)
    return f"{output}: the values of {directory}"


def _describe(found: list, output: Path) -> str:
    counts = Counter((choice.format.spelling, one.difference) for choice, one in found)
    lines = [f"{output}: {len(found)} sites"]
    lines += [f"  {spelling}: {count}" + (f", near: {difference}" if difference else "")
              for (spelling, difference), count in counts.most_common()]
    return "\n".join(lines)
