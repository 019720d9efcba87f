"""Words that people typed, as a paper can print them: nothing that turns the line round, and nothing too long for its place."""

import re
import unicodedata

_LONG = re.compile(r"\S{30,}")
_BREAK = "\u200b"
"""A place where a line may break; it has no width."""


def plain(text: str, most: int) -> str:
    """Take out what no page prints or what reorders it, and cut after so many letters.

    Parameters
    ----------
    text : as typed; a typesetter's own signs stay, for it travels as data
    most : letters that there is room for, at least 2
    """
    kept = "".join(letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", text))
    short = " ".join(kept.split())
    if len(short) > most:
        short = short[: most - 1].rstrip() + "…"
    return _LONG.sub(lambda word: _BREAK.join(word[0][at : at + 15] for at in range(0, len(word[0]), 15)), short)
