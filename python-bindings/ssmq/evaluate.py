"""`ssmq eval`: perplexity on a text or accuracy on sequences, and divergence from a teacher."""

import hashlib
import os
from pathlib import Path

from .calibration import get_sketch
from .engine import Engine, make_program
from .errors import Error
from .machine import get_threads
from .model import PROGRAM_FILES, Model
from .output import scratch_directory
from .program import Evaluation
from .text import is_labelled, read_text, refuse_overlap
from .tokenizer import Tokenizer


def evaluate(model: Model, text: Path, teacher: Model | None, engine: Engine,
             sequence_length: int, teacher_cache: Path | None = None,
             device: str = "cpu") -> Evaluation:
    if teacher_cache and not teacher_cache.exists():
        if not teacher:
            raise Error(f"{teacher_cache} does not exist, and no teacher is given to write it")
        if not teacher_cache.absolute().parent.is_dir():
            raise Error(f"{teacher_cache.absolute().parent} is not a directory")
    scored = text if is_labelled(text) else read_unseen(text, model, teacher)
    # Sequences run at the same time: one thread each is the best use of the cores.
    student = make_program(model, engine, 1, device)

    def compare(with_teacher: bool, cache: Path | None) -> Evaluation:
        reference = make_program(teacher, engine, 1, device) if with_teacher else None
        runner = engine if device == "cpu" else f"{engine} {device}"
        identity = f"{hash_model(teacher, teacher_cache)} {runner}" if teacher and cache else ""
        return student.evaluate(scored, reference, sequence_length, get_threads(), cache,
                                identity)

    if not teacher_cache:
        return compare(teacher is not None, None)
    if teacher_cache.exists():
        return compare(False, teacher_cache)
    # Gigabytes, which an interruption must not leave behind.
    with scratch_directory(teacher_cache.absolute().parent, f".{teacher_cache.name}.") as scratch:
        unfinished = scratch / teacher_cache.name
        result = compare(True, unfinished)
        os.replace(unfinished, teacher_cache)
        return result


def read_unseen(text: Path, *models: Model | None) -> list[int]:
    """The tokens of a text that none of the models was calibrated on."""
    content = read_text(text, Tokenizer(models[0].directory))
    for model in models:
        sketch = get_sketch(model.directory) if model else None
        if sketch:
            refuse_overlap(sketch, content)
    return content.tokens


def hash_model(model: Model, cache: Path) -> str:
    """Of all files that decide its logits, wherever they lie; the cache may lie among them."""
    digest = hashlib.sha256()
    files = sorted(path for path in model.directory.glob("*.safetensors")
                   if path.absolute() != cache.absolute())
    files += [model.directory / name for name in ("config.json", *PROGRAM_FILES)]
    for path in files:
        if path.exists():
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:32]
