"""What a form showed, as a mark that comes back with it: whoever changes what she saw changes that, and nothing newer."""

import hashlib
import json


def mark_of(shown: object) -> str:
    """The mark of what was shown, plain JSON, as 32 hex digits: of anything else it is another."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]
