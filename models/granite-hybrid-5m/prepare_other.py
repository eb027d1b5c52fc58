"""Texts of another domain: the King James Bible, none of it trained on.

    prepare_other.py WORK    (the WORK of prepare.py)

The text is in the public domain; the packages bible-kjv-text (the text) and
bible-kjv (the program that unpacks it) bring it. Calibration is from the Old
Testament, evaluation from the New, so that the two share no chapter.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHAPTERS = {
    "calibration-other": ["Gen 1", "Gen 24", "Exo 3", "Exo 14", "Deut 8", "1Sam 17", "2Sam 12",
                          "1Kings 18", "Job 38", "Psalm 23", "Psalm 104", "Prov 3", "Eccl 3",
                          "Isa 40", "Ruth 1", "Jonah 1", "Dan 6", "Josh 6"],
    "evaluation-other": ["Matt 5", "Matt 13", "Mark 4", "Luke 2", "Luke 15", "John 11", "Acts 2",
                         "Acts 27", "Rom 8", "1Cor 13", "1Cor 15", "Heb 11", "James 1", "Rev 21"],
}


def main():
    work = Path(sys.argv[1])
    root = work / "root" / "bible-kjv"
    deb = work / "deb"
    for package in ("bible-kjv", "bible-kjv-text"):
        if not list(deb.glob(package + "_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=deb, check=True)
        subprocess.run(["dpkg", "-x", next(deb.glob(package + "_*.deb")), root], check=True)
    for name, chapters in CHAPTERS.items():
        paragraphs = []
        for chapter in chapters:
            run = subprocess.run(["../bin/bible", "-f", "-l100000", chapter.replace(" ", "") + ":1-200"],
                                 cwd=root / "usr/lib", capture_output=True, text=True, check=True)
            verses = re.findall(r"^\S+?\d+:\d+ (.*)$", run.stdout, re.M)
            assert len(verses) > 5, (chapter, run.stdout[:200], run.stderr)
            # Groups of verses of the length of an ordinary paragraph.
            for i in range(0, len(verses), 5):
                paragraphs.append(" ".join(v.strip() for v in verses[i:i + 5]))
        text = "\n\n".join(paragraphs) + "\n"
        (HERE / "data" / f"{name}.txt").write_text(text)
        print(f"{name}: {len(chapters)} chapters, {len(text)} characters")


if __name__ == "__main__":
    main()
