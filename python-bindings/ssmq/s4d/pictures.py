"""Charts as files."""

import io
from pathlib import Path

from ..errors import USAGE, Error
from ..output import check_new, write_file

FORMATS = ("png", "svg")


def check_picture(path: Path) -> None:
    """Before the work, so that a mistake costs no time."""
    if path.suffix[1:] not in FORMATS:
        raise Error(f"{path}: a picture's name ends in .png or .svg", USAGE)
    check_new(path)


def save_chart(chart, path: Path) -> None:
    """`chart` is one of altair's."""
    kind = path.suffix[1:]
    content = io.StringIO() if kind == "svg" else io.BytesIO()
    chart.save(content, format=kind, scale_factor=1 if kind == "svg" else 2)
    write_file(path, content.getvalue())
