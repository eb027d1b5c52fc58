"""Commands that choose formats from a table."""

from pathlib import Path
from typing import Annotated

import typer

from ..report import make_console
from .options import Formats, JsonOption, Sites, app, show, split

OptionalTable = Annotated[Path | None, typer.Argument(
    metavar="TABLE", show_default=False,
    help="What `ssmq measure` wrote, or CSV: of `ssmq export`, or of KL-MPQ.")]
TableOption = Annotated[Path | None, typer.Option("--table", metavar="FILE",
                                                  help="The same as an option.")]
Ties = Annotated[list[str] | None, typer.Option(
    "--tie", metavar="PATTERN", help="Sites whose names this expression finds with the same "
    "captured text take one format: 'layers[.]([0-9]+)[.]self_attn[.][qkv]_proj'. Repeatable.")]
SiteKL = Annotated[float | None, typer.Option("--max-site-kl", metavar="KL", min=0,
                                              help="No site may cost more.")]
Keep = Annotated[bool, typer.Option("--keep/--no-keep",
                                    help="Whether a site may stay as the checkpoint stores it.")]


def _get_table(argument: Path | None, option: Path | None) -> Path:
    from ..errors import USAGE, Error

    if (argument is None) == (option is None):
        raise Error("name one table", USAGE)
    return argument or option


@app.command()
def assign(table: OptionalTable = None, table_option: TableOption = None,
           rule: Annotated[str, typer.Option(
               "--rule", metavar="RULE", help="optimal, greedy, or one of KL-MPQ: kl-mpq-p01 .. "
               "kl-mpq-p10, kl-mpq-greedy, kl-mpq-greedy-fixed.")] = "optimal",
           budget: Annotated[list[str] | None, typer.Option(
               "--budget", metavar="SIZE", help="Of the stored model: bits a weight (4.5bpw) or "
               "bytes (3.2MB). Repeatable; all hold.")] = None,
           memory: Annotated[str | None, typer.Option(
               "--memory", metavar="SIZE", help="Of the running model: with states, caches and "
               "the largest activation.")] = None,
           cache_tokens: Annotated[int, typer.Option("--cache-tokens", min=1,
                                                     help="Tokens in the caches.")] = 1,
           decode_ms: Annotated[float | None, typer.Option(
               "--decode-ms", metavar="MS", min=0, help="Time of a generated token.")] = None,
           prefill_ms: Annotated[float | None, typer.Option(
               "--prefill-ms", metavar="MS", min=0, help="Time of a token of the prompt.")] = None,
           costs: Annotated[Path | None, typer.Option(
               "--costs", metavar="FILE", help="Times of each format, as `ssmq costs` measures "
               "them.")] = None,
           site_kl: SiteKL = None, formats: Formats = None, sites: Sites = None, tie: Ties = None,
           keep: Keep = True,
           metric: Annotated[str, typer.Option(
               "--metric", metavar="NAME", help="What is made least: forwardKL, or as a baseline "
               "reverseKL, meanSquaredError or signalToNoise.")] = "forwardKL",
           gamma: Annotated[float, typer.Option(
               "--gamma", help="How much kl-mpq-greedy lets the perplexity grow.")] = 1.10,
           perplexity: Annotated[float | None, typer.Option(
               "--perplexity", metavar="PPL", show_default="the least of the CSV",
               help="Of the original model, for kl-mpq-greedy on a CSV.")] = None,
           json: JsonOption = False,
           output: Annotated[Path | None, typer.Option(
               "-o", metavar="ASSIGNMENT", help="The assignment to write (JSON).")] = None) -> None:
    """Choose a format for each site: the least KL within budgets, or a published rule."""
    from .. import assignment
    from ..output import check_new

    path = _get_table(table, table_option)
    if output:
        check_new(output)
    result = assignment.assign(
        path, output=output, rule=rule, budgets=budget, memory=memory, cache_tokens=cache_tokens,
        decode_ms=decode_ms, prefill_ms=prefill_ms, costs=costs, site_kl=site_kl,
        formats=split(formats), sites=split(sites), ties=tie, keep=keep, metric=metric, gamma=gamma,
        perplexity=perplexity)
    if json:
        print(result.to_json())
    else:
        make_console().print(assignment.describe(result), markup=False, highlight=False)
        show(assignment.to_table(result))


@app.command()
def front(table: OptionalTable = None, table_option: TableOption = None,
          points: Annotated[int, typer.Option(
              "--points", metavar="N", min=0,
              help="At most so many, at evenly spaced sizes; 0 shows all.")] = 32,
          site_kl: SiteKL = None, formats: Formats = None, sites: Sites = None, tie: Ties = None,
          keep: Keep = True, json: JsonOption = False,
          csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
          output: Annotated[Path | None, typer.Option(
              "-o", metavar="FILE", help="Write there instead, CSV where the name says so, else "
              "JSON.")] = None) -> None:
    """Show the Pareto front of a table: the least KL of each size."""
    from .. import assignment
    from ..errors import USAGE, Error
    from ..output import check_new, write_file

    path = _get_table(table, table_option)
    if json and csv:
        raise Error("take --json or --csv", USAGE)
    if output:
        check_new(output)
    result = assignment.compute_front(path, points, site_kl=site_kl, formats=split(formats),
                                      sites=split(sites), ties=tie, keep=keep)
    if output:
        is_csv = csv or (not json and output.suffix.lower() == ".csv")
        write_file(output, result.to_csv() if is_csv else result.to_json() + "\n")
        make_console().print(f"{output}: {len(result.points)} points", markup=False,
                             highlight=False)
    elif json:
        print(result.to_json())
    elif csv:
        print(result.to_csv(), end="")
    else:
        show(result.to_table(str(path)))
