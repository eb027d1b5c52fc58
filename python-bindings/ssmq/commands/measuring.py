"""Commands that measure."""

from pathlib import Path
from typing import Annotated

import typer

from .options import (Calibration, Formats, MeasureLength, ModelDir, NumSequences, Output, Sites,
                      app, show, split)


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
    from .. import sensitivity, stages, tables
    from ..errors import USAGE, Error
    from ..machine import get_threads
    from ..output import check_new
    from ..quantize import load_original
    from ..text import read_calibration

    if dask and shard or shards and not dask:
        raise Error("give --shard or --dask, and --shards only with --dask", USAGE)
    check_new(output)
    loaded = load_original(model)
    text = read_calibration(calibration, model, sequence_length)
    options = stages.MeasureOptions(split(formats), sequence_length, num_sequences, get_threads(),
                                    split(sites), precision, exact or None, shard)
    if dask:
        from .. import cluster

        cluster.measure(dask, model, text, output, options, shards, print)
    else:
        journal = output.with_name(output.name + ".journal")
        stages.measure(loaded, text, output, options, journal)
        journal.unlink(missing_ok=True)
    show(tables.summarize_formats(output))
    if overflow := sensitivity.read(output).overflow:
        print(overflow)


@app.command()
def merge(tables: Annotated[list[Path], typer.Argument(
              metavar="TABLE...", show_default=False,
              help="Tables of one run: the shards of `ssmq measure --shard`.")],
          output: Output) -> None:
    """Put the tables of a run's shards together, to the very table of a run without shards."""
    from .. import sensitivity, stages
    from .. import tables as work
    from ..output import check_new

    check_new(output)
    stages.merge(tables, output)
    show(work.summarize_formats(output))
    merged = sensitivity.read(output)
    if merged.overflow:
        print(merged.overflow)
    for gap in merged.gaps:
        print(f"Is a shard missing? {gap}")


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
    from .. import stages
    from .. import validate as work
    from ..machine import get_threads
    from ..output import check_new, write_file
    from ..quantize import load_original

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
