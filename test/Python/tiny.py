"""A tiny seeded checkpoint with a tokenizer of words, for tests of API and command."""

import random
import subprocess
import sys
from pathlib import Path

import tokenizers

MAKE = Path(__file__).resolve().parents[1] / "Inputs" / "make_checkpoint.py"
WORDS = ["<end>", *"abcdefghij"]


def make_model(directory, *arguments, family="granitemoehybrid"):
    subprocess.run([sys.executable, MAKE, family, directory, *arguments], check=True)
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<end>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(directory / "tokenizer.json"))
    return directory


def make_text(path, seed, words=80):
    generator = random.Random(seed)
    path.write_text(" ".join(generator.choice(WORDS[1:]) for _ in range(words)))
    return path
