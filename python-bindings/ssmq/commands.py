"""The commands and their options; the work is done in the module of each."""

from pathlib import Path
from typing import Annotated

import typer

from .engine import Engine
from .report import Table, make_console

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Measures, chooses and compiles quantization formats of language models.")

ModelDir = Annotated[Path, typer.Argument(metavar="MODEL", show_default=False,
                                          help="A Hugging Face directory or an output of ssmq.")]
Calibration = Annotated[Path, typer.Option("--calibration", metavar="TEXT",
                                           help="The text to measure on.")]
Length = Annotated[int, typer.Option("--sequence-length", min=2,
                                     help="Tokens of a sequence, the unit of measuring.")]
EngineOption = Annotated[Engine, typer.Option("--engine", help="What runs the program.")]
MeasureLength = Annotated[int, typer.Option("--sequence-length", min=2,
                                            help="Tokens of a calibration sequence.")]
NumSequences = Annotated[int, typer.Option("--num-sequences", min=0,
                                           help="At most so many of them; 0 takes all.")]
Formats = Annotated[str | None, typer.Option(
    "--formats", metavar="LIST", show_default="int4 and int8, a channel or 32, 64, 128 a scale",
    help="Formats to measure, commas between them (int4:g64,int8:channel).")]
Sites = Annotated[str | None, typer.Option(
    "--sites", metavar="KINDS", show_default="weight",
    help="Kinds of sites to measure, commas between them: weight, norm, activation, parameter, "
         "state, cache, all.")]
TableFile = Annotated[Path, typer.Argument(metavar="TABLE", show_default=False,
                                           help="What `ssmq measure` wrote.")]
Output = Annotated[Path, typer.Option("-o", metavar="TABLE", help="The table to write (JSON).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Budget = Annotated[str, typer.Option("--budget", metavar="SIZE",
                                     help="Bits a weight (4.5bpw) or bytes (3.2MB).")]


def split(names: str | None) -> list[str] | None:
    return [name.strip() for name in names.split(",")] if names else None


def show(table: Table) -> None:
    make_console().print(table.to_rich())


@app.command()
def run(model: ModelDir,
        prompt: Annotated[str, typer.Option("--prompt", "-p", help="The beginning of the text.")],
        n: Annotated[int, typer.Option("-n", min=1, help="Tokens to write.")] = 64,
        temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest.")] = 0.0,
        seed: Annotated[int, typer.Option(min=0, help="Of the random choice.")] = 0,
        engine: EngineOption = Engine.compiled) -> None:
    """Continue a text."""
    from . import generate
    from .engine import get_threads, make_program
    from .model import load

    loaded = load(model)
    program = make_program(loaded, engine, get_threads())
    generate.write(loaded, program, prompt, n, temperature, seed,
                   lambda piece: print(piece, end="", flush=True))
    print()


