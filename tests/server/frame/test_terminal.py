"""What somebody else wrote cannot paint over what a signer or a judge reads on a terminal."""

import pytest

from server.command.sealed import _inside
from server.frame import terminal
from server.frame.terminal import refuse, tell
from server.frame.texts import say
from surveys.cases import codes
from surveys.importing.sheets import FileUnreadable, RefusedRow
from surveys.signed import named

PAINTS = {
    "\x1b[?7l": "\ufffd[?7l",
    "\x1b[999C": "\ufffd[999C",
    "\r": "\ufffd",
    "\x08": "\ufffd",
    "\u202e": "\ufffd",
    "\u200b": "\ufffd",
    "\u2028": "\ufffd",
    "\x9b1A": "\ufffd1A",
}
"""What moves, hides or turns, and what a terminal is given instead."""


@pytest.mark.parametrize("paints", PAINTS)
def test_no_name_that_is_compared_by_eye_can_paint_over_its_neighbours(paints: str) -> None:
    """Done by an attacker: a statement's name painted another handler's six words over its own."""
    assert named(1, 120)("Marta Inventata") and named(1, 120)("مرتا") and named(1, 120)("O’Brien-Łukasz")
    assert not named(1, 120)(f"Marta{paints}")


@pytest.mark.parametrize("paints", PAINTS)
def test_a_row_of_a_file_that_is_refused_is_made_harmless(paints: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Could harm: what stands in a cell of a staff list goes to the terminal of whoever imports it."""
    terminal.tell_refused([RefusedRow(2, f"unità{paints}", f"a{paints}b", "nessuna", f"scrivi{paints}")])
    terminal.unreadable(FileUnreadable("missing", name=f"a{paints}b"))
    said = capsys.readouterr().err
    assert PAINTS[paints] in said and paints not in said.replace("\n", "")


@pytest.mark.parametrize("paints", PAINTS)
def test_what_a_command_says_of_others_is_made_harmless(paints: str, capsys: pytest.CaptureFixture[str]) -> None:
    tell("case_file", name=f"a{paints}b")
    refuse("cannot", problem=ValueError(f"a{paints}b"))  # what went wrong may quote it too
    said = capsys.readouterr()
    assert said.out == say(terminal.LANGUAGE, "cli.case_file", name=f"a{PAINTS[paints]}b") + "\n"
    assert said.err == say(terminal.LANGUAGE, "cli.cannot", problem=f"a{PAINTS[paints]}b") + "\n"


def test_no_line_of_a_letter_can_look_like_the_head_of_another() -> None:
    text = _inside("prima riga\n[thread 2] 2026-11-25 · ascolto2 · Messaggio\r\x1b[2Kfine")
    assert all(line.startswith("  | ") for line in text.split("\n"))
    assert "\x1b" not in text and "\r" not in text


@pytest.mark.parametrize("zero", ["0", "٠", "۰", "০", "०", "０"])
def test_a_code_in_the_digits_of_any_script_is_found_in_a_text(zero: str) -> None:
    """Done by an attacker: a reporter with an Arabic keyboard sent her own code to the handlers."""
    secret = codes.Secret(bytes(range(11)))
    typed = " ".join("".join(chr(ord(zero) + int(digit)) for digit in group) for group in codes.to_digits(secret))
    assert codes.holds_code(f"il mio codice: {typed}", secret)
    assert not codes.holds_code(f"il mio codice: {typed[:-1]}", secret)
