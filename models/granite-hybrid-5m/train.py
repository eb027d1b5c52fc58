"""Train the model on WORK/train.bin until a given time of day.

    train.py WORK HH:MM    (UTC)

The learning rate follows the clock, not the step count: two shared cores give
no steady speed, and a run that is cut off before its rate has come down loses
most of its quality. A checkpoint every few minutes makes a crash cheap, and
the run exports model.safetensors as f16 at each of them and when it ends.
"""

import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from model import Model, load_config

HERE = Path(__file__).resolve().parent
BATCH, LENGTH = 8, 512
MUON_RATE, ADAM_RATE = 0.02, 0.003
WARMUP_STEPS = 60
FLAT = 0.25  # Share of the time at the full rate; then linearly to zero.
REPORT_SECONDS, SAVE_SECONDS = 30, 240


class Muon:
    """Momentum whose update is orthogonalized, for the hidden matrices.

    It needs far fewer tokens than Adam for the same loss, and tokens are what
    a CPU has least of. The iteration is the usual quintic Newton-Schulz one.
    """

    def __init__(self, params, momentum=0.95, decay=0.01):
        self.params, self.momentum, self.decay = params, momentum, decay
        self.buffers = [torch.zeros_like(p) for p in params]

    @staticmethod
    def orthogonal(g):
        x = g.bfloat16()
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
        return (x.T if tall else x).float()

    @torch.no_grad()
    def step(self, rate):
        for p, buffer in zip(self.params, self.buffers):
            buffer.lerp_(p.grad, 1 - self.momentum)
            update = self.orthogonal(p.grad.lerp(buffer, self.momentum))
            p.mul_(1 - rate * self.decay)
            p.add_(update, alpha=-rate * max(1.0, p.shape[0] / p.shape[1]) ** 0.5)


class Batches:
    """Blocks of the token stream in random order, shifted anew each epoch."""

    def __init__(self, path, state=(0, 0)):
        self.tokens = np.fromfile(path, dtype=np.uint16)
        self.epoch, self.at = state
        self.shuffle()

    def shuffle(self):
        random = np.random.default_rng(self.epoch)
        shift = random.integers(LENGTH)
        count = (len(self.tokens) - 1 - shift) // LENGTH
        self.starts = random.permutation(count) * LENGTH + shift

    def next(self):
        if self.at + BATCH > len(self.starts):
            self.epoch, self.at = self.epoch + 1, 0
            self.shuffle()
        starts = self.starts[self.at:self.at + BATCH]
        self.at += BATCH
        block = np.stack([self.tokens[s:s + LENGTH + 1] for s in starts]).astype(np.int64)
        block = torch.from_numpy(block)
        return block[:, :-1].contiguous(), block[:, 1:].contiguous()


@torch.no_grad()
def held_out_loss(model, path):
    tokens = torch.from_numpy(np.fromfile(path, dtype=np.uint16).astype(np.int64))
    count = (len(tokens) - 1) // LENGTH
    ids = tokens[:count * LENGTH].view(count, LENGTH)
    targets = tokens[1:count * LENGTH + 1].view(count, LENGTH)
    with torch.autocast("cpu", torch.bfloat16):
        losses = [model(ids[i:i + 8], targets[i:i + 8]).item() * len(ids[i:i + 8])
                  for i in range(0, count, 8)]
    return sum(losses) / count


def write_atomically(path, write):
    part = path.with_name(path.name + ".part")
    write(part)
    os.replace(part, path)


def export(model):
    tensors = {k: v.detach().half().contiguous() for k, v in model.state_dict().items()}
    assert all(t.isfinite().all() for t in tensors.values())
    write_atomically(HERE / "model.safetensors",
                     lambda path: save_file(tensors, path, metadata={"format": "pt"}))


def deadline_from(text):
    hour, minute = map(int, text.split(":"))
    now = datetime.now(timezone.utc)
    return now.replace(hour=hour, minute=minute, second=0).timestamp()


def main():
    work, end = Path(sys.argv[1]), deadline_from(sys.argv[2])
    torch.manual_seed(1)
    torch.set_num_threads(2)
    model = Model(load_config(HERE / "config.json"))
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.95), weight_decay=0.0)
    step, start, batches = 0, time.time(), Batches(work / "train.bin")
    saved = work / "checkpoint.pt"
    if saved.exists():
        state = torch.load(saved)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        muon.buffers = state["muon"]
        step, start = state["step"], state["start"]
        batches = Batches(work / "train.bin", state["batches"])

    log = open(HERE / "training.log", "a", encoding="utf-8")

    def report(line):
        print(line, file=log, flush=True)
        print(line, flush=True)

    def save():
        state = {"model": model.state_dict(), "adam": adam.state_dict(), "muon": muon.buffers,
                 "step": step, "start": start, "batches": (batches.epoch, batches.at)}
        write_atomically(saved, lambda path: torch.save(state, path))
        export(model)

    fast = torch.compile(model)
    report(json.dumps({"parameters": sum(p.numel() for p in model.parameters()),
                       "tokens": len(batches.tokens), "batch": BATCH, "length": LENGTH,
                       "step": step, "seconds_left": round(end - time.time())}))
    shown = kept = time.time()
    shown_step, losses = step, []
    while time.time() < end:
        done = (time.time() - start) / (end - start)
        rate = min(1, (step + 1) / WARMUP_STEPS, (1 - done) / (1 - FLAT))
        ids, targets = batches.next()
        with torch.autocast("cpu", torch.bfloat16):
            loss = fast(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * max(rate, 0)
        adam.step()
        muon.step(MUON_RATE * max(rate, 0))
        model.zero_grad()
        step += 1
        losses.append(loss.item())
        now = time.time()
        if now - shown > REPORT_SECONDS:
            speed = (step - shown_step) * BATCH * LENGTH / (now - shown)
            clock = datetime.now(timezone.utc).strftime("%H:%M:%S")
            report(f"{clock} step {step} tokens {step * BATCH * LENGTH} rate {rate:.3f} "
                   f"loss {sum(losses) / len(losses):.4f} tokens/s {speed:.0f}")
            shown, shown_step, losses = now, step, []
        if now - kept > SAVE_SECONDS:
            save()
            report(f"validation loss {held_out_loss(model, work / 'validation.bin'):.4f}")
            kept = time.time()
    save()
    loss = held_out_loss(model, work / "validation.bin")
    report(f"end: step {step} tokens {step * BATCH * LENGTH} epoch {batches.epoch} "
           f"validation loss {loss:.4f}")


if __name__ == "__main__":
    main()
