"""Reads bufferized IR from stdin; fails when @decode or a function that it calls allocates."""
import re
import sys

functions = {}
for text in re.split(r"(?=^  func\.func )", sys.stdin.read(), flags=re.MULTILINE)[1:]:
    functions[re.search(r"@([\w.]+)\(", text)[1]] = text
reached, waiting = set(), ["decode"]
while waiting:
    name = waiting.pop()
    if name not in reached:
        reached.add(name)
        waiting += re.findall(r"call @([\w.]+)\(", functions.get(name, ""))
allocating = sorted(name for name in reached if "memref.alloc(" in functions.get(name, ""))
if len(reached) < 5 or allocating:
    sys.exit(f"{len(reached)} functions are reached from @decode; these allocate: {allocating}")
