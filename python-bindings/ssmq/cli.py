"""The command `ssmq`. Results go to stdout; an error is one line on stderr and an exit code."""

import errno
import os
import sys
import threading

from .errors import INPUT, INTERNAL, RESOURCE, USAGE, Error
from .output import remove_unfinished

INTERRUPTED = 130
# Set before files go, since the work that is cut off would complain of it.
_is_interrupted = threading.Event()


def run(arguments: list[str]) -> int:
    """Runs a command and returns its exit code."""
    import typer

    from .commands import app

    try:
        return app(arguments, prog_name="ssmq", standalone_mode=False) or 0
    except Error as error:
        return _fail(str(error), error.status)
    except typer.TyperException as error:
        message = error.format_message()
        # Without arguments the help has been printed.
        return _fail(f"{message} (see ssmq --help)", USAGE) if message else USAGE
    except MemoryError:
        return _fail("out of memory", RESOURCE)
    except BrokenPipeError:
        # The reader of stdout has seen enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        scarce = error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT, errno.EMFILE)
        return _fail(str(error), RESOURCE if scarce else INPUT)
    except Exception as error:
        if os.environ.get("SSMQ_TRACEBACK"):
            raise
        return _fail(f"internal error: {type(error).__name__}: {error} "
                     "(SSMQ_TRACEBACK=1 shows where)", INTERNAL)


def _fail(message: str, status: int) -> int:
    if not _is_interrupted.is_set() or status == INTERRUPTED:
        print(f"ssmq: {' '.join(message.split())}", file=sys.stderr)
    return status


def main() -> None:
    # A pass runs for minutes in C++, where Python sees no Ctrl-C: work goes to a thread of its own.
    status = [INTERNAL]

    def work() -> None:
        status[0] = run(sys.argv[1:])

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        # The signal may reach another thread and leave this one asleep.
        while worker.is_alive():
            worker.join(0.2)
    except KeyboardInterrupt:
        _is_interrupted.set()
        remove_unfinished()
        _fail("interrupted", INTERRUPTED)
        sys.stdout.flush()
        os._exit(INTERRUPTED)
    sys.exit(status[0])
