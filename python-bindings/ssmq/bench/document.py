"""Results of a benchmark as JSON, with every sample, and as Markdown.

The JSON is {"document": "ssmq-bench", "version": 1, "machine", "features", "arguments", "results":
[{"model", "isa", "work", "rounds", "peaks", "operations", "notes", "entries": [{"engine",
"format", "bits", "command", "environment", "stateBytes", "multipliesIntegers", "error", "samples":
[...]}]}]}: speeds in tokens a second, sizes in bytes, one sample a round.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..output import write_file
from ..report import Table
from .rounds import Entry
from .sampling import Work
from .table import Limits, list_notes, make_table

DOCUMENT, VERSION = "ssmq-bench", 1


@dataclass
class Result:
    """Of one model and one class of instructions."""

    model: str
    isa: str
    work: Work
    rounds: int
    entries: list[Entry]
    limits: Limits | None = None
    notes: list[str] = field(default_factory=list)
    """What could not take part, and why, and what else a reader must know."""

    def to_table(self) -> Table:
        title = (f"{self.model}, {self.isa}; {self.work.threads} thread(s), {self.rounds} rounds of "
                 f"{self.work.prompt} + {self.work.tokens} tokens")
        return make_table(title, self.entries, self.limits)

    def list_notes(self) -> list[str]:
        return self.notes + list_notes(self.entries, self.rounds, self.work.tokens)

    def to_dict(self) -> dict:
        return {"model": self.model, "isa": self.isa, "work": asdict(self.work),
                "rounds": self.rounds, "notes": self.notes,
                "peaks": self.limits.peaks.to_dict() if self.limits else None,
                "operations": self.limits.operations if self.limits else None,
                "entries": [_entry_to_dict(entry) for entry in self.entries]}


@dataclass
class Document:
    machine: str
    features: str
    arguments: list[str]
    results: list[Result] = field(default_factory=list)


def _entry_to_dict(entry: Entry) -> dict:
    one = entry.contender
    return {"engine": one.engine, "format": one.format, "bits": one.bits, "command": one.command,
            "environment": one.environment, "stateBytes": one.state_bytes,
            "multipliesIntegers": one.multiplies_integers, "error": entry.error,
            "samples": [asdict(sample) for sample in entry.samples]}


def to_json(document: Document) -> str:
    return json.dumps({"document": DOCUMENT, "version": VERSION, "machine": document.machine,
                       "features": document.features, "arguments": document.arguments,
                       "results": [one.to_dict() for one in document.results]}, indent=1) + "\n"


def to_markdown(document: Document) -> str:
    parts = [f"{document.machine}. Medians over rounds (least-most). Ratios are within a round: to "
             "the fastest llama.cpp and OpenVINO of the same bits, and to llama.cpp's best type. "
             "Shares are of the peak of what linear layers multiply (f32 or int8), and of the "
             "bytes a second that the threads read of a buffer as large as weights and states."]
    for result in document.results:
        table = result.to_table()
        parts.append(f"### {table.title}")
        if result.limits:
            parts.append(result.limits.peaks.describe() + ".")
        parts.append(table.to_markdown().rstrip())
        notes = result.list_notes()
        if notes:
            parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def write(document: Document, stem: Path) -> None:
    """stem.json and stem.md."""
    write_file(stem.with_name(stem.name + ".json"), to_json(document))
    write_file(stem.with_name(stem.name + ".md"), to_markdown(document))
