"""What a handler says of herself and signs, so that nobody else's key can be written beside her name on a ring (docs/protocol.md, 3)."""

from dataclasses import dataclass
from datetime import date

from surveys import signed
from surveys.public.house import PRINTED_HEX, HouseFile, words_of
from surveys.signed import NotSigned, day, exactly, hexed, identifier, named, recipient, shaped

STATEMENT_WORDS = 6
_STATEMENT = {
    "v": exactly(2),
    "house": hexed(32),
    "id": identifier,
    "name": named(1, 120),
    "recipient": recipient,
    "signer": hexed(32),
    "day": day,
}


class RingRefused(ValueError):
    """A ring, a statement or a still is not valid; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a handler says of herself and signs: her account, name and the public halves of her keys."""

    id: str
    name: str
    recipient: str
    signer: str
    day: date
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """Six words (66 bits of its hash) that she reads to each signer."""
        return fingerprint_words(signed.digest(self.text))


def fingerprint_words(hash_: str) -> tuple[str, ...]:
    """The first 66 bits of a hash as six Italian words."""
    return words_of(hash_[:PRINTED_HEX])[:STATEMENT_WORDS]


def state(house: HouseFile, name: str, title: str, keys: tuple[str, str, bytes], on: date) -> str:
    """Write and sign a handler's statement.

    Parameters
    ----------
    house : of this installation
    name, title : her account, and how people know her; no form is checked here, `read_statement` refuses
    keys : her age recipient, her signer in hex, and the seed of that signer, 32 bytes
    on : the day she signs
    """
    to, signer, seed = keys
    body = {
        "v": 2,
        "house": house.hash,
        "id": name,
        "name": title,
        "recipient": to,
        "signer": signer,
        "day": on.isoformat(),
    }
    return signed.sign(body, "handler", seed)


def read_statement(text: str, house: str) -> Statement:
    """Read a handler's statement and check that her own key signed it for this house.

    Raises
    ------
    RingRefused
    """
    try:
        found = signed.read(text, "handler")
        body = shaped(found.body, _STATEMENT)
    except NotSigned as problem:
        raise RingRefused(f"a handler's statement: {problem}") from problem
    if body["house"] != house:
        raise RingRefused("a handler's statement is of another house")
    if body["signer"] != found.key:
        raise RingRefused("a handler's statement is signed by another key")
    return Statement(
        body["id"], body["name"], body["recipient"], body["signer"], date.fromisoformat(body["day"]), found.text
    )
