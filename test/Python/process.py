"""The command as a process of its own."""

import os
import subprocess
import sys


def start(*arguments, before=None, **environment):
    """A process as the console script starts it; `before` runs in it first."""
    code = "from ssmq.cli import main; main()"
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)) | environment
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=before)
