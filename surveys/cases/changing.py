"""Changes of keys: who may come in, who may be shut out, and what happens where new keys open for somebody not. Pure."""

from collections.abc import Sequence

from surveys import signed
from surveys.cases.folded import Ask, Claims, Fold, Keys
from surveys.cases.letters import REPORTER, Letter, payload_of_change
from surveys.cases.sealing import CannotOpen
from surveys.public.rings import FEWEST_INSIDE, Chain, Ring

BY_TWO_SINCE = "2026-12-01"
"""From this day on nobody goes back behind a change alone: `broken` stands only in threads whose every day is before it."""


def recovery_of(ring: Ring) -> list[dict[str, str]]:
    """A ring's recovery recipients as letters name them."""
    return [{"seat": holder.seat, "recipient": holder.recipient} for holder in ring.recovery]


def is_on(ring: Ring, one: Keys) -> bool:
    found = ring.reader(one["id"])
    return found is not None and (found.recipient, found.signer) == (one["recipient"], one["signer"])


def not_out(fold: Fold, one: Keys, ring: Ring) -> None:
    """Nobody whom the reporter kept out comes in: not under another id, name or key."""
    found = ring.reader(one["id"])
    name = signed.alike(found.name) if found else None
    for kept in fold.out:
        if (
            one["id"] == kept["id"]
            or one["recipient"] == kept["recipient"]
            or one["signer"] == kept["signer"]
            or name == signed.alike(kept["name"])
        ):
            raise CannotOpen("out_returns")
    if one["id"] in fold.wished:
        raise CannotOpen("out_returns")


def all_different(readers: Sequence[Keys]) -> None:
    for what in ("id", "recipient", "signer"):
        if len({one[what] for one in readers}) != len(readers):
            raise CannotOpen("reader_foreign")


def _enough(fold: Fold, readers: Sequence[Keys], ring: Ring) -> None:
    """Where a change shuts somebody out, at least two inside stay, or one and the substitute; whoever leaves by herself, is
    wished out or is off the list may leave fewer."""
    outside = {reader.id for reader in ring.readers if reader.outside}
    inside = [one for one in readers if one["id"] not in outside]
    if len(readers) < len(fold.readers) and len(inside) < FEWEST_INSIDE and (not inside or len(inside) == len(readers)):
        raise CannotOpen("expel_refused")


def needs_two(fold: Fold, readers: Sequence[Keys], rings: Sequence[Ring], author: str) -> tuple[list[Keys], list[str]]:
    """Who comes in and who goes by a change, so far as one reader may not do it alone; `rings` are that of the change and
    all newer ones of its day."""
    after = {one["id"]: one for one in readers}
    gains = [one for one in readers if one["id"] not in fold.readers]
    leaves = [
        name
        for name in fold.readers
        if name not in after
        and name not in fold.left
        and name not in fold.wished
        and any(ring.reader(name) for ring in rings)
    ]
    return gains, [] if author == REPORTER else leaves


def change(fold: Fold, letter: Letter, ring: Ring, chain: Chain | None) -> None:
    terms, author = letter["terms"], letter["from"]
    readers, recovery = terms["readers"], terms["recovery"]
    # each epoch but the first is brought by a letter: one that is ahead of them would leave no number for the next
    ahead = terms["epoch"] > letter["number"] + 1
    if terms["epoch"] <= fold.highest or ahead or terms["recipient"] == fold.to:
        raise CannotOpen("place")
    all_different(readers)
    later = [
        r for r in (chain.rings if chain else ()) if r.number >= ring.number and r.day.isoformat() <= letter["day"]
    ]
    rings = [ring, *later]
    for one in readers:
        before = fold.readers.get(one["id"])
        if before is not None and dict(before) == dict(one):
            continue
        not_out(fold, one, ring)
        if not all(is_on(r, one) for r in rings):
            raise CannotOpen("gain_refused")
    gains, leaves = needs_two(fold, readers, rings, author)
    other = bool(recovery) and recovery != fold.recovery
    if other and recovery != recovery_of(ring):
        raise CannotOpen("gain_refused")
    if gains or leaves or other:
        payload = signed.digest(
            payload_of_change([dict(one) for one in gains], leaves, [dict(one) for one in recovery] if other else None)
        )
        if author != REPORTER:
            by_two(
                fold, author, terms["asked"], "change", payload, "gain_refused" if gains or other else "expel_refused"
            )
    if author != REPORTER and author not in {one["id"] for one in readers}:
        raise CannotOpen("expel_refused")  # whoever goes must not make the key for those who stay
    if leaves:
        _enough(fold, readers, ring)
    fold.undo[letter.hash] = _copied(fold)
    fold.epoch = fold.highest = terms["epoch"]
    fold.to, fold.act = terms["recipient"], letter.hash
    fold.readers = {one["id"]: one for one in readers}
    fold.recovery = list(recovery)
    fold.left &= set(fold.readers)
    for claims in fold.claims.values():
        if claims.maker != author:
            claims.by.clear()  # somebody else's new keys, with a link to the ones before, are the answer
    fold.claims[letter.hash] = Claims(author)
    if terms["notes"]:
        fold.notes[fold.epoch] = (terms["notes"], letter.hash)


