"""The fold: what a thread's signed letters decide, read forward from the first. Pure; no answer of a server counts.

Who reads, who may write, which epoch is in use, the state and its days follow from heads alone, so a letter whose content
was taken out still decides. The first letter that breaks a rule ends the fold with its word; what stood before stays read.
"""

from surveys import signed
from surveys.cases import changing
from surveys.cases.folded import Ask, Fold, Redaction, case_of, wrote
from surveys.cases.letters import KINDS, NONE, REPORTER, Letter
from surveys.cases.sealing import CannotOpen
from surveys.public.rings import Chain, Ring


def begin(letter: Letter, house: str, chain: Chain | None) -> Fold:
    """Start from the first letter.

    Parameters
    ----------
    letter : number 1 of the thread, its form and signature checked (`letters.read`)
    house : ρ of the installation that the reader believes, 64 hex
    chain : all rings of that house; None is refused as ``ring_old``

    Raises
    ------
    CannotOpen
        ``house_other``, ``letter_forged``, ``place``, ``reader_foreign``, ``out_returns``, ``ring_old`` or
        ``ring_broken``
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
    fold = Fold(house, body["case"], start=letter.hash, to=body["to"], act=letter.hash)
    fold.reporter = {"signer": terms["signer"], "reader": terms["reader"]}
    fold.out = list(terms["out"])
    ring = _ring_of(fold, letter, chain)
    changing.all_different(terms["readers"])
    for one in terms["readers"]:
        if not changing.is_on(ring, one):
            raise CannotOpen("reader_foreign")
        changing.not_out(fold, one, ring)
    if terms["recovery"] and terms["recovery"] != changing.recovery_of(ring):
        raise CannotOpen("reader_foreign")
    fold.readers = {one["id"]: one for one in terms["readers"]}
    fold.recovery = list(terms["recovery"])
    fold.received, fold.state = body["day"], "received"
    if chain is not None and any(
        newer.number > ring.number and newer.day.isoformat() < body["day"] for newer in chain.rings
    ):
        fold.warnings.append("older_list")
    _stands(fold, letter)
    return fold


def step(fold: Fold, letter: Letter, chain: Chain | None) -> None:
    """Take the next letter of the thread.

    Parameters
    ----------
    fold : what was decided so far; changed in place
    letter : the next one of the thread, its form and signature checked (`letters.read`)
    chain : all rings of the house; None is refused as ``ring_old``

    Raises
    ------
    CannotOpen
        With the word of the rule that it breaks; the reading ends there.
    """
    body, kind = letter.head.body, letter["kind"]
    if body["house"] != fold.house:
        raise CannotOpen("house_other")
    back = fold.undo.get(body["terms"]["change"]) if kind in ("broken", "fails") else None
    stands = back or fold
    place = (body["case"], body["stream"], body["start"], body["number"], body["thread"])
    if place != (fold.case, "thread", fold.start, fold.count + 1, NONE):
        raise CannotOpen("place")
    if (body["epoch"], body["to"]) != (stands.epoch, stands.to):
        raise CannotOpen("place")
    if body["before"] != (body["terms"]["change"] if back else fold.head):
        raise CannotOpen("place" if kind in ("broken", "fails") else "fork")
    author = body["from"]
    _written_by(stands, letter)
    if kind not in KINDS["thread"][REPORTER if author == REPORTER else "handler"] or kind == "report":
        raise CannotOpen("author_unknown")
    ring = _ring_of(fold, letter, chain)
    if kind == "fails":
        changing.claim(fold, back, letter)
    elif kind == "broken":
        changing.alone(fold, back, letter)
    elif kind == "change":
        changing.change(fold, letter, ring, chain)
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
    if kind != "fails":
        for claims in fold.claims.values():
            claims.by.discard(author)  # she writes under these keys: they open for her by now
    _stands(fold, letter)


def _stands(fold: Fold, letter: Letter) -> None:
    fold.count += 1
    fold.head = letter.hash
    fold.heads.append(letter.hash)
    fold.latest = max(fold.latest, letter["day"])
    fold.ring = (letter["ring"]["number"], letter["ring"]["hash"])


def _written_by(fold: Fold, letter: Letter) -> None:
    if not wrote(fold, letter):
        raise CannotOpen("author_unknown" if letter["from"] != REPORTER else "letter_forged")


def _ring_of(fold: Fold, letter: Letter, chain: Chain | None) -> Ring:
    """The ring that a letter names: it is in the chain, and never older than the one before it."""
    number, named = letter["ring"]["number"], letter["ring"]["hash"]
    ring = chain.numbered(number) if chain is not None else None
    if ring is None:
        raise CannotOpen("ring_old")  # the list that we were given lacks what this letter's author saw
    if ring.hash != named or number < fold.ring[0]:
        raise CannotOpen("ring_broken")
    return ring


def _redact(fold: Fold, letter: Letter) -> None:
    terms, author = letter["terms"], letter["from"]
    if not terms["number"] <= fold.count:
        raise CannotOpen("place")
    payload = signed.canonical({name: terms[name] for name in ("number", "content", "text", "files")})
    changing.by_two(fold, author, terms["asked"], "redact", signed.digest(payload), "redaction_alone")
    fold.redacted[terms["number"]] = Redaction(terms["content"], letter["number"], author)


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
