"""What went wrong, for the administrator: the place and the kind of error, never a request, a value or a person."""

import sys
import traceback

from surveys.away import StoreAway

_away: dict[str, str] = {}
"""Stores that were met away since it was last said, and what the database called it."""


def note(place: str, problem: BaseException) -> None:
    """Write an exception as one line: where in our code, which kind. Its message may hold an answer: left out.

    That a store is away, which every request meets, waits for the next minute (`say_away`): a line of its own would tell when
    somebody sent something.
    """
    if isinstance(problem, StoreAway):
        _away[problem.store] = problem.kind
        return
    frames = traceback.extract_tb(problem.__traceback__)
    ours = [
        frame for frame in frames if any(part in frame.filename for part in ("/server/", "/surveys/", "/analysis/"))
    ]
    last = (ours or frames)[-1:]
    where = f"{last[0].name}:{last[0].lineno}" if last else "?"
    print(f"fault in {place}: {type(problem).__name__} at {where}", file=sys.stderr, flush=True)


def say_away() -> None:
    """Write one line for each store that was away since this was last called: by the clock, not when somebody met it."""
    for store, kind in sorted(_away.items()):
        print(f"store away: {store} ({kind})", file=sys.stderr, flush=True)
    _away.clear()
