"""What a handler's own device remembers of a case, so that an older state is told: for the offline command, in a file of hers.

The browser keeps the same in its own storage, sealed (``static/desk-memory.js``).
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from surveys.cases.folded import Fold


def checked(path: Path, house: str, case: str, fold: Fold, notes: Sequence[tuple[int, str]] | None) -> str:
    """Hold a thread and its notes against what is remembered, and remember them.

    Parameters
    ----------
    notes : epochs and heads of the notes, or None where they cannot be read to their end: then what is remembered of them
        stays. Those under keys that were undone are passed over.

    Returns
    -------
    Empty, or ``house_other``, ``fork``, ``shorter``: then the file keeps what it had.
    """
    kept: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {"house": house, "cases": {}}
    if kept["house"] != house:
        return "house_other"
    before = kept["cases"].get(case, {"start": fold.start, "heads": [], "notes": []})
    noted = [one for one in before.get("notes", []) if one[0] not in fold.void_epochs]
    heads = noted if notes is None else [list(one) for one in notes]
    word = _went(before["heads"], fold.heads) if before["start"] == fold.start else "fork"
    word = word or _went(noted, heads)
    if word:
        return word
    kept["cases"][case] = {
        "start": fold.start,
        "heads": fold.heads,
        "epoch": fold.epoch,
        "ring": list(fold.ring),
        "notes": heads,
    }
    partial = path.with_suffix(".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(kept, file)
    partial.replace(path)
    return ""


def _went(before: Sequence[Any], now: Sequence[Any]) -> str:
    if list(now[: len(before)]) == list(before):
        return ""
    return "shorter" if len(now) < len(before) else "fork"
