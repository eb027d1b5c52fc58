"""Prints how many more calls of each function there are in the second of two files of counts."""
import sys
from pathlib import Path

first, second = ({call: int(count) for call, count in
                  (line.rsplit(" ", 1) for line in Path(file).read_text().splitlines())}
                 for file in sys.argv[1:])
for call in sorted(second):
    if second[call] != first.get(call, 0):
        print(call, second[call] - first.get(call, 0))
