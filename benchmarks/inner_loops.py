#!/usr/bin/env python3
"""Innermost loops of x86 assembly that llc wrote (its comments say which blocks form a loop).

As a program: reads assembly and prints the instructions of each loop, for FileCheck."""

import re
import sys
from dataclasses import dataclass, field

_LABEL = re.compile(r"^\.?L(BB\d+_\d+):|^# %bb")
_FUNCTION = re.compile(r"^([A-Za-z_$.][\w$.]*):")
_INNER = re.compile(r"=>\s*This Inner Loop Header")
_MEMBER = re.compile(r"in Loop: Header=(BB\d+_\d+)")


@dataclass
class Loop:
    function: str
    label: str
    instructions: list[str] = field(default_factory=list)

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, line)) for line in self.instructions)


def find_loops(assembly: str) -> list[Loop]:
    """Innermost loops in the order of their first block; a loop's blocks keep their order."""
    loops: dict[str, Loop] = {}
    function, label, lines, comments = "", None, [], []

    def close() -> None:
        if _INNER.search(text := "\n".join(comments)):
            loops[label] = Loop(function, label, list(lines))
        elif (member := _MEMBER.search(text)) and member.group(1) in loops:
            loops[member.group(1)].instructions += lines

    for line in assembly.splitlines():
        block, start = _LABEL.match(line), _FUNCTION.match(line)
        if block or (start and not line.startswith(".L")):
            close()
            label, lines, comments = (block.group(1) if block else None), [], []
            function = function if block else start.group(1)
        code, _, comment = line.partition("#")
        # Comments behind the first instruction are of operands.
        if not lines:
            comments.append(comment)
        if code.startswith("\t") and code.strip() and not code.strip().startswith("."):
            lines.append(code.strip())
    close()
    return list(loops.values())


if __name__ == "__main__":
    for loop in find_loops(sys.stdin.read()):
        print(f"loop {loop.function}: {len(loop.instructions)} instructions")
        for instruction in loop.instructions:
            print(f"  {' '.join(instruction.split())}")
