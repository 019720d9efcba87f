"""Make the frozen scenes of the protocol with fixed randomness: ``python -m tests.vectors.scenes``.

The vectors of ``generate.py`` hold one whole case without a fault. Each scene here is a small case with one act that those lack,
or with one that every reader refuses, and what its readers see: `opened` by name. Frozen like the vectors: see there.
"""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from surveys.cases import acts, age_file, letters
from surveys.cases.acts import Change, Reporter
from surveys.cases.bundles import HandlerKeys
from surveys.cases.letters import RECOVERY, REPORTER
from tests.journeys import both
from tests.surveys.cases import desk_side
from tests.surveys.cases.memory import (
    OUTSIDE,
    Kept,
    World,
    asked,
    broken,
    fails,
    hide_notes,
    muted,
    older_changes,
    put_back,
    readers_but,
    report,
)

PLACE = Path(__file__).parent / "scenes-v2.json"


def allowed(world: World) -> Kept:
    """One reader asks to shut out another; the reporter allows it instead of a second reader."""
    kept = report(world, "parole")
    after = readers_but(kept, "bruno")
    ask = asked(kept, "anna", after)
    kept.write(REPORTER, "allow", "va bene", {"ask": ask})
    kept.change("anna", after, ask)
    return kept


def wished_and_left(world: World) -> Kept:
    """The reporter wishes one reader out, another leaves by herself: the next change is one hand's work."""
    kept = report(world, "parole")
    kept.write(REPORTER, "wish", "Bruno no", {"out": ["bruno"]})
    kept.write("carla", "leave", "sono in conflitto")
    kept.change("anna", readers_but(kept, "bruno", "carla"))
    return kept


def redacted(world: World) -> Kept:
    """Two take words out of a letter: its content goes, its head stays."""
    kept = report(world, "Filomena mi ha detto")
    opened = kept.opened("anna")
    content, text = opened.thread[0]["content"], "una collega mi ha detto"
    payload = desk_side.payload_of_redaction(1, content, text, [])
    terms = {"number": 1, "content": content, "text": acts.hash_of(text), "files": []}
    ask = kept.write("anna", "ask", text, {"what": "redact", "payload": acts.hash_of(payload)}, payload=payload)
    kept.write("carla", "redact", text, {**terms, "asked": ask})
    plain = desk_side.emptied(letters.plain_of(kept.rows[0].sealed, opened.keys["thread"][1]))
    kept.rows[0] = replace(kept.rows[0], sealed=letters.seal(plain, opened.thread[0]["to"]))
    return kept


def undone(world: World) -> Kept:
    """A change whose keys failed one reader is void; notes under its keys are passed over; the next change takes a new number."""
    kept = report(world, "parole")
    kept.note("bruno", "prima")
    kept.change("carla", readers_but(kept))
    kept.note("carla", "sotto la chiave che non vale")
    kept.write("carla", "message", "sotto la chiave che non vale")
    broken(kept, "anna")
    kept.change("anna", readers_but(kept))
    kept.write("anna", "message", "ora sì")
    kept.note("anna", "dopo")
    return kept


def newer_ring(world: World) -> Kept:
    """A second ring: a new reader comes in by two, one with new keys by one, one who is off the list goes by one."""
    kept = report(world, "parole")
    world.keys |= {"dario": world.new_keys(), "carla": world.new_keys()}
    world.ring_of(("anna", "carla", "dario", OUTSIDE), world.day)
    fold = kept.opened("anna").fold
    assert fold is not None
    after = desk_side.wanted_readers(fold, world.chain)
    kept.change("anna", after)
    dario = next(reader for reader in world.ring.readers if reader.id == "dario")
    more = [*readers_but(kept), acts.keys_of(dario)]
    kept.change("carla", more, asked(kept, "anna", more))
    return kept


def without_recovery(world: World) -> Kept:
    """A reporter who keeps the recovery key and one reader out."""
    return report(world, "parole", out=[RECOVERY, "bruno"])


def expelled_alone(world: World) -> Kept:
    """Refused: one reader shuts out another (`expel_refused`)."""
    kept = report(world, "parole")
    kept.change("anna", readers_but(kept, "bruno"))
    return kept


def let_in_alone(world: World) -> Kept:
    """Refused: a key that no ring names is let in (`gain_refused`)."""
    kept = report(world, "parole")
    opened = kept.opened("anna")
    assert opened.fold is not None
    spy = world.new_keys()
    wanted = Change(
        [*readers_but(kept), {"id": "spia", "recipient": spy.recipient, "signer": spy.signer}], opened.fold.recovery
    )
    made = acts.change(opened, world.ring, world.author("anna"), wanted, kept.day, world.dice)
    kept.take(made["letter"], made["epochs"])
    return kept


def emptied_alone(world: World) -> Kept:
    """Refused: a letter without its content that no two took out (`redaction_alone`)."""
    kept = report(world, "parole")
    opened = kept.opened("anna")
    plain = desk_side.emptied(letters.plain_of(kept.rows[0].sealed, opened.keys["thread"][1]))
    kept.rows[0] = replace(kept.rows[0], sealed=letters.seal(plain, opened.thread[0]["to"]))
    return kept


