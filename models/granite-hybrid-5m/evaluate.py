"""Score the shipped files and the 5-gram yardstick on the held-out texts.

    evaluate.py WORK    (the WORK of prepare.py, for train.bin and train.txt)

Writes evaluation.json and the table of README.md. Both models score the same
tokens: all of a text but the leading end-of-text token.
"""

import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

import ngram
from model import Model, load_config

HERE = Path(__file__).resolve().parent
TEXTS = ("evaluation", "calibration", "evaluation-other", "calibration-other")
WINDOW, STRIDE = 512, 256
SHINGLE = 12


def load_model(tensors):
    model = Model(load_config(HERE / "config.json")).eval()
    model.load_state_dict({k: v.float() for k, v in tensors.items()})
    return model


@torch.no_grad()
def model_losses(model, tokens):
    """Every token with at least STRIDE tokens of context, but the first ones."""
    ids = torch.from_numpy(tokens.astype(np.int64))
    losses, scored = [], 1
    for start in range(0, len(ids) - 1, STRIDE):
        piece = ids[start:start + WINDOW]
        # The scan wants whole chunks; what is added behind changes nothing.
        padded = torch.zeros(WINDOW, dtype=torch.long)
        padded[:len(piece)] = piece
        logits = model(padded[None])[0]
        begin = scored - start
        targets = piece[begin:]
        losses.append(torch.nn.functional.cross_entropy(
            logits[begin - 1:len(piece) - 1], targets, reduction="none").double())
        scored = start + len(piece)
        if scored == len(ids):
            break
    return torch.cat(losses).numpy()


def shingles(text):
    words = re.findall(r"[a-z0-9]+", text.lower())
    return (hash(tuple(words[i:i + SHINGLE])) for i in range(len(words) - SHINGLE + 1))


def overlaps(work, texts):
    """Runs of SHINGLE words shared with the training text or between texts."""
    sets = {name: set(shingles(text)) for name, text in texts.items()}
    train = set()
    held = set().union(*sets.values())
    # Paragraph by paragraph: runs across documents mean nothing.
    with open(work / "train.txt", encoding="utf-8") as f:
        for line in f:
            train |= held.intersection(shingles(line))
    result = {name: {"with_training": len(mine & train)} for name, mine in sets.items()}
    for name, mine in sets.items():
        others = set().union(*(s for n, s in sets.items() if n != name))
        result[name]["with_other_texts"] = len(mine & others)
    return result


def check_transformers(model, tokens):
    """The files beside this one, loaded by transformers, say the same."""
    theirs = AutoModelForCausalLM.from_pretrained(HERE, dtype=torch.float32).eval()
    ids = torch.from_numpy(tokens[:WINDOW].astype(np.int64))[None]
    with torch.no_grad():
        difference = (theirs(ids, use_cache=False).logits - model(ids)).abs().max().item()
    tokenizer = AutoTokenizer.from_pretrained(HERE)
    prompt = tokenizer("The kernel", return_tensors="pt")
    out = theirs.generate(**prompt, max_new_tokens=60, do_sample=False, repetition_penalty=1.2)
    return difference, tokenizer.decode(out[0])


def table(result):
    lines = ["| text | tokens | bytes | this model (f16) | 5-gram, modified Kneser-Ney |",
             "| --- | --- | --- | --- | --- |"]
    for name, r in result["texts"].items():
        lines.append(f"| `data/{name}.txt` | {r['tokens']} | {r['bytes']} | "
                     f"{r['perplexity']:.2f} | {r['ngram_perplexity']:.2f} |")
    return "\n".join(lines)


def main():
    work = Path(sys.argv[1])
    torch.set_num_threads(2)
    tensors = load_file(HERE / "model.safetensors")
    model = load_model(tensors)
    tokenizer = Tokenizer.from_file(str(HERE / "tokenizer.json"))
    vocab = tokenizer.get_vocab_size()
    train = np.fromfile(work / "train.bin", dtype=np.uint16)
    orders = ngram.train(train)
    texts = {name: (HERE / "data" / f"{name}.txt").read_text() for name in TEXTS}
    result = {"window": WINDOW, "stride": STRIDE, "training_tokens": len(train), "texts": {}}
    for name, text in texts.items():
        tokens = np.array([0] + tokenizer.encode(text).ids, dtype=np.uint16)
        ours = model_losses(model, tokens)
        theirs = ngram.negative_log_likelihoods(orders, tokens, vocab)
        assert len(ours) == len(theirs) == len(tokens) - 1
        size = len(text.encode())
        result["texts"][name] = {
            "tokens": len(ours), "bytes": size,
            "perplexity": math.exp(ours.mean()), "ngram_perplexity": math.exp(theirs.mean()),
            "bits_per_byte": ours.sum() / math.log(2) / size,
            "ngram_bits_per_byte": theirs.sum() / math.log(2) / size}
        if name == "evaluation" and (work / "checkpoint.pt").exists():
            full = load_model(torch.load(work / "checkpoint.pt")["model"])
            result["f32_perplexity"] = math.exp(model_losses(full, tokens).mean())
            difference, sample = check_transformers(model, tokens)
            result["transformers_difference"], result["sample"] = difference, sample
        print(name, result["texts"][name], flush=True)
    result["largest_weight"] = max(t.abs().max().item() for t in tensors.values())
    result["shared_word_runs"] = overlaps(work, texts)
    (HERE / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")
    readme = HERE / "README.md"
    text = re.sub(r"(<!-- results -->\n).*?(\n<!-- end -->)",
                  lambda m: m[1] + table(result) + m[2], readme.read_text(), flags=re.S)
    readme.write_text(text)
    print(json.dumps({k: v for k, v in result.items() if k != "texts"}, indent=1))


if __name__ == "__main__":
    main()
