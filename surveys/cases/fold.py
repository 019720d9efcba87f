"""The fold: what a thread's signed letters decide, read forward from the first. Pure; no answer of a server counts.

Who reads, who may write, which epoch is in use, the state and its days follow from heads alone, so a letter whose content
was taken out still decides. The first letter that breaks a rule ends the fold with its word; what stood before stays read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from surveys import signed
from surveys.cases.letters import KINDS, NONE, REPORTER, Letter, payload_of_change
from surveys.cases.sealing import CannotOpen
from surveys.public.rings import FEWEST_INSIDE, Chain, Ring

Keys = Mapping[str, str]
"""A reader: id, recipient, signer."""


def case_of(signer: str, reader: str) -> str:
    """The number of a case (63 bits, 16 hex): the reporter's two public keys decide it."""
    return f"{int(signed.digest(signer + reader)[:16], 16) >> 1:016x}"


@dataclass(slots=True)
class Ask:
    """Something that needs two: what, by whom, the hash of what exactly; `allowed` by the reporter."""

    by: str
    what: str
    payload: str
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class Redaction:
    """What stands in a letter's place, by two."""

    content: str
    act: int
    by: str


@dataclass(slots=True)
class Fold:
    """All that a thread says by now."""

    house: str
    case: str
    start: str = NONE
    head: str = NONE
    count: int = 0
    epoch: int = 1
    highest: int = 1
    """The epoch in use, and the highest number that any epoch had: a void one's number is not used again."""
    to: str = ""
    made_by: str = REPORTER
    made_key: str = ""
    act: str = NONE
    """The act that made the epoch in use, who wrote it, and with which key."""
    reporter: dict[str, str] = field(default_factory=dict)
    """The reporter's signer and reader (recipient)."""
    readers: dict[str, Keys] = field(default_factory=dict)
    recovery: list[Keys] = field(default_factory=list)
    out: list[Keys] = field(default_factory=list)
    ring: tuple[int, str] = (0, NONE)
    asks: dict[str, Ask] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    wished: set[str] = field(default_factory=set)
    redacted: dict[int, Redaction] = field(default_factory=dict)
    notes: dict[int, tuple[str, str, str, str]] = field(default_factory=dict)
    """Each notes epoch that a change made (it has the change's number): its recipient, the change's hash, author and key."""
    heads: list[str] = field(default_factory=list)
    received: str = ""
    acknowledged: str = ""
    outcome: str = ""
    state: str = ""
    contested: bool = False
    void: set[int] = field(default_factory=set)
    void_epochs: set[int] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    undo: dict[str, "Fold"] = field(default_factory=dict)
    """What stood before each change, by its hash: where a broken epoch goes back to."""

    def last_of(self, author: str, letters: Sequence[Letter]) -> tuple[str, int]:
        """The day of an author's last letter and how many she wrote: "your last: 12 November, 3 in all"."""
        mine = [letter["day"] for letter in letters if letter["from"] == author]
        return (mine[-1] if mine else "", len(mine))


def begin(letter: Letter, house: str, chain: Chain | None) -> Fold:
    """Start from the first letter.

    Raises
    ------
    CannotOpen
        ``house_other``, ``letter_forged``, ``place``, ``reader_foreign``, ``out_returns``, ``ring_old``
    """
    body = letter.head.body
    if body["house"] != house:
        raise CannotOpen("house_other")
    terms = body["terms"]
    if body["kind"] != "report" or body["from"] != REPORTER or letter.head.key != terms["signer"]:
        raise CannotOpen("letter_forged")
    if body["case"] != case_of(terms["signer"], terms["reader"]):
        raise CannotOpen("letter_forged")
    place = (body["stream"], body["number"], body["before"], body["start"], body["epoch"], body["thread"])
    if place != ("thread", 1, NONE, NONE, 1, NONE):
        raise CannotOpen("place")
    fold = Fold(house, body["case"], start=letter.hash, to=body["to"], act=letter.hash, made_key=letter.head.key)
    fold.reporter = {"signer": terms["signer"], "reader": terms["reader"]}
    fold.out = list(terms["out"])
    ring = _ring_of(fold, letter, chain)
    _all_different(terms["readers"])
    for one in terms["readers"]:
        if not _is_on(ring, one):
            raise CannotOpen("reader_foreign")
        _not_out(fold, one, ring)
    if terms["recovery"] and terms["recovery"] != recovery_of(ring):
        raise CannotOpen("reader_foreign")
    fold.readers = {one["id"]: one for one in terms["readers"]}
    fold.recovery = list(terms["recovery"])
    fold.received, fold.state = body["day"], "received"
    if chain is not None and any(newer.number > ring.number and newer.day.isoformat() < body["day"] for newer in chain.rings):
        fold.warnings.append("older_list")
    _stands(fold, letter)
    return fold


