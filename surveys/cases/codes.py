"""The reporter's code: 84 random bits, written as eight Italian words or as 28 digits, and the keys it derives.

Entropy does the work, so an old phone needs no slow hash beyond PBKDF2. What proves who one is (`auth`) and what opens
the thread (`x25519`) come from different labels: a log of one never gives the other.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NewType
from unicodedata import decimal

Secret = NewType("Secret", bytes)
"""84 bits in 11 bytes; the four highest bits are zero."""

BITS = 84
WORDS, WORD_BITS, WORD_CHECK = 8, 11, 4
DIGITS, DIGIT_CHECK = 28, 9
ROUNDS = 310_000
_LABEL = b"ascolto code"


class NotACode(Exception):
    """The text is no code: a word that is not in the list, a missing digit, a slip of the pen."""


@dataclass(frozen=True, slots=True, repr=False)
class CodeKeys:
    """What a code gives: two proofs for the server (it keeps their SHA-256 only), two seeds it never sees, the number of a
    case of version 1, the first epochs of thread and diary, and the key of the two words (version 2)."""

    locator: bytes
    auth: bytes
    x25519: bytes
    ed25519: bytes
    number: bytes
    thread: bytes
    diary: bytes
    head: bytes

    @property
    def case(self) -> int:
        """63 bits."""
        return int.from_bytes(self.number[:8], "big") >> 1


@cache
def word_list() -> tuple[str, ...]:
    """The 2,048 words of the Italian BIP39 list."""
    from mnemonic import Mnemonic

    return tuple(Mnemonic("italian").wordlist)


def new_code(random_bytes: Callable[[int], bytes]) -> Secret:
    """Draw a secret."""
    number = int.from_bytes(random_bytes(11), "big") >> 4
    return Secret(number.to_bytes(11, "big"))


def _check(secret: Secret, bits: int) -> int:
    return int.from_bytes(hashlib.sha256(_LABEL + secret).digest()[:2], "big") >> (16 - bits)


def to_words(secret: Secret) -> tuple[str, ...]:
    """Write a secret as eight words: 84 bits and 4 check bits."""
    number = int.from_bytes(secret, "big") << WORD_CHECK | _check(secret, WORD_CHECK)
    places = [number >> WORD_BITS * place & 2047 for place in reversed(range(WORDS))]
    return tuple(word_list()[place] for place in places)


def to_digits(secret: Secret) -> tuple[str, ...]:
    """Write a secret as seven blocks of four digits: 84 bits and 9 check bits."""
    number = int.from_bytes(secret, "big") << DIGIT_CHECK | _check(secret, DIGIT_CHECK)
    text = f"{number:0{DIGITS}d}"
    return tuple(text[start : start + 4] for start in range(0, DIGITS, 4))


def read_code(text: str) -> Secret:
    """Read words or digits as a person types them: any case, any separators; four letters of a word are enough.

    Raises
    ------
    NotACode
        If the text is neither, or its check bits say that it was mistyped.
    """
    digits = _decimals(text)
    if digits and not any(letter.isalpha() for letter in text):
        number, check = _digits(digits), DIGIT_CHECK
    else:
        number, check = _words(text), WORD_CHECK
    secret = number >> check
    if secret >> BITS:
        raise NotACode("not a code of this form")
    read = Secret(secret.to_bytes(11, "big"))
    if number & ((1 << check) - 1) != _check(read, check):
        raise NotACode("a word or digit is wrong")
    return read


def _digits(digits: str) -> int:
    if len(digits) != DIGITS:
        raise NotACode(f"a code has {DIGITS} digits")
    return int(digits)


def _words(text: str) -> int:
    words = "".join(letter if letter.isalpha() else " " for letter in text.lower()).split()
    if len(words) != WORDS:
        raise NotACode(f"a code has {WORDS} words")
    places = _places()
    number = 0
    for word in words:
        if word[:4] not in places:
            raise NotACode("a word is not in the list")
        number = number << WORD_BITS | places[word[:4]]
    return number


@cache
def _places() -> dict[str, int]:
    """The list by the first four letters, which tell its words apart (BIP39)."""
    return {word[:4]: place for place, word in enumerate(word_list())}


def derive(secret: Secret, salt: bytes) -> CodeKeys:
    """Derive the keys of a code (PBKDF2-HMAC-SHA256, 310,000 rounds; then HKDF-SHA256, RFC 5869, one label each)."""
    seed = hashlib.pbkdf2_hmac("sha256", secret, salt, ROUNDS, 32)
    first = ("locator", "auth", "x25519", "ed25519", "case")
    second = ("epoch thread 1", "epoch diary 1", "head")
    return CodeKeys(
        *(expand(seed, f"ascolto concern v1 {label}") for label in first),
        *(expand(seed, f"ascolto concern v2 {label}") for label in second),
    )


def expand(seed: bytes, info: str) -> bytes:
    """HKDF-SHA256 with an empty salt, 32 bytes (RFC 5869)."""
    extracted = hmac.digest(bytes(32), seed, "sha256")
    return hmac.digest(extracted, info.encode() + b"\x01", "sha256")


def _decimals(text: str) -> str:
    """The decimal digits of a text, of every script: an Arabic phone types ٤."""
    return "".join(str(decimal(letter)) for letter in text if letter.isdecimal())


def in_our_digits(text: str) -> str:
    """A text with the digits of every script as ours."""
    return "".join(str(decimal(letter)) if letter.isdecimal() else letter for letter in text)


def holds_code(text: str, secret: Secret | None) -> bool:
    """Say whether a text carries this code, as words (four letters are enough) or as digits, however it is laid out: whoever
    reads the text could then open the thread."""
    if secret is None:
        return False
    digits = _decimals(text)
    if "".join(to_digits(secret)) in digits:
        return True
    found = [word[:4] for word in "".join(c if c.isalpha() else " " for c in text.lower()).split()]
    wanted = [word[:4] for word in to_words(secret)]
    return any(found[start : start + WORDS] == wanted for start in range(len(found) - WORDS + 1))
