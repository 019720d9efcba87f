"""What people type, as letters that can be seen: nothing that shows nothing, or turns the letters after it round."""


def legible(text: str, *, lines: bool = False) -> str:
    """A text of letters that can be seen: of several lines, or in one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    seen = "".join(_seen(letter) for letter in text)
    if not lines:
        return " ".join(seen.split())
    return "\n".join(line.rstrip() for line in seen.split("\n")).strip()


def _seen(letter: str) -> str:
    """A letter, the end of a line, a blank for whatever else is white, and nothing for what shows nothing."""
    if letter.isprintable() or letter == "\n":
        return letter
    return " " if letter.isspace() else ""