def notes_hidden(world: World) -> Kept:
    """Notes were hidden while keys changed and put back: the link to their key is missing, older wraps open them."""
    kept = report(world, "parole")
    kept.note("bruno", "prima")
    after = readers_but(kept, "bruno")
    ask = asked(kept, "anna", after)
    there = hide_notes(kept)
    kept.change("carla", after, ask)
    put_back(kept, there)
    return kept


def failed_twice(world: World) -> Kept:
    """Keys that fail the reporter and a reader: both say so, a third makes new ones, and nothing that was written is lost."""
    kept = report(world, "parole")
    kept.write("anna", "acknowledge", "arrivato")
    muted(kept, "carla", [REPORTER, "bruno"])
    kept.write("carla", "outcome", "fatto")
    fails(kept, REPORTER)
    fails(kept, "bruno")
    kept.change("anna", readers_but(kept))
    kept.write(REPORTER, "message", "ora leggo")
    return kept


def failing(world: World) -> Kept:
    """Keys that fail a reader, before anybody answers: she reads to the change, and both words are there (`claimed`, `claims`)."""
    kept = report(world, "parole")
    muted(kept, "carla", ["bruno"])
    kept.write("carla", "message", "non per lui")
    fails(kept, "bruno")
    return kept


def beside(world: World) -> Kept:
    """An epoch that no letter made, beside an ordinary letter: its number is passed over."""
    kept = report(world, "parole")
    opened = kept.opened("carla")
    assert opened.fold is not None
    letter = acts.letter(
        opened.fold, world.ring, world.author("carla"), "message", {"text": "buongiorno"}, kept.day, world.dice
    )
    kept.take(letter, [{"stream": "thread", "number": 2, "wraps": {}, "link": ""}])
    kept.change("anna", readers_but(kept))
    kept.write(REPORTER, "message", "avanti")
    return kept


def failed_once(world: World) -> Kept:
    """Keys that fail the reporter: she says so, another reader makes new ones, and nothing that was written is lost."""
    kept = report(world, "parole")
    muted(kept, "carla", [REPORTER])
    kept.write("carla", "acknowledge", "arrivato")
    fails(kept, REPORTER)
    kept.change("anna", readers_but(kept))
    kept.write(REPORTER, "message", "ora leggo")
    return kept


def gone_back_alone(world: World) -> Kept:
    """Refused: one reader goes back behind a change alone, after 1 December 2026 (`epoch_broken`)."""
    kept = report(world, "parole")
    kept.day = date(2026, 12, 1)
    kept.write("anna", "acknowledge", "arrivato")
    kept.change("carla", readers_but(kept))
    broken(kept, "bruno")
    return kept


def noted_late(world: World) -> Kept:
    """A note under keys that were left, which the change does not say was there: it is marked (`late`)."""
    kept = report(world, "parole")
    kept.note("carla", "prima")
    before = kept.opened("bruno")
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    kept.take(
        acts.note(
            before, world.ring, world.author("bruno"), "note", {"text": "come se fosse di prima"}, kept.day, world.dice
        )
    )
    kept.note("anna", "dopo")
    return kept


OLDER: tuple[Callable[[World], Kept], ...] = (
    allowed,
    wished_and_left,
    redacted,
    undone,
    newer_ring,
    without_recovery,
    expelled_alone,
    let_in_alone,
    emptied_alone,
    notes_hidden,
)
"""Of before 1 December 2026: a change says nothing of notes."""
SCENES = (failed_twice, failed_once, failing, beside, gone_back_alone, noted_late)


def make() -> dict[str, Any]:
    with older_changes():
        older = {scene.__name__: _made(scene) for scene in OLDER}
    return older | {scene.__name__: _made(scene) for scene in SCENES}


def _made(scene: Callable[[World], Kept]) -> dict[str, Any]:
    dice = random.Random(f"ascolto scene {scene.__name__}").randbytes
    age_file.random_bytes = dice
    world = World(dice)
    kept = scene(world)
    lists, files = both.lists_of(world.anchor.text, world.found), {}
    opened = {}
    for name in (REPORTER, "anna", "bruno"):
        who: Reporter | tuple[str, HandlerKeys] = kept.me if name == REPORTER else (name, world.keys[name])
        files[name] = both.file_of(kept.sealed(name))
        opened[name] = both.by_python(lists, files[name], who, world.anchor.printed)
    return {
        "says": scene.__doc__,
        "printed": world.anchor.printed,
        "lists": lists,
        "files": files,
        "opened": opened,
        "secret": kept.secret.hex(),
        "salt": world.anchor.salt,
        "handlers": {
            name: {"x25519": world.keys[name].x25519.hex(), "ed25519": world.keys[name].ed25519.hex()}
            for name in ("anna", "bruno")
        },
    }


if __name__ == "__main__":
    PLACE.write_text(json.dumps(make(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
