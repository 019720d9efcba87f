"""The plan of a wave, version 2: all that is fixed before anybody answers, signed by two of the ring's seats. Pure.

Its hash, called π, names the wave's holders, rules, groups and token key at once. Half of it (128 bits) is on every slip and
in every link; each sheet is sealed under it; the release document carries it. Whoever exchanges anything makes another plan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveys import signed
from surveys.answers.holders import HolderRefused, HolderStatement, read_statement
from surveys.answers.keys import SEATS
from surveys.public.house import PRINTED_HEX, words_of
from surveys.public.rings import Ring
from surveys.signed import NotSigned, either, exactly, hexed, listed, object_of, shaped, text_of, whole

FAMILIES = ("comments", "experience", "items")
_SHORT = text_of(0, 80)
_PLAN = {
    "v": exactly(2),
    "house": hexed(32),
    "wave": text_of(1, 40),
    "ring": whole(1, 10_000),
    "questionnaire": hexed(32),
    "groups": hexed(32),
    "rules": object_of({family: whole(1, 10_000) for family in FAMILIES}),
    "token": hexed(32),
    "panel": object_of({"unit": _SHORT, "people": whole(0, 10_000_000), "channels": listed(_SHORT, 0, 8)}),
    "holders": listed(text_of(1, 4000), 3, 3),
    "guarantee": either(exactly(""), hexed(32)),
}


class PlanOther(ValueError):
    """A plan is not valid, not signed, or not the one that belongs here; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class SignedPlan:
    """A plan and what it names; `holders` are in the order of seats. Signatures are checked by `verify` alone."""

    wave: str
    ring: int
    questionnaire: str
    groups: str
    rules: Mapping[str, int]
    token: str
    panel: Mapping[str, Any]
    holders: tuple[HolderStatement, ...]
    guarantee: str
    text: str

    @property
    def hash(self) -> str:
        """π; 64 hex."""
        return signed.digest(self.text)

    @property
    def printed(self) -> str:
        """The 128 bits that slips and links carry, in hex."""
        return self.hash[:PRINTED_HEX]

    @property
    def words(self) -> tuple[str, ...]:
        """The same as twelve words."""
        return words_of(self.printed)

    @property
    def points(self) -> tuple[bytes, ...]:
        """The holders' public points, in the order of seats."""
        return tuple(holder.point for holder in self.holders)

    def holder(self, seat: str) -> HolderStatement:
        return self.holders[SEATS.index(seat)]


def hash_of(content: object) -> str:
    """How the plan names a questionnaire or the groups: SHA-256 of their canonical JSON."""
    return signed.digest(signed.canonical(content))


def draft(
    house: str,
    wave: str,
    ring: int,
    holders: Sequence[str],
    frozen: Mapping[str, Any],
    *,
    token: str,
    guarantee: str = "",
) -> str:
    """Write a plan's text, to be signed (docs/protocol-urn.md, Plan).

    Parameters
    ----------
    house : str
        ρ, 64 hex.
    wave : str
        The wave's id, 1 to 40 characters.
    ring : int
        Number of the ring whose seats will sign, 1 to 10,000.
    holders : sequence of str
        Three signed statements for this house and wave, in the order of `SEATS`, no two with one key.
    frozen : mapping
        ``questionnaire`` and ``groups`` (as kept), ``rules`` (least sizes by family), ``panel``.
    token : str
        SHA-256 of the token key's DER, 64 hex.
    guarantee : str
        The X25519 key of the comment readers, 64 hex; "" where there are none.

    Raises
    ------
    PlanOther
        If a field is out of its bounds, or a statement is not valid here.
    """
    text = signed.canonical(
        {
            "v": 2,
            "house": house,
            "wave": wave,
            "ring": ring,
            "questionnaire": hash_of(frozen["questionnaire"]),
            "groups": hash_of(frozen["groups"]),
            "rules": dict(frozen["rules"]),
            "token": token,
            "panel": dict(frozen["panel"]),
            "holders": list(holders),
            "guarantee": guarantee,
        }
    )
    read(text, house)
    return text


def read(text: str, house: str) -> SignedPlan:
    """Read a plan that is not signed yet: for whoever is asked to sign it.

    Raises
    ------
    PlanOther
    """
    try:
        body = shaped(signed.parse(text), _PLAN)
    except NotSigned as problem:
        raise PlanOther(f"a plan: {problem}") from problem
    if body["house"] != house:
        raise PlanOther("a plan of another house")
    try:
        holders = tuple(read_statement(one, house, body["wave"]) for one in body["holders"])
    except HolderRefused as problem:
        raise PlanOther(f"a holder of the plan: {problem}") from problem
    if tuple(holder.seat for holder in holders) != SEATS:
        raise PlanOther("a plan has three holders, one of each seat, in order")
    for values in ([holder.point for holder in holders], [holder.signer for holder in holders]):
        if len(set(values)) != len(SEATS):
            raise PlanOther("two holders have the same key")
    return SignedPlan(
        body["wave"],
        body["ring"],
        body["questionnaire"],
        body["groups"],
        body["rules"],
        body["token"],
        body["panel"],
        holders,
        body["guarantee"],
        text,
    )


def sign(text: str, seed: bytes) -> dict[str, str]:
    """One seat's signature of a plan."""
    return {"key": signed.public_of(seed), "sig": signed.signature(text, "plan", seed)}


def verify(text: str, signatures: Sequence[Mapping[str, str]], house: str, ring: Ring) -> SignedPlan:
    """Read a plan and check that two of the three seats of its ring signed it.

    Parameters
    ----------
    text : str
        The plan, in its one form.
    signatures : sequence
        Each ``key`` and ``sig`` in hex, over the whole text; those of other keys count for nothing.
    house : str
        ρ of this installation, 64 hex.
    ring : Ring
        The one that the plan must name by its number; whether it is the newest, the caller asks.

    Raises
    ------
    PlanOther
        If it has another form, names another house or ring, holds a statement that is not valid, or two seats
        of that ring did not sign it.
    """
    plan = read(text, house)
    if plan.ring != ring.number:
        raise PlanOther("a plan under another ring")
    if not signed.is_signed_by_two(text, "plan", signatures, list(ring.signers.values())):
        raise PlanOther("two of the three signatures are missing or wrong")
    return plan
