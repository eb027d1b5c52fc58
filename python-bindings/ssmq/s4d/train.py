"""`ssmq train-s4d`: a checkpoint, complete or not at all, with what it scored."""

import dataclasses
import json
from pathlib import Path

import torch

from ..errors import USAGE, Error
from ..output import check_new, new_directory
from . import checkpoint
from .config import Config
from .model import S4D
from .sequences import SPLITS, Dataset
from .training import Recipe, Show, accuracy, fit


def train(config: Config, data: Dataset, recipe: Recipe, out: Path, source: str,
          show: Show = lambda record: None) -> dict:
    """Writes the directory `out`; returns what results.json says."""
    check_new(out)
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    config = check_fits(config, data)
    model = S4D(config)
    progress = get_progress_path(out)
    identity = {"config": json.loads(config.to_json())}
    epochs = fit(model, data, recipe, identity, progress, show=show)
    results = {"data": source, **dataclasses.asdict(recipe),
               "parameters": sum(one.numel() for one in model.parameters()),
               "accuracy": score(model, data)}
    write_outputs(out, model, epochs, results)
    progress.unlink(missing_ok=True)
    return results


def get_progress_path(out: Path) -> Path:
    return out.absolute().with_name(out.name + ".progress")


def check_fits(config: Config, data: Dataset) -> Config:
    """The config with as many inputs and labels as the data have; the parts must agree."""
    channels = {getattr(data, name).inputs.shape[2] for name in SPLITS}
    if len(channels) > 1:
        raise Error("train, validation and test have different numbers of inputs a step")
    num_labels = max(int(getattr(data, name).labels.max()) for name in SPLITS) + 1
    if config.id2label and len(config.id2label) < num_labels:
        raise Error(f"there are {num_labels} labels, but {len(config.id2label)} names", USAGE)
    return dataclasses.replace(config, d_input=channels.pop(), num_labels=num_labels)


def score(model: torch.nn.Module, data: Dataset, parts: tuple[str, ...] = SPLITS
          ) -> dict[str, float]:
    return {name: accuracy(model, getattr(data, name)) for name in parts}


def write_outputs(out: Path, model: S4D, epochs: list[dict], results: dict,
                  extra: dict[str, str] | None = None) -> None:
    """`extra` are files by name."""
    with new_directory(out) as scratch:
        checkpoint.save(model, scratch)
        curve = "".join(json.dumps(record) + "\n" for record in epochs)
        documents = {"results.json": json.dumps(results, indent=2) + "\n",
                     "training.jsonl": curve, **(extra or {})}
        for name, text in documents.items():
            (scratch / name).write_text(text, encoding="utf-8")
