"""Texts and labelled sequences to calibrate with and to evaluate on."""

from dataclasses import dataclass
from pathlib import Path

from .errors import Error
from .overlap import Sketch
from .tokenizer import Tokenizer


@dataclass
class Text:
    path: Path
    content: str
    tokens: list[int]


@dataclass(frozen=True)
class Labelled:
    """A .safetensors file of sequences and their classes (ssmq/Measure/SequenceSet.h), which is
    read where it is measured on."""

    path: Path


def is_labelled(path: Path) -> bool:
    return path.suffix == ".safetensors"


def read_text(path: Path, tokenizer: Tokenizer, min_tokens: int = 2) -> Text:
    try:
        content = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise Error(f"{path} does not exist") from None
    except IsADirectoryError:
        raise Error(f"{path} is a directory, not a text") from None
    except UnicodeDecodeError as error:
        raise Error(f"{path} is not UTF-8 text (byte {error.start})") from None
    if not content.strip():
        raise Error(f"{path} is empty; give a text of at least {min_tokens} tokens")
    tokens = tokenizer.encode(content)
    if len(tokens) < min_tokens:
        raise Error(f"{path} is too short: {len(tokens)} tokens, at least {min_tokens} are needed")
    return Text(path, content, tokens)


def read_calibration(path: Path, model: Path, sequence_length: int) -> Text | Labelled:
    """What to measure the model of a directory on; of a text two sequences at least: a standard
    error needs them."""
    if is_labelled(path):
        return Labelled(path)
    return read_text(path, Tokenizer(model), min_tokens=2 * sequence_length)


def refuse_overlap(calibration: Sketch, evaluation: Text) -> None:
    """A model looks better than it is on the text that its formats were chosen by."""
    share = calibration.share_in(evaluation.content)
    if share == 1:
        raise Error(f"{evaluation.path} is the calibration text ({calibration.name}); evaluate on "
                    "another text")
    if share > MAX_SHARE:
        raise Error(f"{share:.0%} of {evaluation.path} is in the calibration text "
                    f"({calibration.name}); evaluate on another text")


# Stock phrases (licences, headings) recur in honest texts.
MAX_SHARE = 0.05
