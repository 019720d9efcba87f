"""What a desk's browser works out before it acts, in Python: the tests' other side, held against the browser's by the vectors."""

from collections.abc import Mapping, Sequence

from surveys import signed
from surveys.cases import changing, letters
from surveys.cases.acts import keys_of
from surveys.cases.folded import Fold
from surveys.public.rings import Chain, Reader, Ring


def wanted_readers(fold: Fold, chain: Chain) -> list[dict[str, str]]:
    """Who should read by now without anybody's second hand: those who read, with their newest keys, less whoever left, was
    wished out, or is no longer on the newest ring."""
    kept = []
    for name, one in fold.readers.items():
        found = chain.newest.reader(name)
        if found is not None and name not in fold.left and name not in fold.wished:
            kept.append(keys_of(found) if not _same(one, found) else dict(one))
    return sorted(kept, key=lambda one: one["id"])


def _same(one: Mapping[str, str], reader: Reader) -> bool:
    return (one["recipient"], one["signer"]) == (reader.recipient, reader.signer)


def ask_payload(fold: Fold, ring: Ring, readers: Sequence[Mapping[str, str]], author: str) -> str:
    """The payload to ask for before a change that one reader may not make alone."""
    gains, leaves = changing.needs_two(fold, readers, (ring,), author)
    return letters.payload_of_change([dict(one) for one in gains], leaves)


def payload_of_redaction(number: int, content: str, text: str, files: list[str]) -> str:
    """What an ask for a redaction names: which letter, its content's hash, the hash of the new words, the files that stay."""
    return signed.canonical({"number": number, "content": content, "text": signed.digest(text), "files": files})


def emptied(plain: str) -> str:
    """The same letter without its content: head, signature and chain stay."""
    outer = signed.parse(plain)
    return signed.canonical({"head": outer["head"], "salt": "", "content": ""})
