"""What the command line says and refuses, in the terminal's language; texts of others cannot move or hide what stands there."""

import argparse
import os
import sys
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence

from server.frame.texts import DESK_LANGUAGES, catalogue, choose_language, say
from surveys.importing.sheets import FileUnreadable, RefusedRow
from surveys.signed import HIDING

type Run = Callable[[argparse.Namespace], Awaitable[int]]

LANGUAGE = choose_language(
    None, os.environ.get("LC_ALL") or os.environ.get("LANG", "").replace("_", "-").split(".")[0], DESK_LANGUAGES[::-1]
)


def harmless(text: str) -> str:
    """A text of somebody else as a terminal may have it: what would move, hide or turn what is written is a question mark.

    Without this a name could paint over the words that a signer compares.
    """
    return "".join(c if c == "\n" or unicodedata.category(c) not in HIDING else "\ufffd" for c in text)


def _harmless(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, int | float) else harmless(str(value)) for name, value in values.items()}


def tell(key: str, /, **values: object) -> None:
    """Say a sentence on standard output."""
    print(say(LANGUAGE, f"cli.{key}", **_harmless(values)), flush=True)


def refuse(key: str, /, **values: object) -> int:
    """Say on standard error what is wrong; the exit status of a refused command."""
    print(say(LANGUAGE, f"cli.{key}", **_harmless(values)), file=sys.stderr, flush=True)
    return 1


def unreadable(problem: FileUnreadable) -> int:
    """Say why a file cannot be read."""
    key = f"import.file.{problem.reason}"
    text = say(LANGUAGE, key, **_harmless(problem.params)) if key in catalogue(LANGUAGE) else harmless(str(problem))
    print(text, file=sys.stderr)
    return 1


def tell_refused(rows: Sequence[RefusedRow]) -> None:
    """Say of each row of a file where it is wrong, and how it is mended."""
    for row in rows:
        key = f"import.remedy.{row.remedy_key}"
        remedy = say(LANGUAGE, key) if key in catalogue(LANGUAGE) else row.remedy
        values = _harmless({"row": row.row, "column": row.column, "value": row.value, "remedy": remedy})
        print(say(LANGUAGE, "import.row", **values), file=sys.stderr)
