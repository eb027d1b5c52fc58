"""Reads JSON documents: objects that say their kind in "document" and their "version"."""

import json
from pathlib import Path

from .errors import Error


def read_document(path: Path, document: str, version: int | None = None) -> dict:
    """Without a version, of any."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Error(f"{path} does not exist") from None
    except (ValueError, RecursionError, IsADirectoryError):
        raise Error(f"{path} is not a JSON document") from None
    if not isinstance(value, dict) or value.get("document") != document:
        raise Error(f"{path} is not a document of type {document}")
    if version is not None and value.get("version") != version:
        raise Error(f"{path} has version {value.get('version')}; this ssmq reads {version}; "
                    "make it again")
    return value
