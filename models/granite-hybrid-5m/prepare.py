"""Build the corpus, the tokenizer and the token streams.

    prepare.py WORK    downloads the packages below into WORK/deb and writes
                       WORK/{train,validation}.{txt,bin}; tokenizer.json and
                       data/{calibration,evaluation}.txt go beside this file.

Needs apt-get and dpkg of Debian 12. Documents, not paragraphs, are held out.
"""

import gzip
import hashlib
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import extract

HERE = Path(__file__).resolve().parent
END = "<|endoftext|>"
VOCAB = 2048
SHINGLE = 12  # Words that a training paragraph may not share with held-out text.

# Package, folder under /usr/share, reader, names wanted, names not wanted.
SOURCES = [
    ("linux-doc-6.1", "doc/linux-doc-6.1/Documentation", extract.read_rst,
     r"\.(rst|txt)\.gz$", r"translations|devicetree/bindings|/COPYING"),
    ("python3.11-doc", "doc/python3.11/html/_sources", extract.read_rst,
     r"\.rst\.txt$", r"changelog|license"),
    ("manpages", "man", extract.read_man, r"\.\d\w*\.gz$", None),
    ("manpages-dev", "man", extract.read_man, r"\.\d\w*\.gz$", None),
    ("git-doc", "doc/git-doc", extract.read_asciidoc, r"\.(txt|adoc)$", r"RelNotes"),
    ("perl-doc", "perl", extract.read_pod, r"\.pod$", r"perl(gpl|artistic|hist)"),
    ("postgresql-doc-15", "doc/postgresql-doc-15/html", extract.read_html, r"\.html$",
     r"legalnotice|release-"),
    ("apache2-doc", "doc/apache2-doc/manual/en", extract.read_html, r"\.html$", r"license"),
    ("python-django-doc", "doc/python-django-doc/html", extract.read_html, r"\.html$",
     r"_modules|genindex|license"),
    ("sqlite3-doc", "doc/sqlite3", extract.read_html, r"\.html$", r"/c3ref/|matrix|copyright"),
    ("debian-handbook", "doc/debian-handbook/html/en-US", extract.read_html, r"\.html$", r"license"),
    ("debian-policy", "doc/debian-policy/policy.html/_sources", extract.read_rst, r"\.txt$", None),
    ("maint-guide", "doc/maint-guide/html", extract.read_html, r"\.en\.html$", None),
    ("debmake-doc", "doc/debmake-doc/html", extract.read_html, r"\.en\.html$", None),
    ("harden-doc", "doc/harden-doc/html/en-US", extract.read_html, r"\.html$", None),
]


def read_text(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    return data.decode("utf-8", "replace")


def unpack(work):
    deb = work / "deb"
    deb.mkdir(parents=True, exist_ok=True)
    for package, *_ in SOURCES:
        root = work / "root" / package
        if root.exists():
            continue
        root.parent.mkdir(exist_ok=True)
        if not list(deb.glob(package + "_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=deb, check=True)
        subprocess.run(["dpkg", "-x", next(deb.glob(package + "_*.deb")), root], check=True)


def documents(work):
    """Every document as (name, prose paragraphs); each paragraph once in all."""
    seen = set()
    for package, folder, reader, wanted, unwanted in SOURCES:
        size = count = 0
        root = work / "root" / package / "usr/share" / folder
        for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
            name = f"{package}:{path.relative_to(root)}"
            if not re.search(wanted, name) or (unwanted and re.search(unwanted, name)):
                continue
            kept = []
            for paragraph in reader(read_text(path)):
                p = extract.prose(paragraph)
                key = p and re.sub(r"[^a-z]", "", p.lower())
                if p and key not in seen:
                    seen.add(key)
                    kept.append(p)
            if len(kept) >= 3:
                size, count = size + sum(map(len, kept)), count + 1
                yield name, kept
        print(f"{package}: {count} documents, {size} characters", flush=True)


def shingles(paragraph):
    words = re.findall(r"[a-z0-9]+", paragraph.lower())
    return {hash(tuple(words[i:i + SHINGLE])) for i in range(len(words) - SHINGLE + 1)}


def split(docs):
    """Hold out about one document in thirty, in three parts of whole documents.

    A document's share is capped, so that each text covers many documents; what
    the cap leaves over is dropped, not trained on."""
    caps = {"evaluation": 90_000, "calibration": 90_000, "validation": 160_000}
    held = {part: [] for part in caps}
    sizes = dict.fromkeys(caps, 0)
    train = []
    for name, kept in docs:
        digest = int(hashlib.sha256(name.encode()).hexdigest(), 16)
        parts = [p for p in caps if sizes[p] < caps[p]]
        if digest % 20 == 0 and parts and sum(map(len, kept)) > 1500:
            part = min(parts, key=lambda p: sizes[p] / caps[p])
            text, size = [], 0
            for p in kept:
                if size < 5000:
                    text.append(p)
                    size += len(p) + 2
            held[part].append((name, text))
            sizes[part] += size
        else:
            train.append((name, kept))
    return train, held


def drop_overlap(train, held):
    """Drop training paragraphs that share a run of words with held-out text,
    and held-out paragraphs that share one with another held-out part."""
    used = set()
    for part in held.values():
        mine = set()
        for i, (name, kept) in enumerate(part):
            kept = [p for p in kept if not shingles(p) & used]
            for p in kept:
                mine |= shingles(p)
            part[i] = name, kept
        used |= mine
    dropped = 0
    for i, (name, kept) in enumerate(train):
        clean = [p for p in kept if not shingles(p) & used]
        dropped += len(kept) - len(clean)
        train[i] = name, clean
    print(f"dropped {dropped} training paragraphs that overlap held-out text")


def text_of(part):
    return "\n\n".join("\n\n".join(kept) for _, kept in part if kept) + "\n"


def train_tokenizer(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    assert tokenizer.get_vocab_size() == VOCAB
    return tokenizer


def encode(tokenizer, docs):
    end = tokenizer.token_to_id(END)
    texts = ["\n\n".join(kept) + "\n" for _, kept in docs if kept]
    ids = [np.array([end] + e.ids, dtype=np.uint16) for e in tokenizer.encode_batch(texts)]
    return np.concatenate(ids)


def main():
    work = Path(sys.argv[1])
    unpack(work)
    docs = list(documents(work))
    random.Random(20).shuffle(docs)
    train, held = split(docs)
    drop_overlap(train, held)
    sample = ["\n\n".join(kept) for _, kept in train]
    tokenizer = train_tokenizer(sample[::3])
    tokenizer.save(str(HERE / "tokenizer.json"))
    (HERE / "data").mkdir(exist_ok=True)
    for part in ("evaluation", "calibration"):
        (HERE / "data" / f"{part}.txt").write_text(text_of(held[part]))
    sources = [f"{part} {name}" for part in ("evaluation", "calibration")
               for name, kept in held[part] if kept]
    (HERE / "data" / "documents.txt").write_text("\n".join(sources) + "\n")
    (work / "train.txt").write_text(text_of(train))
    (work / "validation.txt").write_text(text_of(held["validation"]))
    for name, part in [("train", train)] + list(held.items()):
        ids = encode(tokenizer, part)
        ids.tofile(work / f"{name}.bin")
        size = len(text_of(part))
        print(f"{name}: {len(part)} documents, {size} characters, {len(ids)} tokens")


if __name__ == "__main__":
    main()
