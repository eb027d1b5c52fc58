"""Puts the demo's table into README.md, between its markers."""

from pathlib import Path

from .errors import Error

BEGIN, END = "<!-- demo table -->", "<!-- end of demo table -->"


def check(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    if not 0 <= text.find(BEGIN) < text.find(END):
        raise Error(f"{readme} has no place for the table: {BEGIN} and {END} on lines of their own")


def update(readme: Path, table: str) -> None:
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    scratch = readme.with_name(f".{readme.name}.new")
    scratch.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")
    scratch.replace(readme)
