"""Commands that read tables."""

from pathlib import Path
from typing import Annotated

import typer

from ..report import make_console
from .options import JsonOption, TableFile, app, show


@app.command()
def rank(table: TableFile,
         format: Annotated[str | None, typer.Option(
             "--format", metavar="FORMAT", show_default="the smallest of each kind of site",
             help="The format to rank sites by; `all` ranks all rows of the table.")] = None,
         top: Annotated[int, typer.Option("--top", metavar="N", min=0,
                                          help="Show only so many; 0 shows all.")] = 0,
         json: JsonOption = False) -> None:
    """Show which sites need more bits: the ranking by KL, and how sure it is."""
    from .. import ranking, sensitivity

    result = ranking.rank(sensitivity.read(table), format, top)
    if json:
        print(result.to_json())
    else:
        show(result.to_table())
        print(result.note)


@app.command()
def report(tables: Annotated[list[Path], typer.Argument(
        metavar="TABLE...", show_default=False, help="What `ssmq measure` wrote; a table for each "
        "text or model to show.")],
           assignment: Annotated[Path | None, typer.Option(
               "--assignment", metavar="FILE", help="Show what `ssmq assign` chose too.")] = None,
           results: Annotated[Path | None, typer.Option(
               "--results", metavar="FILE", help="Show quality against size of whole models too "
               "(benchmarks/assignment.py measures them).")] = None,
           output: Annotated[Path, typer.Option("-o", metavar="PAGE",
                                                help="The HTML file to write.")] =
           Path("report.html")) -> None:
    """Write tables as one HTML page with charts, which needs no network."""
    from ..errors import Error
    from ..output import check_new, write_file

    check_new(output)
    try:
        from ..html import page
    except ModuleNotFoundError as error:
        raise Error(f"the report needs {error.name}: pip install 'ssmq[report]'") from None
    text = page.render(tables, assignment, results)
    write_file(output, text)
    make_console().print(f"{output}: {output.stat().st_size / 1e6:.2f} MB", markup=False,
                         highlight=False)
