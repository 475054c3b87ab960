"""The command line: ``python -m livedqn`` and ``livedqn``."""

from __future__ import annotations

import gc
import os
import signal
import sys

from livedqn.types import LivedqnError


def main() -> None:
    """Run one command line.

    Exit codes: 0 done, 2 an error that the user can mend (one line on stderr), 128 and its number where a signal ended
    it, 141 where nobody reads on (as after ``| head``), which is what a shell makes of SIGPIPE.
    """
    if sys.stdout is None:  # closed by whoever called: what is printed is for nobody
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    gc.collect()
    gc.disable()  # importing makes a million objects that stay; a job goes on collecting once it has its modules
    try:
        _dispatch(sys.argv[1:], wants_traceback=wants_traceback)
        sys.stdout.flush()  # here a broken pipe can be told, at the interpreter's end no more
    except KeyboardInterrupt:  # outside of training, which heeds the signal itself, there is nothing to save
        print("livedqn: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        from livedqn.cli.printed import leave_if_unread

        leave_if_unread()
        raise
    except LivedqnError as error:
        if wants_traceback:
            raise
        print(f"livedqn: error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    finally:
        gc.enable()


def _dispatch(arguments: list[str], *, wants_traceback: bool) -> None:
    from livedqn.cli.words import read

    words = read(arguments)
    if "--version" in words.flags:
        from livedqn import __version__

        print(f"livedqn {__version__}")
    elif "--help" in words.flags:
        from livedqn.cli.help import page

        print(page(words.command))
    elif words.command == "plugins":
        from livedqn.cli.listing import show

        show(words)
    else:
        from livedqn.cli.compose import run

        run(words, wants_traceback=wants_traceback)
