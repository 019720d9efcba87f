"""An exported case as `ascolto case open` shows it: what counts no more, and notes that came late, are marked."""

from surveys.cases import acts
from surveys.cases.export import open_export
from surveys.cases.opening import handler
from tests.journeys import both
from tests.surveys.cases.memory import Kept, World, asked, broken, dice_of, readers_but, report


def marks(kept: Kept) -> dict[str, str]:
    """The marks of Anna's lines, by what they say."""
    world = kept.world
    content = {
        "v": 2,
        "lists": both.lists_of(world.anchor.text, world.found),
        "file": both.file_of(kept.sealed("anna")) | {"version": 2},
    }
    opened = open_export(content, world.anchor.printed, lambda: handler("anna", world.keys["anna"].identity))
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
