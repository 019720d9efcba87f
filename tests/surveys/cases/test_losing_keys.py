"""Keys are lost: the printed kit, a colleague, two of three holders."""

import os

import pytest

from surveys.cases import desk, handlers
from surveys.cases.bundles import make_bundle, new_kit, open_bundle, split
from surveys.cases.handlers import HandlerRecord
from surveys.cases.keeper import RECOVERY
from surveys.cases.opening import open_case
from surveys.cases.recovery import party
from surveys.cases.sealing import CannotOpen, identity_text
from surveys.lifecycle import channel, resuming
from surveys.lifecycle.context import Site
from surveys.public import rings
from tests.surveys.cases.people import (
    ALL,
    OUTSIDE,
    Team,
    Written,
    later,
    new_epoch,
    new_keys,
    next_ring,
    report,
    sealed_of,
    seat,
    texts,
    wanted,
)


def test_key_loss_drill_a_forgotten_passphrase_is_opened_by_the_printed_kit() -> None:
    from surveys.cases.bundles import kit_seed

    keys, kit, salt = new_keys(), new_kit(os.urandom), os.urandom(16)
    login, wrap = split("quattro parole a caso", salt)
    bundle = make_bundle(keys, wrap, kit)
    assert open_bundle(bundle, "kit", kit_seed(kit)) == keys == open_bundle(bundle, "pass", wrap)
    assert bytes.fromhex(login) != wrap
    with pytest.raises(CannotOpen):
        open_bundle(bundle, "pass", bytes.fromhex(login))
    with pytest.raises(CannotOpen):
        open_bundle(bundle, "pass", split("quattro parole a casa", salt)[1])


async def test_key_loss_drill_a_colleague_gives_the_case_to_new_keys(site: Site, made: Team) -> None:
    written = await report(site, made, "da salvare")
    made.keys["bruno"] = new_keys()
    record = HandlerRecord(
        "bruno",
        os.urandom(16),
        "{}",
        made.keys["bruno"].recipient,
        made.keys["bruno"].signer,
        "",
        site.day,
        None,
        None,
    )
    await handlers.keep(site.engines["cases"], record, renew=True)
    await next_ring(site, made, ALL)
    with pytest.raises(CannotOpen):
        await texts(site, made, written, "bruno")
    assert (await desk.inbox(await seat(site, made), "anna"))[0].rekey
    await new_epoch(site, made, written, "anna", await wanted(site, made, written, "anna"))
    assert (await texts(site, made, written, "bruno"))[0] == "da salvare"
    later_report = await report(site, made, "nuova")
    assert await texts(site, made, later_report, "bruno") == ["nuova"]


async def test_key_loss_drill_when_all_handlers_lost_their_keys_two_of_three_holders_open(
    site: Site, made: Team
) -> None:
    written = await report(site, made, "da salvare")
    await report(site, made, "senza riserva", out=[RECOVERY])
    at_desk = await seat(site, made)
    files, odd = await desk.for_recovery(at_desk)
    assert ([file.case for file in files], odd) == ([written.case], [])
    first, second, third = (identity_text(made.holders[seat_]) for seat_ in "abc")
    for pair, identities in (("ab", (first, second)), ("ac", (first, third)), ("bc", (second, third))):
        found = open_case(sealed_of(files[0], pair), party(*identities), made.anchor.hash, made.chain)
        assert [letter.content for letter in found.thread] == [{"text": "da salvare"}]
    for identities in ((first, first), (second, second), (second, first)):
        with pytest.raises(CannotOpen):
            open_case(sealed_of(files[0], "ab"), party(*identities), made.anchor.hash, made.chain)


async def _killed(*_: object) -> None:
    raise RuntimeError("killed")


async def _holders(site: Site, made: Team, written: Written) -> set[str]:
    return await desk.holders_of(await seat(site, made), written.case) & set(ALL)


async def test_a_list_that_comes_after_one_that_was_cut_off_takes_keys_away_too(
    site: Site, made: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by reading it once more: the line that told of the first was taken for the line of the second."""
    written = await report(site, made)
    with monkeypatch.context() as patch:
        patch.setattr(channel, "_follow", _killed)
        with pytest.raises(RuntimeError):
            await next_ring(site, made, ("anna", "carla", OUTSIDE))
    await next_ring(site, made, ("anna", "bruno", OUTSIDE))
    assert await _holders(site, made, written) == {"anna", OUTSIDE}


async def test_a_list_that_was_cut_off_is_followed_also_where_it_is_lengthened_first(
    site: Site, made: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, on = await report(site, made), later(site, 30)
    ring = made.ring_of(("anna", "carla", OUTSIDE), site.day)
    with monkeypatch.context() as patch:
        patch.setattr(channel, "_follow", _killed)
        with pytest.raises(RuntimeError):
            await channel.publish_ring(on, ring.text, ring.signatures)
    text = rings.draft_still(made.anchor, ring, on.day)
    await channel.publish_still(on, text, [rings.sign_still(text, made.seats[one]) for one in ("legal", "staff")])
    await resuming.resume(on)
    assert await _holders(on, made, written) == {"anna", "carla", OUTSIDE}
