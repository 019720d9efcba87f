"""What went wrong, for the administrator: the place and the kind of error, never a request, a value or a person."""

import sys
import traceback


def note(place: str, problem: BaseException) -> None:
    """Write an exception as one line: where in our code, which kind. Its message may hold an answer: left out."""
    frames = traceback.extract_tb(problem.__traceback__)
    ours = [
        frame for frame in frames if any(part in frame.filename for part in ("/server/", "/surveys/", "/analysis/"))
    ]
    last = (ours or frames)[-1:]
    where = f"{last[0].name}:{last[0].lineno}" if last else "?"
    print(f"fault in {place}: {type(problem).__name__} at {where}", file=sys.stderr, flush=True)
