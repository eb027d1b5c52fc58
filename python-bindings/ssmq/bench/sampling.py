"""What all engines do in a turn. Needs nothing but Python: peers' environments import it alone."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Work:
    """What a turn times: `repeats` prompts, and tokens one by one after each."""

    prompt: int = 512
    tokens: int = 128
    repeats: int = 3
    threads: int = 1
    limit: float = 10.0
    """Seconds after which no further repeat begins; tokens of one take about half of them at most."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Sample:
    """One turn: tokens a second, each of a repeat, and how many tokens these are rates of."""

    prefill: list[float]
    decode: list[float]
    prompt: int
    tokens: int
    load_seconds: float | None = None
    weight_bytes: int | None = None
    version: str = ""
    peak_bytes: int = 0
    """Of the process, with its interpreter and libraries."""
    seconds: float = 0

    @property
    def prefill_speed(self) -> float:
        return statistics.median(self.prefill)

    @property
    def decode_speed(self) -> float:
        return statistics.median(self.decode)


# Feeds a prompt and then tokens, and calls the function at the end of each.
Run = Callable[[list[int], int, Callable[[], None]], None]


def make_prompt(length: int) -> list[int]:
    return [index * 37 % 1000 for index in range(length)]


class _Clock:
    """When the prompt and each token ended."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()
        self.ends: list[float] = []

    def tick(self) -> None:
        self.ends.append(time.perf_counter())

    def get_seconds(self) -> float:
        return self.ends[-1] - self.begin

    def get_prompt_seconds(self) -> float:
        return self.ends[0] - self.begin

    def get_speed(self) -> float:
        """Tokens a second after the prompt."""
        return (len(self.ends) - 1) / (self.ends[-1] - self.ends[0])


def time_repeats(run: Run, work: Work) -> Sample:
    """Repeats after a shorter one that warms caches, pages and lazy set-up. Slow engines run fewer
    tokens than they should, which the sample tells; to very slow ones the shorter one counts."""
    prompt = make_prompt(work.prompt)
    warm_up = _Clock()
    run(prompt, min(8, work.tokens), warm_up.tick)
    if warm_up.get_seconds() > work.limit:
        return Sample([work.prompt / warm_up.get_prompt_seconds()], [warm_up.get_speed()],
                      work.prompt, min(8, work.tokens))
    num_tokens = min(work.tokens, max(4, int(work.limit / 2 * warm_up.get_speed())))
    sample = Sample([], [], work.prompt, num_tokens)
    seconds = 0.0
    while len(sample.decode) < work.repeats and seconds <= work.limit:
        clock = _Clock()
        run(prompt, num_tokens, clock.tick)
        sample.prefill.append(work.prompt / clock.get_prompt_seconds())
        sample.decode.append(clock.get_speed())
        seconds += clock.get_seconds()
    return sample
