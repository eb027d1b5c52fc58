"""`ssmq eval`: perplexity on a text, and the divergence from a teacher."""

import hashlib
from pathlib import Path

from .calibration import get_sketch
from .engine import Engine, get_threads, make_program
from .model import PROGRAM_FILES, Model
from .program import Evaluation
from .text import read_text, refuse_overlap
from .tokenizer import Tokenizer


def evaluate(model: Model, text: Path, teacher: Model | None, engine: Engine,
             sequence_length: int, teacher_cache: Path | None = None) -> Evaluation:
    content = read_text(text, Tokenizer(model.directory))
    for one in (model, teacher):
        sketch = get_sketch(one.directory) if one else None
        if sketch:
            refuse_overlap(sketch, content)
    threads = get_threads()
    # Sequences run at the same time: one thread each is the best use of the cores.
    student = make_program(model, engine, 1)
    reference, identity = None, ""
    if teacher and teacher_cache:
        identity = f"{hash_model(teacher)} {engine}"
    if teacher and not (teacher_cache and teacher_cache.exists()):
        reference = make_program(teacher, engine, 1)
    return student.evaluate(content.tokens, reference, sequence_length, threads, teacher_cache,
                            identity)


def hash_model(model: Model) -> str:
    """Of all files that decide its logits, wherever they lie."""
    digest = hashlib.sha256()
    files = sorted(model.directory.glob("*.safetensors"))
    files += [model.directory / name for name in ("config.json", *PROGRAM_FILES)]
    for path in files:
        if path.exists():
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:32]