def step(fold: Fold, letter: Letter, chain: Chain | None) -> None:
    """Take the next letter of the thread.

    Raises
    ------
    CannotOpen
        With the word of the rule that it breaks; the fold is as before.
    """
    body, kind = letter.head.body, letter["kind"]
    if body["house"] != fold.house:
        raise CannotOpen("house_other")
    back = fold.undo.get(body["terms"]["change"]) if kind == "broken" else None
    stands = back or fold
    place = (body["case"], body["stream"], body["start"], body["number"], body["thread"])
    if place != (fold.case, "thread", fold.start, fold.count + 1, NONE):
        raise CannotOpen("place")
    if (body["epoch"], body["to"]) != (stands.epoch, stands.to):
        raise CannotOpen("place")
    if body["before"] != (body["terms"]["change"] if back else fold.head):
        raise CannotOpen("fork" if kind != "broken" else "place")
    author = body["from"]
    _written_by(stands, letter)
    if kind not in KINDS["thread"][REPORTER if author == REPORTER else "handler"] or kind == "report":
        raise CannotOpen("author_unknown")
    ring = _ring_of(fold, letter, chain)
    if kind == "broken":
        _go_back(fold, back, letter)
    elif kind == "change":
        _change(fold, letter, ring, chain)
    elif kind == "ask":
        fold.asks[letter.hash] = Ask(author, body["terms"]["what"], body["terms"]["payload"])
    elif kind == "allow" and body["terms"]["ask"] in fold.asks:
        fold.asks[body["terms"]["ask"]].allowed = True
    elif kind == "leave":
        fold.left.add(author)
    elif kind == "wish":
        fold.wished |= set(body["terms"]["out"])
    elif kind == "redact":
        _redact(fold, letter)
    else:
        _move(fold, letter, ring)
    _stands(fold, letter)


def _stands(fold: Fold, letter: Letter) -> None:
    fold.count += 1
    fold.head = letter.hash
    fold.heads.append(letter.hash)
    fold.ring = (letter["ring"]["number"], letter["ring"]["hash"])


def _written_by(fold: Fold, letter: Letter) -> None:
    author = letter["from"]
    key = fold.reporter["signer"] if author == REPORTER else fold.readers.get(author, {}).get("signer")
    if letter.head.key != key:
        raise CannotOpen("author_unknown" if author != REPORTER else "letter_forged")


def _ring_of(fold: Fold, letter: Letter, chain: Chain | None) -> Ring:
    """The ring that a letter names: it is in the chain, and never older than the one before it."""
    number, named = letter["ring"]["number"], letter["ring"]["hash"]
    ring = chain.numbered(number) if chain is not None else None
    if ring is None:
        raise CannotOpen("ring_old")  # the list that we were given lacks what this letter's author saw
    if ring.hash != named or number < fold.ring[0]:
        raise CannotOpen("ring_broken")
    return ring


def recovery_of(ring: Ring) -> list[dict[str, str]]:
    """A ring's recovery recipients as letters name them."""
    return [{"seat": holder.seat, "recipient": holder.recipient} for holder in ring.recovery]


def _is_on(ring: Ring, one: Keys) -> bool:
    found = ring.reader(one["id"])
    return found is not None and (found.recipient, found.signer) == (one["recipient"], one["signer"])


def _not_out(fold: Fold, one: Keys, ring: Ring) -> None:
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


def _all_different(readers: Sequence[Keys]) -> None:
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
        name for name in fold.readers
        if name not in after and name not in fold.left and name not in fold.wished and any(ring.reader(name) for ring in rings)
    ]  # fmt: skip
    return gains, [] if author == REPORTER else leaves


