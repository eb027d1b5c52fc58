"""`ssmq eval`: perplexity on a text, and the divergence from a teacher."""

import json
from pathlib import Path

from .calibration import get_sketch
from .engine import Engine, get_threads, make_program
from .model import Model
from .program import Estimate, Evaluation
from .report import with_error
from .text import read_text, refuse_overlap
from .tokenizer import Tokenizer


def evaluate(model: Model, text: Path, teacher: Model | None, engine: Engine,
             sequence_length: int) -> Evaluation:
    content = read_text(text, Tokenizer(model.directory))
    for one in (model, teacher):
        sketch = get_sketch(one.directory) if one else None
        if sketch:
            refuse_overlap(sketch, content)
    threads = get_threads()
    # Sequences run at the same time: one thread each is the best use of the cores.
    student = make_program(model, engine, 1)
    reference = make_program(teacher, engine, 1) if teacher else None
    return student.evaluate(content.tokens, reference, sequence_length, threads)


def to_text(result: Evaluation) -> str:
    lines = [f"{result.num_scored} tokens in {result.num_sequences} sequences",
             f"perplexity          {with_error(result.perplexity, 3)}"]
    if result.has_teacher:
        lines += [f"KL(teacher||model)  {with_error(result.forward_kl, 6)} nats",
                  f"KL(model||teacher)  {with_error(result.reverse_kl, 6)} nats",
                  f"same top-1          {with_error(result.same_top1, 4)}",
                  f"delta cross-entropy {with_error(result.cross_entropy_change, 6)} nats"]
    return "\n".join(lines)


def to_json(result: Evaluation) -> str:
    def pair(estimate: Estimate) -> dict:
        return {"mean": estimate.mean, "standard_error": estimate.standard_error}

    value = {"sequences": result.num_sequences, "scored_tokens": result.num_scored,
             "perplexity": pair(result.perplexity), "cross_entropy": pair(result.cross_entropy)}
    if result.has_teacher:
        value |= {"kl_teacher_student": pair(result.forward_kl),
                  "kl_student_teacher": pair(result.reverse_kl),
                  "same_top1": pair(result.same_top1),
                  "cross_entropy_change": pair(result.cross_entropy_change)}
    return json.dumps(value, indent=1)
