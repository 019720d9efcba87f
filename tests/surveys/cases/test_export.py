"""An exported case as `ascolto case open` shows it: what counts no more, and notes that came late, are marked."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from surveys.cases import acts, composing
from surveys.cases.export import open_export, read_export
from surveys.cases.opening import handler
from surveys.cases.sealing import CannotOpen
from tests.journeys import both
from tests.surveys.cases.memory import Kept, World, asked, broken, dice_of, readers_but, report


def exported(kept: Kept) -> dict[str, Any]:
    """What Anna's desk exports, without attachments."""
    lists = both.lists_of(kept.world.anchor.text, kept.world.found)
    return {"v": 2, "lists": lists, "file": both.file_of(kept.sealed("anna")) | {"version": 2}}


def marks(kept: Kept) -> dict[str, str]:
    """The marks of Anna's lines, by what they say."""
    world = kept.world
    opened = open_export(exported(kept), world.anchor.printed, lambda: handler("anna", world.keys["anna"].identity))
    return {line.content["text"]: line.mark for line in opened.lines if line.content["text"]}


def test_what_one_reader_undid_before_december_is_marked_as_void() -> None:
    kept = report(World(dice_of(5)), "parole")
    kept.change("carla", readers_but(kept))
    kept.write("carla", "message", "annullata")
    broken(kept, "anna")
    kept.write("anna", "message", "dopo")
    assert marks(kept) == {"parole": "", "annullata": "void", "dopo": ""}


def test_a_note_that_came_under_keys_that_were_left_is_marked_as_late() -> None:
    kept = report(World(dice_of(6)), "parole")
    kept.note("carla", "vista")
    before = kept.opened("bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    kept.take(
        acts.note(
            before, kept.world.ring, kept.world.author("bruno"), "note", {"text": "aggiunta"}, kept.day, kept.world.dice
        )
    )
    assert marks(kept) == {"parole": "", "chiedo": "", "vista": "", "aggiunta": "late"}


def test_an_attachment_that_does_not_open_is_named_and_takes_no_letter_away() -> None:
    """Done by one reader, and by whoever writes the store: the command, the last way of the recovery holders, opened nothing."""
    kept = report(World(dice_of(7)), "parole")
    sealed, entry = composing.seal_file("foto.jpg", "image/jpeg", b"immagine")
    kept.write(
        "bruno", "message", "eccola", files=[entry, entry | {"sha256": "0" * 64, "name": "altra.jpg"}, _elsewhere()]
    )
    content = exported(kept) | {"files": {entry["upload"]: base64.b64encode(sealed).decode()}}
    world = kept.world
    opened = open_export(content, world.anchor.printed, lambda: handler("anna", world.keys["anna"].identity))
    assert [line.content["text"] for line in opened.lines] == ["parole", "eccola"] and opened.problem == ""
    assert list(opened.files.values()) == [b"immagine"]
    assert [name.rpartition("-")[2] for name in opened.closed] == ["altra.jpg", "nascosta.jpg"]


def _elsewhere() -> dict[str, Any]:
    """An attachment that the export does not hold."""
    return composing.seal_file("nascosta.jpg", "image/jpeg", b"immagine")[1]


def _spoilt(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The export with each of its parts, and of the rows each field, gone or of another kind."""
    kinds: tuple[Any, ...] = (None, 7, "x", [], {}, [None], "é")
    for odd in kinds:
        for key in ("v", "lists", "file"):
            yield f"{key} {odd!r}", content | {key: odd}
        for key in ("version", "case", "epochs", "messages"):
            yield f"file.{key} {odd!r}", content | {"file": content["file"] | {key: odd}}
        for rows in ("epochs", "messages"):
            for field in content["file"][rows][0]:
                first, *others = content["file"][rows]
                changed = content["file"] | {rows: [first | {field: odd}, *others]}
                yield f"{rows}.{field} {odd!r}", content | {"file": changed}


def test_an_export_that_somebody_spoilt_is_refused_and_never_breaks_what_reads_it() -> None:
    """Found by reading: a malformed file ended the command in a traceback."""
    kept = report(World(dice_of(8)), "parole")
    world, refused = kept.world, 0
    for what, content in _spoilt(exported(kept)):
        try:
            read = read_export(json.dumps(content))
            opened = open_export(read, world.anchor.printed, lambda: handler("anna", world.keys["anna"].identity))
        except CannotOpen:
            refused += 1
            continue
        assert opened.problem or [line.content["text"] for line in opened.lines] == ["parole"], what
    assert refused > 50
