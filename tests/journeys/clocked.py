"""Serve an installation on a day that a test chooses: the day stands in a file. Run as a program by the journeys alone.

The product has no such switch; this program puts another clock in its place before it starts.
"""

import sys
from datetime import date
from pathlib import Path

from surveys.lifecycle import context

if __name__ == "__main__":
    clock = Path(sys.argv[1])
    context.today = lambda: date.fromisoformat(clock.read_text())
    from server.command.cli import main

    main(["serve", "--port", sys.argv[2]])