def _change(fold: Fold, letter: Letter, ring: Ring, chain: Chain | None) -> None:
    terms, author = letter["terms"], letter["from"]
    readers, recovery = terms["readers"], terms["recovery"]
    if terms["epoch"] != fold.highest + 1 or terms["recipient"] == fold.to:
        raise CannotOpen("place")
    _all_different(readers)
    later = [r for r in (chain.rings if chain else ()) if r.number >= ring.number and r.day.isoformat() <= letter["day"]]
    rings = [ring, *later]
    for one in readers:
        before = fold.readers.get(one["id"])
        if before is not None and dict(before) == dict(one):
            continue
        _not_out(fold, one, ring)
        if not all(_is_on(r, one) for r in rings):
            raise CannotOpen("gain_refused")
    gains, leaves = needs_two(fold, readers, rings, author)
    other = bool(recovery) and recovery != fold.recovery
    if other and recovery != recovery_of(ring):
        raise CannotOpen("gain_refused")
    if gains or leaves or other:
        payload = signed.digest(payload_of_change([dict(one) for one in gains], leaves, [dict(one) for one in recovery] if other else None))
        if author != REPORTER:
            _by_two(fold, author, terms["asked"], "change", payload, "gain_refused" if gains or other else "expel_refused")
    if author != REPORTER and author not in {one["id"] for one in readers}:
        raise CannotOpen("expel_refused")  # whoever goes must not make the key for those who stay
    if leaves:
        _enough(fold, readers, ring)
    fold.undo[letter.hash] = _copied(fold)
    fold.epoch = fold.highest = terms["epoch"]
    fold.to, fold.act = terms["recipient"], letter.hash
    fold.made_by, fold.made_key = author, letter.head.key
    fold.readers = {one["id"]: one for one in readers}
    fold.recovery = list(recovery)
    fold.left &= set(fold.readers)
    if terms["notes"]:
        fold.notes[fold.epoch] = (terms["notes"], letter.hash, author, letter.head.key)


def _by_two(fold: Fold, author: str, asked: str, what: str, payload: str, refused: str) -> None:
    """Somebody else who reads now asked for exactly this, or the reporter allowed it."""
    ask = fold.asks.get(asked)
    if ask is None or (ask.what, ask.payload) != (what, payload):
        raise CannotOpen(refused)
    if not ask.allowed and (ask.by == author or ask.by not in fold.readers):
        raise CannotOpen(refused)


def _redact(fold: Fold, letter: Letter) -> None:
    terms, author = letter["terms"], letter["from"]
    if not terms["number"] <= fold.count:
        raise CannotOpen("place")
    payload = signed.canonical({name: terms[name] for name in ("number", "content", "text", "files")})
    _by_two(fold, author, terms["asked"], "redact", signed.digest(payload), "redaction_alone")
    fold.redacted[terms["number"]] = Redaction(terms["content"], letter["number"], author)


def _go_back(fold: Fold, back: Fold | None, letter: Letter) -> None:
    """An epoch that fails a listed reader is void: the thread goes on under the one before, and the change stays on show.

    One change back and no further, and never behind one that took the key from somebody: she would have it again.
    """
    terms, author = letter["terms"], letter["from"]
    if back is None or terms["change"] != fold.act or author not in fold.readers or author not in back.readers:
        raise CannotOpen("epoch_broken")
    if not loses_nobody(back, fold):
        raise CannotOpen("epoch_broken")
    fold.void |= set(range(back.count + 1, fold.count + 1))
    fold.void_epochs |= set(range(back.highest + 1, fold.highest + 1))
    kept = _copied(back)
    for name in (
        "epoch", "to", "act", "made_by", "made_key", "readers", "recovery", "asks", "left", "wished", "redacted", "notes",
        "acknowledged", "outcome", "state", "contested",
    ):  # fmt: skip
        setattr(fold, name, getattr(kept, name))
    fold.undo = {}


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
    values["asks"] = {name: Ask(ask.by, ask.what, ask.payload, ask.allowed) for name, ask in fold.asks.items()}
    return Fold(**values)


def _move(fold: Fold, letter: Letter, ring: Ring) -> None:
    """State and days follow from letters; one that moves nothing is a letter like any other."""
    kind, on = letter["kind"], letter["day"]
    reader = ring.reader(letter["from"])
    if kind in ("acknowledge", "outcome") and not fold.acknowledged:
        fold.acknowledged = on
        fold.state = "acknowledged" if fold.state == "received" else fold.state
    if kind == "outcome" and fold.state == "acknowledged":
        fold.state, fold.outcome = "outcome", on
    elif kind == "contest" and fold.state == "outcome" and not fold.contested:
        fold.state, fold.contested = "contested", True
    elif kind == "final" and fold.state == "contested" and reader is not None and reader.outside:
        fold.state, fold.outcome = "final", on


def day_of(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
