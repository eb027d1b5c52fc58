"""Runs a command that must fail: expect_failure.py EXIT_CODE TEXT COMMAND...

Passes when the exit code is that one and stderr holds TEXT.
"""
import subprocess
import sys

expected, text, *command = sys.argv[1:]
result = subprocess.run(command, capture_output=True, text=True)
if result.returncode != int(expected) or text not in result.stderr:
    sys.exit(f"exit code {result.returncode}, stderr: {result.stderr}")