def by_two(fold: Fold, author: str, asked: str, what: str, payload: str, refused: str) -> None:
    """Somebody else who reads now asked for exactly this, or the reporter allowed it."""
    ask = fold.asks.get(asked)
    if ask is None or asked in fold.used or (ask.what, ask.payload) != (what, payload):
        raise CannotOpen(refused)
    if not ask.allowed and (ask.by == author or ask.by not in fold.readers):
        raise CannotOpen(refused)
    fold.used.add(asked)


def claim(fold: Fold, back: Fold | None, letter: Letter) -> None:
    """A reader, or the reporter, says that the keys of a change do not open for her. It is a word: whoever can open them makes
    new ones, and nothing that anybody wrote is lost."""
    change, author = letter["terms"]["change"], letter["from"]
    if back is None or not may_claim(back, fold, author):
        raise CannotOpen("epoch_broken")
    fold.claims[change].by.add(author)


def may_claim(back: Fold, fold: Fold, author: str) -> bool:
    """Whether somebody read before a change and reads now, with the same keys."""
    return author == REPORTER or (
        author in back.readers and dict(fold.readers.get(author, {})) == dict(back.readers[author])
    )


def alone(fold: Fold, back: Fold | None, letter: Letter) -> None:
    """The older act, by which one reader went back behind the newest change: it stands where it was written in its time."""
    terms, author = letter["terms"], letter["from"]
    if back is None or terms["change"] != fold.act or author not in fold.readers or author not in back.readers:
        raise CannotOpen("epoch_broken")
    if max(fold.latest, letter["day"]) >= BY_TWO_SINCE or not loses_nobody(back, fold):
        raise CannotOpen("epoch_broken")
    _go_back(fold, back)


def _go_back(fold: Fold, back: Fold) -> None:
    """Keys that fail are void: the thread goes on under the ones before, and what was written since stays on show.

    Never behind a change that took the key from somebody: she would have it again.
    """
    fold.void |= set(range(back.count + 1, fold.count + 1))
    fold.void_epochs |= set(range(back.highest + 1, fold.highest + 1))
    kept = _copied(back)
    for name in (
        "epoch",
        "to",
        "act",
        "readers",
        "recovery",
        "asks",
        "left",
        "wished",
        "redacted",
        "notes",
        "used",
        "acknowledged",
        "outcome",
        "state",
        "contested",
    ):
        setattr(fold, name, getattr(kept, name))
    fold.undo, fold.claims = {}, {}


def loses_nobody(back: Fold, fold: Fold) -> bool:
    """Whether everybody who read before a change reads after it with the same keys, recovery too."""
    stay = all(dict(fold.readers.get(name, {})) == dict(keys) for name, keys in back.readers.items())
    return stay and (not back.recovery or list(back.recovery) == list(fold.recovery))


def _copied(fold: Fold) -> Fold:
    """A copy whose own collections may change; letters themselves never do."""
    values = {name: getattr(fold, name) for name in Fold.__dataclass_fields__}
    for name, value in values.items():
        if isinstance(value, dict | list | set):
            values[name] = value.copy()
    values["claims"] = {name: Claims(one.maker, set(one.by)) for name, one in fold.claims.items()}
    values["asks"] = {name: Ask(ask.by, ask.what, ask.payload, ask.allowed) for name, ask in fold.asks.items()}
    return Fold(**values)
