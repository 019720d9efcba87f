"""Keys that fail somebody: links of noise, and going back behind a change, which gives a key again to nobody it was taken from."""

import base64

import pytest

from surveys.cases import acts, wraps
from surveys.cases.letters import RECOVERY, REPORTER
from surveys.cases.opening import open_case
from surveys.cases.sealed_case import Party
from surveys.cases.sealing import identity_text
from tests.surveys.cases import desk_side
from tests.surveys.cases.memory import (
    ALL,
    DAY,
    OUTSIDE,
    World,
    asked,
    broken,
    dice_of,
    readers_but,
    report,
)
from tests.surveys.cases.test_fold import problem, texts


@pytest.fixture
def world() -> World:
    return World(dice_of(7))


def test_an_epoch_that_fails_a_reader_is_told_and_she_can_have_it_undone(world: World) -> None:
    kept = report(world)
    opened = kept.opened("anna")
    assert opened.fold is not None
    made = acts.change(
        opened, world.ring, world.author("anna"), acts.Change(readers_but(kept), opened.fold.recovery), DAY, world.dice
    )
    made["epochs"][0]["wraps"]["bruno"] = made["epochs"][0]["wraps"]["carla"]
    kept.take(made["letter"], made["epochs"])
    kept.write("anna", "message", "nella chiave nuova")
    mine = kept.opened("bruno")
    assert mine.problem != "" and [letter["kind"] for letter in mine.thread] == ["report", "change"]
    broken(kept, "bruno")
    for name in (REPORTER, "anna"):
        again = kept.opened(name)
        assert again.problem == "" and again.fold is not None
        assert (again.fold.epoch, again.fold.void) == (1, {2, 3}), name
    assert problem(kept, "bruno") == "epoch_broken"  # until somebody writes on who can read what he cannot
    kept.change("carla", readers_but(kept))
    kept.write("bruno", "message", "ora apro")
    assert {problem(kept, name) for name in (REPORTER, *ALL)} == {""}


def test_nobody_goes_back_behind_a_change_that_took_the_key_from_somebody(world: World) -> None:
    """Done by an attacker: one letter of one reader, and whoever two had shut out read again."""
    kept = report(world)
    after = readers_but(kept, "bruno")
    kept.change("carla", after, asked(kept, "anna", after))
    assert kept.opened("bruno").problem == "gone" and problem(kept, "anna") == ""
    broken(kept, OUTSIDE)
    assert {problem(kept, name) for name in (REPORTER, "anna", "carla", OUTSIDE)} == {"epoch_broken"}
    fold = kept.opened("anna").fold
    assert fold is not None and set(fold.readers) == {"anna", "carla", OUTSIDE} and fold.epoch == 2


def test_nobody_goes_back_behind_renewed_keys_or_the_loss_of_recovery_or_two_changes(world: World) -> None:
    old = report(world)
    world.keys["carla"] = world.new_keys()
    world.ring_of(ALL)
    fold = old.opened("anna").fold
    assert fold is not None
    old.change("anna", desk_side.wanted_readers(fold, world.chain))
    broken(old, "bruno")
    assert {problem(old, name) for name in (REPORTER, "anna")} == {"epoch_broken"}
    without = report(world)
    without.change("anna", readers_but(without), recovery=[])
    broken(without, "bruno")
    assert problem(without, REPORTER) == "epoch_broken"
    twice = report(world)
    twice.change("anna", readers_but(twice))
    twice.change("carla", readers_but(twice))
    broken(twice, "bruno")
    assert problem(twice, REPORTER) == ""
    fold = twice.opened("anna").fold
    assert fold is not None and not fold.undo


@pytest.mark.parametrize("stream", ["thread", "notes"])
def test_a_link_that_fails_shuts_nobody_out_of_what_she_could_read(world: World, stream: str) -> None:
    """Done by an attacker: an honest change but for its link; every other reader and the recovery key stood before a closed door."""
    kept = report(world, "prima")
    kept.note("bruno", "tra noi")
    opened = kept.opened("carla")
    assert opened.fold is not None
    made = acts.change(
        opened, world.ring, world.author("carla"), acts.Change(readers_but(kept), opened.fold.recovery), DAY, world.dice
    )
    for epoch in made["epochs"]:
        if epoch["stream"] == stream:
            epoch["link"] = base64.b64encode(base64.b64decode(epoch["link"])[:-40] + world.dice(40)).decode()
    kept.take(made["letter"], made["epochs"])
    kept.write("carla", "message", "dopo")
    kept.note("anna", "ancora")
    for name in ("anna", "bruno", "carla", OUTSIDE):
        opened = kept.opened(name)
        assert (opened.problem, opened.notes_problem) == ("", "")
        assert texts(kept, name) == ["prima", "", "dopo"] and len(opened.notes) == 2
    seeds = {seat: identity_text(seed) for seat, seed in world.holders.items()}
    party = Party(
        RECOVERY, lambda sealed, stream, number: wraps.open_recovery(sealed, seeds["a"], seeds["b"], stream, number)
    )
    assert open_case(kept.sealed("recovery+ab"), party, world.anchor.hash, world.chain).problem == ""
