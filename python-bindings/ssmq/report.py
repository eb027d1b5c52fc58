"""The same table for a terminal and for a Markdown page."""

from dataclasses import dataclass, field

import rich.box
import rich.console
import rich.table
import rich.text

from .program import Estimate


@dataclass
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def drop(self, column: str) -> None:
        index = self.columns.index(column)
        for row in (self.columns, *self.rows):
            del row[index]

    def to_rich(self) -> rich.console.Group:
        """The title stands above, as a table would break it at its own width."""
        table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="right" if index else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return rich.console.Group(rich.text.Text(self.title, style="italic"), table)

    def to_markdown(self) -> str:
        lines = ["| " + " | ".join(self.columns) + " |",
                 "|" + "|".join(["---"] + ["---:"] * (len(self.columns) - 1)) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"


def with_error(estimate: Estimate, digits: int, scale: float = 1) -> str:
    return f"{estimate.mean * scale:.{digits}f} ± {estimate.standard_error * scale:.{digits}f}"


def make_console() -> rich.console.Console:
    """On stdout; lines in a file or a pipe are as long as they need to be."""
    console = rich.console.Console()
    return console if console.is_terminal else rich.console.Console(width=200)
