"""Programs: a model bound to its weights, interpreted or compiled."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import _ssmq
import numpy as np

from .errors import USAGE, Error

Evaluation = _ssmq.Evaluation
Estimate = _ssmq.Estimate
Quantile = _ssmq.Quantile
State = _ssmq.State
Throughput = _ssmq.Throughput


def as_tokens(tokens: Sequence[int] | np.ndarray) -> np.ndarray:
    """Token ids as the C interface takes them: one dimension of int32."""
    array = np.asarray(tokens)
    if array.size == 0:
        array = array.astype(np.int32)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise Error(f"tokens are a list of integers, not {array.dtype} of {array.ndim} dimensions",
                    USAGE)
    if array.size and (array.min() < 0 or array.max() > np.iinfo(np.int32).max):
        raise Error("a token is negative or above 2147483647")
    return np.ascontiguousarray(array, dtype=np.int32)


def as_features(features: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """Features [steps, features] as the C interface takes them: float32."""
    array = np.asarray(features)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise Error(f"features are numbers [steps, features], not {array.dtype} of {array.ndim} "
                    "dimensions", USAGE)
    return np.ascontiguousarray(array, dtype=np.float32)


class Program:
    """Maps tokens, or features, and a state to logits and the next state."""

    def __init__(self, handle: _ssmq.Program):
        self._handle = handle

    @property
    def vocab_size(self) -> int:
        """Columns of the logits: tokens of the vocabulary, or classes."""
        return self._handle.vocab_size

    @property
    def num_features(self) -> int:
        """Features of a step; 0 for programs that read tokens."""
        return self._handle.num_features

    def new_state(self, capacity: int) -> State:
        """The state before the first token, with room for `capacity` tokens."""
        return self._handle.new_state(capacity)

    def forward(self, tokens: Sequence[int] | np.ndarray, state: State | None = None) -> np.ndarray:
        """Feeds tokens, advances the state, and returns logits [tokens, vocabulary] in f32, those
        after each token. Without a state the text starts with these tokens and ends with them."""
        ids = as_tokens(tokens)
        return self._handle.forward(ids, self.new_state(len(ids)) if state is None else state)

    def forward_last(self, tokens: Sequence[int] | np.ndarray,
                     state: State | None = None) -> np.ndarray:
        """As `forward`, but returns only the logits after the last token, [1, vocabulary], and a
        compiled program computes no others: what the prompt of a generation needs."""
        ids = as_tokens(tokens)
        return self._handle.forward_last(ids, self.new_state(len(ids)) if state is None else state)

    def classify(self, features: Sequence[Sequence[float]] | np.ndarray,
                 state: State | None = None) -> np.ndarray:
        """Feeds features [steps, features], advances the state, and returns logits in f32: of a
        classifier [1, classes], for all that was fed so far."""
        steps = as_features(features)
        return self._handle.forward_features(
            steps, self.new_state(len(steps)) if state is None else state)

    def evaluate(self, tokens: Sequence[int] | np.ndarray | Path, teacher: "Program | None" = None,
                 sequence_length: int = 512, threads: int = 1,
                 teacher_cache: str | os.PathLike | None = None,
                 teacher_identity: str = "") -> Evaluation:
        """Perplexity, and the divergence from a teacher, as ssmq/Measure/Evaluation.h defines
        them: the text is cut into sequences, `threads` of which run at a time, and all positions
        but the first of each are scored. A path in the place of tokens names a file of labelled
        sequences (.safetensors, ssmq/Measure/SequenceSet.h), for accuracy above all, or of tokens.

        `teacher_cache` is a file of the teacher's logits: when it exists, it stands for the teacher
        (who may be None) and must fit the tokens and `teacher_identity`; else it is written."""
        if isinstance(teacher_cache, str | os.PathLike) and not os.fspath(teacher_cache):
            raise Error("the name of the teacher's file is empty", USAGE)
        options = (teacher._handle if teacher else None, sequence_length, threads,
                   str(teacher_cache) if teacher_cache else "", teacher_identity)
        if isinstance(tokens, Path):
            return self._handle.evaluate_sequences(str(tokens), *options)
        return self._handle.evaluate(as_tokens(tokens), *options)

    def generate(self, prompt: Sequence[int] | np.ndarray, num_tokens: int = 32,
                 temperature: float = 0.0, seed: int = 0,
                 on_token: Callable[[int], bool] | None = None) -> list[int]:
        """Continues a prompt. Temperature 0 takes the likeliest token. `on_token` sees each token
        at once; false ends the text."""
        return self._handle.generate(as_tokens(prompt), num_tokens, temperature, seed, on_token)

    def benchmark(self, prompt: Sequence[int] | np.ndarray, num_tokens: int = 64,
                  repeats: int = 5) -> Throughput:
        """Median tokens a second of whole prompts (prefill) and of single tokens after (decode)."""
        return self._handle.benchmark(as_tokens(prompt), num_tokens, repeats)
