"""Training a classifier of sequences: AdamW, a cosine schedule, one seed for all that is drawn.

A run is the same bytes again on the same machine, also when it was killed on its way.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import Error
from .progress import Progress, digest
from .sequences import Dataset, Sequences

# Systems are learned at a rate of their own and without decay, as in S4D's own code.
_SYSTEM = ("log_dt", "A_real_log", "A_imag", "A", "B")


@dataclass(frozen=True)
class Recipe:
    epochs: int = 30
    learning_rate: float = 1e-3
    batch_size: int = 32
    weight_decay: float = 0.01
    seed: int = 1
    # At most, of dt, A and B.
    system_rate: float = 1e-3


Logits = Callable[[Tensor, Tensor | None], Tensor]
# Of the epoch that begins, from 0.
Prepare = Callable[[int], None]
Show = Callable[[dict], None]


def fit(model: nn.Module, data: Dataset, recipe: Recipe, identity: dict, path: Path,
        prepare: Prepare = lambda epoch: None, show: Show = lambda record: None) -> list[dict]:
    """Trains `model`, which gives logits of inputs and lengths; `path` keeps what a run that is
    killed goes on from. Returns a record for each epoch."""
    optimizer = torch.optim.AdamW(_group(model, recipe))
    rates = [group["lr"] for group in optimizer.param_groups]
    train = data.train
    identity = {**dataclasses.asdict(recipe), **identity,
                "data": digest([train.inputs, train.labels, train.lengths])}
    progress = Progress(path, identity)
    progress.load(model, optimizer)
    num_steps = recipe.epochs * math.ceil(len(train) / recipe.batch_size)
    for epoch in range(len(progress.epochs), recipe.epochs):
        prepare(epoch)
        model.train()
        step, losses, right = epoch * num_steps // recipe.epochs, 0.0, 0
        for batch in _batches(train, recipe, epoch):
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * (1 + math.cos(math.pi * step / num_steps)) / 2
            inputs, labels, lengths = to_tensors(batch)
            logits = model(inputs, lengths)
            loss = nn.functional.cross_entropy(logits, labels)
            if not loss.isfinite():
                raise Error(f"training diverged in epoch {epoch + 1}: the loss is {loss.item()}; "
                            "try a lower learning rate")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += loss.item() * len(batch)
            right += int((logits.argmax(-1) == labels).sum())
            step += 1
        record = {"epoch": epoch + 1, "loss": losses / len(train), "train": right / len(train),
                  "validation": accuracy(model, data.validation)}
        progress.epochs.append(record)
        progress.save(model, optimizer)
        show(record)
    model.eval()
    return progress.epochs


def _group(model: nn.Module, recipe: Recipe) -> list[dict]:
    slow, fast, plain = [], [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_slow = name.rpartition(".")[2] in _SYSTEM
        (slow if is_slow else fast if parameter.ndim == 2 else plain).append(parameter)
    slow_rate = min(recipe.learning_rate, recipe.system_rate)
    groups = [{"params": slow, "lr": slow_rate, "weight_decay": 0.0},
              {"params": fast, "lr": recipe.learning_rate, "weight_decay": recipe.weight_decay},
              {"params": plain, "lr": recipe.learning_rate, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _batches(sequences: Sequences, recipe: Recipe, epoch: int) -> Iterator[Sequences]:
    order = np.random.default_rng((recipe.seed, epoch)).permutation(len(sequences))
    for begin in range(0, len(order), recipe.batch_size):
        yield sequences.take(order[begin:begin + recipe.batch_size])


def to_tensors(batch: Sequences) -> tuple[Tensor, Tensor, Tensor | None]:
    lengths = None if batch.lengths is None else torch.from_numpy(batch.lengths)
    return torch.from_numpy(batch.inputs), torch.from_numpy(batch.labels), lengths


@torch.no_grad()
def predict(model: Logits, sequences: Sequences, batch_size: int = 64) -> np.ndarray:
    """Logits [sequences, num_labels]."""
    parts = []
    for begin in range(0, len(sequences), batch_size):
        batch = sequences.take(np.arange(begin, min(begin + batch_size, len(sequences))))
        inputs, _, lengths = to_tensors(batch)
        parts.append(model(inputs, lengths).numpy())
    return np.concatenate(parts)


def accuracy(model: Logits, sequences: Sequences) -> float:
    if isinstance(model, nn.Module):
        model.eval()
    return float((predict(model, sequences).argmax(-1) == sequences.labels).mean())
