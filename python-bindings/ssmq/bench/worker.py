"""Times a model of ours in this process: `python -m ssmq.bench.worker MODEL WORK [COMPILE]`, where
WORK is JSON of Work and COMPILE that of arguments of Model.compile; prints JSON of Sample."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .sampling import Sample, Work, time_repeats

def _measure(directory: Path, work: Work, compile_options: dict) -> Sample:
    import ssmq

    begin = time.perf_counter()
    program = ssmq.load(directory).compile(work.threads, **compile_options)
    load_seconds = time.perf_counter() - begin

    def run(prompt: list[int], num_tokens: int, tick: Callable[[], None]) -> None:
        def on_token(_: int) -> bool:
            tick()
            return True

        words = [token % program.vocab_size for token in prompt]
        # The first token ends the prompt.
        program.generate(words, num_tokens + 1, on_token=on_token)

    sample = time_repeats(run, work)
    sample.load_seconds, sample.version = load_seconds, ssmq.__version__
    return sample


def main() -> None:
    directory, work, *options = sys.argv[1:]
    compile_options = json.loads(options[0]) if options else {}
    print(json.dumps(asdict(_measure(Path(directory), Work(**json.loads(work)), compile_options))))


if __name__ == "__main__":
    main()
