"""Serve installations on days that a test chooses: the day stands in a file. Run as a program by the journeys alone, once a worker.

The product has no such switch; this program puts another clock in its place before it loads the rest. It loads once and forks for each
server that a line of its input asks for, and answers with the number of its process: loading takes more than all else of a start.
What a process draws while it loads is then the same in all of them: a server that is started again is a process of its own, and gets
its line as an argument.
"""

import json
import os
import signal
import sys
from datetime import date
from pathlib import Path
from typing import Any

from surveys.lifecycle import context

_clock = Path()


def _become(asked: dict[str, Any]) -> None:
    """What a server that was started from a shell is: its own settings, its own log, nothing from the one that forked it."""
    global _clock
    _clock = Path(asked["clock"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(asked["environment"])
    for path, rights, places in ((os.devnull, os.O_RDONLY, (0,)), (asked["log"], os.O_WRONLY | os.O_APPEND, (1, 2))):
        opened = os.open(path, rights | os.O_CREAT, 0o600)
        for place in places:
            os.dup2(opened, place)
        os.close(opened)
    status: Any = 1
    try:
        main(["serve", "--port", str(asked["port"])])
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    context.today = lambda: date.fromisoformat(_clock.read_text())
    import server.app
    import server.command.running
    import server.frame.connections  # noqa: F401  # loaded here so that those that are forked have it
    from server.command.cli import main
    from server.frame import static_files

    if sys.argv[1:]:
        _become(json.loads(sys.argv[1]))
    for large in ("fold.js", "sealing.js"):
        static_files._packed(large, "br")  # as a server does once for its pages: all that are forked have it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that ended
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            _become(json.loads(line))
        print(number, flush=True)
