"""What went wrong, for the administrator: the place and the kind of error, never a request, a value or a person."""

import sys
import traceback


def note(place: str) -> None:
    """Write the exception being handled as one line: where in our code, which kind. Its message may hold an answer: left out."""
    kind, _, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if any(part in frame.filename for part in ("/server/", "/surveys/", "/analysis/"))]
    last = (ours or frames)[-1:]
    where = f"{last[0].name}:{last[0].lineno}" if last else "?"
    print(f"fault in {place}: {kind.__name__ if kind else '?'} at {where}", file=sys.stderr, flush=True)