@app.command(name="eval")
def evaluate(model: ModelDir,
             text: Annotated[Path, typer.Option("--text", metavar="FILE",
                                                help="The text to score.")],
             teacher: Annotated[Path | None, typer.Option(
                 "--teacher", metavar="MODEL", help="Compare with this model too.")] = None,
             teacher_cache: Annotated[Path | None, typer.Option(
                 "--teacher-cache", metavar="FILE",
                 help="Where the teacher's logits are kept, exact and large (4 bytes a token and "
                      "word): written when it does not exist, else read, and the teacher is not "
                      "run.")] = None,
             sequence_length: Length = 512,
             engine: EngineOption = Engine.compiled,
             json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Measure perplexity on a text, and the divergence from a teacher.

    All positions but the first of each sequence are scored. With a teacher, the statistics of
    llama-perplexity --kl-divergence, then those of the logits."""
    from . import evaluation_report as report
    from .evaluate import evaluate as work
    from .model import load

    result = work(load(model), text, load(teacher) if teacher else None, engine, sequence_length,
                  teacher_cache)
    print(report.to_json(result) if json else report.to_text(result))


@app.command()
def measure(model: ModelDir, calibration: Calibration,
            output: Output,
            formats: Formats = None, sequence_length: MeasureLength = 256,
            num_sequences: NumSequences = 16, sites: Sites = None,
            precision: Annotated[float | None, typer.Option(
                "--precision", min=0, show_default="0.15",
                help="Relative standard error up to which a KL may be predicted; 0 measures "
                     "all.")] = None,
            exact: Annotated[bool, typer.Option(
                "--exact-arithmetic", help="Carry changes through the program in f32, not in "
                                           "8-bit products.")] = False,
            shard: Annotated[str | None, typer.Option(
                "--shard", metavar="I/N", show_default="all",
                help="Only the I-th of N parts, counted from 0; `ssmq merge` joins them.")] = None,
            dask: Annotated[str | None, typer.Option(
                "--dask", metavar="ADDRESS",
                help="Measure on the Dask cluster of this scheduler (tcp://host:8786). Its workers "
                     "need ssmq and must see MODEL and the folder of TABLE under the same "
                     "paths.")] = None,
            shards: Annotated[int | None, typer.Option(
                "--shards", metavar="N", min=1, show_default="the cluster's workers",
                help="With --dask: in how many parts.")] = None) -> None:
    """Measure what each format costs at each site.

    An interrupted measurement goes on from TABLE.journal when it is started again."""
    from . import stages, tables
    from .engine import get_threads
    from .errors import USAGE, Error
    from .output import check_new
    from .quantize import load_original
    from .text import read_calibration
    from .tokenizer import Tokenizer

    if dask and shard or shards and not dask:
        raise Error("give --shard or --dask, and --shards only with --dask", USAGE)
    check_new(output)
    loaded = load_original(model)
    text = read_calibration(calibration, Tokenizer(model), sequence_length)
    options = stages.MeasureOptions(split(formats), sequence_length, num_sequences, get_threads(),
                                    split(sites), precision, exact or None, shard)
    if dask:
        from . import cluster

        cluster.measure(dask, model, text, output, options, shards, print)
    else:
        journal = output.with_name(output.name + ".journal")
        stages.measure(loaded, text, output, options, journal)
        journal.unlink(missing_ok=True)
    show(tables.summarize_formats(output))


@app.command()
def merge(tables: Annotated[list[Path], typer.Argument(
              metavar="TABLE...", show_default=False,
              help="Tables of one run: the shards of `ssmq measure --shard`.")],
          output: Output) -> None:
    """Put the tables of a run's shards together, to the very table of a run without shards."""
    from . import sensitivity, stages
    from . import tables as work
    from .output import check_new

    check_new(output)
    stages.merge(tables, output)
    show(work.summarize_formats(output))
    for gap in sensitivity.read(output).gaps:
        print(f"Is a shard missing? {gap}")


@app.command()
def rank(table: TableFile,
         format: Annotated[str | None, typer.Option(
             "--format", metavar="FORMAT", show_default="the smallest of the table",
             help="The format to rank sites by; `all` ranks all rows of the table.")] = None,
         top: Annotated[int, typer.Option("--top", metavar="N", min=0,
                                          help="Show only so many; 0 shows all.")] = 0,
         json: JsonOption = False) -> None:
    """Show which sites need more bits: the ranking by KL, and how sure it is."""
    from . import ranking, sensitivity

    result = ranking.rank(sensitivity.read(table), format, top)
    if json:
        print(result.to_json())
    else:
        show(result.to_table())
        print(result.note)


@app.command()
def validate(model: ModelDir, calibration: Calibration,
             evaluation: Annotated[Path, typer.Option(
                 "--evaluation", metavar="TEXT", help="The text to take perplexity on.")],
             output: Annotated[Path, typer.Option("-o", metavar="OUT",
                                                  help="The results to write (JSON).")],
             calibration_other: Annotated[Path | None, typer.Option(
                 "--calibration-other", metavar="TEXT",
                 help="A calibration text of another domain.")] = None,
             formats: Annotated[str, typer.Option(
                 "--formats", metavar="LIST", help="Formats, commas between them.")] =
             "int2:channel,int3:channel,int4:channel,int8:channel",
             sequence_length: MeasureLength = 256, num_sequences: NumSequences = 0,
             sites: Sites = None,
             markdown: Annotated[Path | None, typer.Option(
                 "--markdown", metavar="FILE", help="Write the tables as Markdown too.")] = None
             ) -> None:
    """Check how well each metric ranks sites: Kendall's tau against perplexity on another text
    with only that site quantized.

    An interrupted run goes on from OUT.*.journal when it is started again."""
    from . import stages
    from . import validate as work
    from .engine import get_threads
    from .output import check_new, write_file
    from .quantize import load_original

    for path in (output, markdown):
        if path:
            check_new(path)
    texts = work.Texts(evaluation, calibration, calibration_other)
    result = work.validate(load_original(model), texts, output, stages.MeasureOptions(
        split(formats), sequence_length, num_sequences, get_threads(), split(sites)))
    write_file(output, work.to_json(result))
    if markdown:
        write_file(markdown, work.to_markdown(result))
    print(work.describe(result))
    for table in work.to_tables(result):
        show(table)


@app.command()
def report(tables: Annotated[list[Path], typer.Argument(
        metavar="TABLE...", show_default=False, help="What `ssmq measure` wrote; a table for each "
        "text or model to show.")],
           assignment: Annotated[Path | None, typer.Option(
               "--assignment", metavar="FILE", help="Show what `ssmq assign` chose too.")] = None,
           output: Annotated[Path, typer.Option("-o", metavar="PAGE",
                                                help="The HTML file to write.")] =
           Path("report.html")) -> None:
    """Write tables as one HTML page with charts, which needs no network."""
    from .errors import Error
    from .output import check_new, write_file

    check_new(output)
    try:
        from .html import page
    except ModuleNotFoundError as error:
        raise Error(f"the report needs {error.name}: pip install 'ssmq[report]'") from None
    text = page.render(tables, assignment)
    write_file(output, text)
    make_console().print(f"{output}: {output.stat().st_size / 1e6:.2f} MB", markup=False,
                         highlight=False)


@app.command()
def export(table: TableFile,
           csv: Annotated[Path, typer.Option("--csv", metavar="FILE",
                                             help="The CSV file to write.")]) -> None:
    """Write a table as CSV, a line for each row (docs/Tables.md says what the columns are)."""
    from . import csv_table
    from .output import check_new, write_file

    check_new(csv)
    text = csv_table.format(table)
    write_file(csv, text)
    make_console().print(f"{csv}: {text.count(chr(10)) - 1} rows", markup=False, highlight=False)


@app.command()
def assign(table: TableFile,
           budget: Budget,
           output: Annotated[Path, typer.Option("-o", metavar="ASSIGNMENT",
                                                help="The assignment to write (JSON).")]) -> None:
    """Choose a format for each weight, the least KL within a budget."""
    from . import stages, tables
    from .output import check_new

    check_new(output)
    stages.assign(table, budget, output)
    show(tables.summarize_assignment(output))


@app.command()
def quantize(model: ModelDir,
             out: Annotated[Path, typer.Option("-o", metavar="OUT",
                                               help="The directory to write.")],
             calibration: Annotated[Path | None, typer.Option(
                 "--calibration", metavar="TEXT", help="The text to measure on.")] = None,
             budget: Annotated[str | None, typer.Option(
                 "--budget", metavar="SIZE",
                 help="Bits a weight (4.5bpw) or bytes (3.2MB).")] = None,
             uniform: Annotated[str | None, typer.Option(
                 "--uniform", metavar="FORMAT",
                 help="One format for all weights, without a measurement.")] = None,
             assignment: Annotated[Path | None, typer.Option(
                 "--assignment", metavar="FILE",
                 help="The formats that `ssmq assign` chose, or written by hand.")] = None,
             formats: Formats = None, sequence_length: MeasureLength = 256,
             num_sequences: NumSequences = 16) -> None:
    """Quantize a model: measure, choose within a budget, and store.

    Formats come from a measurement (--calibration and --budget), from --uniform or from
    --assignment."""
    from . import quantize as work
    from . import stages, tables
    from .engine import get_threads
    from .errors import USAGE, Error
    from .output import check_new, scratch_directory
    from .text import read_calibration
    from .tokenizer import Tokenizer

    ways = [bool(calibration or budget), bool(uniform), bool(assignment)]
    if sum(ways) != 1 or bool(calibration) != bool(budget):
        raise Error("give --calibration and --budget, or --uniform, or --assignment", USAGE)
    check_new(out)
    loaded, threads = work.load_original(model), get_threads()
    if uniform:
        work.write(loaded, out,
                   lambda one, path: stages.assign_uniform(one, uniform, path), threads)
    elif assignment:
        work.write(loaded, out,
                   lambda one, path: stages.assign_file(one, assignment, path), threads)
    else:
        text = read_calibration(calibration, Tokenizer(model), sequence_length)
        with scratch_directory() as scratch:
            table = scratch / "table.json"
            stages.measure(loaded, text, table, stages.MeasureOptions(
                split(formats), sequence_length, num_sequences, threads), budget=budget)
            work.write(loaded, out,
                       lambda one, path: stages.assign_budget(one, table, budget, path), threads,
                       text, table)
    show(tables.summarize_assignment(out / "assignment.json"))


@app.command()
def demo(model: ModelDir,
         calibration: Annotated[Path | None, typer.Option(
             "--calibration", metavar="TEXT", show_default="MODEL/data/calibration.txt",
             help="The text to measure on.")] = None,
         evaluation: Annotated[Path | None, typer.Option(
             "--evaluation", metavar="TEXT", show_default="MODEL/data/evaluation.txt",
             help="The text to judge by.")] = None,
         out: Annotated[Path, typer.Option("-o", metavar="OUT",
                                           help="The directory for models and table.")] =
         Path("demo-out"),
         prompt: Annotated[str, typer.Option(help="The beginning of the text to write.")] =
         "The kernel",
         budget: Annotated[list[str], typer.Option("--budget", metavar="SIZE",
                                                   help="Of a mix; may be given again.")] =
         ["5.5bpw", "4.5bpw"],
         sequence_length: MeasureLength = 256, num_sequences: NumSequences = 8,
         engine: EngineOption = Engine.compiled,
         update_readme: Annotated[bool, typer.Option(
             "--update-readme", help="Put the table into ./README.md.")] = False) -> None:
    """Show the whole line on one model: measure, mix, compare, write a text."""
    from . import demo as work

    work.show(model, out, work.Options(
        calibration or model / "data" / "calibration.txt",
        evaluation or model / "data" / "evaluation.txt",
        prompt, tuple(budget), engine, sequence_length, num_sequences),
        Path("README.md") if update_readme else None)
