"""`ssmq export`: tables and assignments in the forms of other tools."""

from collections import Counter
from pathlib import Path

from . import csv_table
from .deploy import checkpoint, llama_cpp, nncf, torchao
from .deploy.choices import match, read
from .errors import USAGE, Error
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


def _describe(found: list, output: Path) -> str:
    counts = Counter((choice.format.spelling, one.difference) for choice, one in found)
    lines = [f"{output}: {len(found)} sites"]
    lines += [f"  {spelling}: {count}" + (f", near: {difference}" if difference else "")
              for (spelling, difference), count in counts.most_common()]
    return "\n".join(lines)
