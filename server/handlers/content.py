"""What the handlers' pages give to their scripts: sentences and script addresses."""

import json

from server.frame.scripts import Script, script
from server.frame.texts import catalogue


def desk_texts(language: str) -> str:
    """All sentences of the handlers' desk and of the letters, as JSON."""
    texts = {key.removeprefix("cases."): text for key, text in catalogue(language).items() if key.startswith("cases.")}
    texts |= {
        key.removeprefix("concern."): text
        for key, text in catalogue(language).items()
        if key.startswith(("concern.kind.", "concern.write.what_", "concern.write.wish_"))
    }
    return json.dumps(texts, ensure_ascii=False)


def scripts(*names: str) -> tuple[Script, ...]:
    """The bundles every handlers' page needs, then its own."""
    first = (
        "sealing.js",
        "argon.js",
        "concern-protocol.js",
        "signed.js",
        "fold.js",
        "fold-desk.js",
        "desk-keys.js",
        "passphrase.js",
    )
    return tuple(script(name) for name in (*first, *names))
