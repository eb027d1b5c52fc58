"""The stages of quantization as pass pipelines, the ones that ssmq-opt runs."""

import json
from pathlib import Path

from .errors import Error
from .model import Model


def quote(value: object) -> str:
    """An option's value as the pipeline parser takes it: one word, or in quotes."""
    text = str(value)
    if not any(character in " \t\n\"'{}()," for character in text):
        return text
    for mark in "\"'":
        if mark not in text:
            return mark + text + mark
    raise Error(f"{text} holds both kinds of quotes; rename it")


def pass_text(name: str, **options: object) -> str:
    """name{key=value ...}; options of None are left out."""
    given = [f"{key.replace('_', '-')}={quote(value)}" for key, value in options.items()
             if value is not None]
    return f"{name}{{{' '.join(given)}}}" if given else name


def write_tokens(path: Path, tokens: list[int]) -> Path:
    path.write_text(json.dumps(tokens))
    return path
