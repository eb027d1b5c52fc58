"""Runs a command that must fail and say one line: expect_line.py EXIT_CODE LINE COMMAND...

Passes when the exit code is that one and stderr is LINE after "error: ", where ... stands for
anything.
"""
import re
import subprocess
import sys

expected, line, *command = sys.argv[1:]
pattern = "[^\n]*?".join(map(re.escape, line.split("...")))
result = subprocess.run(command, capture_output=True, text=True)
if result.returncode != int(expected) or not re.fullmatch(f"[^\n]*?error: {pattern}\n",
                                                          result.stderr):
    sys.exit(f"exit code {result.returncode}, stderr: {result.stderr}")
